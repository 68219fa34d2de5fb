"""payloom connections …"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payloom.cli.failing import ASKED_WRONGLY, Failure
from payloom.cli.keys import Merchant
from payloom.cli.opening import read_settings, with_runtime
from payloom.cli.output import AsJson, print_facts, print_list
from payloom.cli.secret_input import FromFile, read_secrets

if TYPE_CHECKING:
    from uuid import UUID

    from payloom.connectors.spec import Spec
    from payloom.core.secret import Secret
    from payloom.runtime import Runtime

LIMIT = 1000
WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 – a field's name


Connection = Annotated[str, typer.Argument(help="Which: con_…")]
Psp = Annotated[str, typer.Option(help="The connector's name.")]


def add(
    psp: Annotated[str, typer.Argument(help="The connector's name, such as stripe.")],
    merchant: Merchant,
    api_base: Annotated[
        str | None, typer.Option(metavar="URL", help="The PSP's address, if not its own.")
    ] = None,
    from_file: FromFile = None,
    as_json: AsJson = False,
) -> None:
    """Keep a merchant's credentials at a PSP, sealed.

    They are asked for, or come from the environment or a file: STRIPE_API_KEY and
    STRIPE_WEBHOOK_SECRET for Stripe. The webhook secret may follow later (`add-secret`).
    """
    read_settings()  # a mistake in there is told before secrets are asked for
    spec = _spec(psp)
    names = {field.env: field.name for field in spec.credential_fields}
    later = frozenset(name for name, field in names.items() if field == WEBHOOK_SECRET)
    given = read_secrets(names, from_file, optional=later)

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.core import ids
        from payloom.merchants.connections import add_connection

        secrets = {names[variable]: secret for variable, secret in given.items()}
        merchant_id = ids.parse("mer", merchant)
        connection_id = await add_connection(rt, merchant_id, psp, secrets, api_base=api_base)
        connection = ids.text("con", connection_id)
        return {
            "connection_id": connection,
            "merchant_id": merchant,
            "psp": psp,
            "api_base": api_base,
            "notices_url": f"{rt.settings.public_url}/psp/{psp}/{connection}/notices",
        }

    print_facts(
        with_runtime(work),
        as_json=as_json,
        note="Tell the PSP to send its webhooks to notices_url.",
    )


def add_secret(
    connection: Connection,
    merchant: Merchant,
    psp: Psp = "stripe",
    from_file: FromFile = None,
    as_json: AsJson = False,
) -> None:
    """Keep one more webhook secret beside those in use, so that the PSP can change it."""
    read_settings()
    secret = _read_secret(psp, WEBHOOK_SECRET, from_file)

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.core import ids
        from payloom.merchants import connections

        merchant_id, connection_id = ids.parse("mer", merchant), ids.parse("con", connection)
        kept_as = await connections.add_secret(rt, merchant_id, connection_id, secret)
        return {"connection_id": connection, "kept_as": kept_as}

    print_facts(with_runtime(work), as_json=as_json)


def replace_secret(
    connection: Connection,
    field: Annotated[str, typer.Argument(help="Which: api_key, webhook_secret, …")],
    merchant: Merchant,
    psp: Psp = "stripe",
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Do not try the new key at the PSP first.")
    ] = False,
    from_file: FromFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a new secret in the place of one; running processes use it within seconds.

    A new API key is tried first: it must find the newest page that the old one opened, else it
    is of another account, and everything in flight would be lost from sight.
    """
    read_settings()
    secret = _read_secret(psp, field, from_file)

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.core import ids
        from payloom.merchants import connections

        ours = ids.parse("mer", merchant), ids.parse("con", connection)
        tried = not unchecked and not field.startswith(WEBHOOK_SECRET)
        if tried:
            tried = await _check_same_account(rt, ours, field, secret)
        await connections.replace_secret(rt, *ours, field=field, secret=secret)
        return {"connection_id": connection, "replaced": field, "tried": tried}

    print_facts(with_runtime(work), as_json=as_json)


def remove_secret(
    connection: Connection,
    field: Annotated[str, typer.Argument(help="Which: webhook_secret, webhook_secret_2, …")],
    merchant: Merchant,
    as_json: AsJson = False,
) -> None:
    """Forget a webhook secret that the PSP no longer signs with; another one must be left."""

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.core import ids
        from payloom.merchants import connections

        ours = ids.parse("mer", merchant), ids.parse("con", connection)
        await connections.remove_secret(rt, *ours, field=field)
        return {"connection_id": connection, "removed": field}

    print_facts(with_runtime(work), as_json=as_json)


def list_(
    merchant: Annotated[
        str | None, typer.Option(help="Whose: mer_…; left out: everybody's.", metavar="MER")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show connections, newest first: which secrets they have, never the secrets."""

    async def work(rt: "Runtime") -> list[dict[str, Any]]:
        from payloom.cli import queries
        from payloom.core import ids
        from payloom.core.clock import rfc3339

        merchant_id = ids.parse("mer", merchant) if merchant else None
        async with rt.db.statement() as tx:
            rows = await queries.connections(tx, merchant_id, LIMIT)
        return [
            {
                "connection_id": ids.text("con", row["id"]),
                "merchant_id": ids.text("mer", row["merchant_id"]),
                "psp": row["psp"],
                "api_base": row["api_base"],
                "secrets": row["secrets"],
                "created_at": rfc3339(row["created_at"]),
                "disabled_at": rfc3339(row["disabled_at"]) if row["disabled_at"] else None,
            }
            for row in rows
        ]

    print_list(
        with_runtime(work),
        as_json=as_json,
        columns=("connection_id", "merchant_id", "psp", "api_base", "disabled_at"),
        nothing="No connections yet: `payloom connections add stripe --merchant mer_…`",
    )


def _read_secret(psp: str, field: str, from_file: Path | None) -> "Secret":
    """From where the connector's table says that this field is read."""
    fields = _spec(psp).credential_fields
    wanted = WEBHOOK_SECRET if field.startswith(WEBHOOK_SECRET) else field
    variable = next((each.env for each in fields if each.name == wanted), None)
    if variable is None:
        known = ", ".join(each.name for each in fields)
        raise Failure(f"{psp} has no such credential; it has {known}", ASKED_WRONGLY)
    return read_secrets([variable], from_file)[variable]


async def _check_same_account(
    rt: "Runtime", ours: "tuple[UUID, UUID]", field: str, secret: "Secret"
) -> bool:
    """Whether there was anything to find with the new secret. Raises Failure when it does not
    find it: with a key of another account what we opened would be taken for never opened (I5)."""
    from payloom.cli import queries
    from payloom.connectors.contract import AttemptRef, Unknown
    from payloom.core import ids
    from payloom.merchants.connections import connector_with

    connector = await connector_with(rt, *ours, field=field, secret=secret)
    async with rt.db.statement() as tx:
        page = await queries.newest_page(tx, *ours)
    if page is None:
        return False
    outcome = await connector.look_up(AttemptRef(ids.text("att", page["id"]), page["token"]))
    if isinstance(outcome, Unknown):
        raise Failure(
            f"With the new {field} the PSP does not show the newest page of this connection"
            f" ({outcome.why}). A key of another account would lose what is open. Is it the right"
            " one, and may it read? If you know that it is, add --unchecked"
        )
    return True


def _spec(psp: str) -> "Spec":
    from payloom.connectors.catalog import discover
    from payloom.core.errors import invalid

    specs = discover()
    if psp not in specs:
        known = ", ".join(sorted(specs))
        raise invalid("psp", f"there is no connector {psp!r}; known are {known}")
    return specs[psp]
