"""payloom webhook-endpoints …"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from payloom.cli.keys import Merchant
from payloom.cli.opening import with_runtime
from payloom.cli.output import AsJson, print_facts, print_list

if TYPE_CHECKING:
    from payloom.runtime import Runtime

LIMIT = 1000

Endpoint = Annotated[str, typer.Argument(help="Which: whe_…")]


def create(
    merchant: Merchant,
    url: Annotated[str, typer.Option(help="Where to send events, https.")],
    event_type: Annotated[
        list[str] | None, typer.Option(help="Which events; repeat it. Left out: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell a merchant's shop of events from now on, each one signed."""

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.core import ids
        from payloom.merchants.merchants import NoSuchMerchant
        from payloom.merchants.queries import mode_of
        from payloom.webhooks.endpoints import create_endpoint, signing_secrets

        merchant_id = ids.parse("mer", merchant)
        async with rt.db.statement() as tx:
            mode = await mode_of(tx, merchant_id)
        if mode is None:
            raise NoSuchMerchant
        made = await create_endpoint(rt, merchant_id, mode, url, event_type)
        secrets = await signing_secrets(rt, merchant_id, made.id)
        return {
            "id": ids.text("whe", made.id),
            "url": made.url,
            "event_types": list(made.event_types) if made.event_types else None,
            "secret": secrets[0].reveal(),
        }

    print_facts(with_runtime(work), as_json=as_json, note="The secret is shown once: keep it now.")


def list_(merchant: Merchant, as_json: AsJson = False) -> None:
    """Show a merchant's endpoints, newest first, and how they fare; never their secrets."""

    async def work(rt: "Runtime") -> list[dict[str, Any]]:
        from payloom.core import ids
        from payloom.core.paging import Page
        from payloom.webhooks.queries import list_endpoints
        from payloom.webhooks.view import show_endpoint

        async with rt.db.statement() as tx:
            found = await list_endpoints(tx, ids.parse("mer", merchant), Page(LIMIT, None))
        return [show_endpoint(endpoint) for endpoint in found[:LIMIT]]

    print_list(
        with_runtime(work),
        as_json=as_json,
        columns=("id", "url", "event_types", "failing_since", "disabled_at", "disabled_reason"),
        nothing="No endpoints yet: `payloom webhook-endpoints create --merchant mer_… --url …`",
    )


def rotate_secret(endpoint: Endpoint, merchant: Merchant, as_json: AsJson = False) -> None:
    """Sign with a new secret; the one before signs as well for 24 hours, then it is deleted."""

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.core import ids
        from payloom.core.clock import rfc3339
        from payloom.webhooks import rotate

        merchant_id, which = ids.parse("mer", merchant), ids.parse("whe", endpoint)
        made = await rotate.rotate_secret(rt, merchant_id, which)
        secret = await rotate.secret_named(rt, merchant_id, which, made.field)
        return {
            "id": endpoint,
            "secret": secret.reveal() if secret else None,
            "old_secret_ends_at": rfc3339(made.old_ends_at),
        }

    print_facts(with_runtime(work), as_json=as_json, note="The secret is shown once: keep it now.")


def enable(endpoint: Endpoint, merchant: Merchant, as_json: AsJson = False) -> None:
    """Tell an endpoint of events again, after it was switched off for failing."""

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.core import ids
        from payloom.webhooks.endpoints import enable_endpoint
        from payloom.webhooks.view import show_endpoint

        merchant_id, which = ids.parse("mer", merchant), ids.parse("whe", endpoint)
        return show_endpoint(await enable_endpoint(rt, merchant_id, which))

    print_facts(with_runtime(work), as_json=as_json)


def redeliver(
    event: Annotated[str, typer.Argument(help="What to send once more: evt_…")],
    merchant: Merchant,
    endpoint: Annotated[
        str | None, typer.Option(help="Only to this one: whe_…", metavar="WHE")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send an event once more, same id and same bytes, to whoever wants its type."""

    async def work(rt: "Runtime") -> list[dict[str, Any]]:
        from payloom.core import ids
        from payloom.webhooks import redeliver as again
        from payloom.webhooks.view import show_delivery

        merchant_id, which = ids.parse("mer", merchant), ids.parse("evt", event)
        only_to = ids.parse("whe", endpoint) if endpoint else None
        begun = await again.redeliver(rt, merchant_id, which, only_to)
        return [show_delivery(delivery) for delivery in begun]

    print_list(
        with_runtime(work),
        as_json=as_json,
        columns=("id", "event", "endpoint", "state", "next_at"),
        nothing="No enabled endpoint of this merchant asks for events of this type.",
    )
