"""payloom webhook-endpoints …"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from payloom.cli.keys import Merchant
from payloom.cli.opening import with_runtime
from payloom.cli.output import AsJson, print_facts

if TYPE_CHECKING:
    from payloom.runtime import Runtime


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
