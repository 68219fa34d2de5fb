"""payloom keys …"""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payloom.cli.opening import with_runtime
from payloom.cli.output import AsJson, print_facts, print_list

if TYPE_CHECKING:
    from payloom.runtime import Runtime

LIMIT = 1000

Merchant = Annotated[str, typer.Option(help="Whose: mer_…", metavar="MER")]


def create(
    merchant: Merchant,
    name: Annotated[str, typer.Option(help="What it is for.")] = "key",
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do; repeat it. Left out: everything.")
    ] = None,
    expires_in_days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Left out: never.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make one more API key for a merchant."""

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.core import ids
        from payloom.core.clock import rfc3339
        from payloom.merchants.merchants import NoSuchMerchant, create_key
        from payloom.merchants.queries import mode_of
        from payloom.merchants.scopes import allowed

        merchant_id = ids.parse("mer", merchant)
        async with rt.db.statement() as tx:
            mode = await mode_of(tx, merchant_id)
        if mode is None:
            raise NoSuchMerchant
        expires_at = rt.clock() + timedelta(days=expires_in_days) if expires_in_days else None
        scopes = scope or sorted(allowed(mode))
        key_id, key = await create_key(rt, merchant_id, name, scopes, expires_at=expires_at)
        return {
            "key_id": ids.text("key", key_id),
            "api_key": key.reveal(),
            "merchant_id": merchant,
            "scopes": scopes,
            "expires_at": rfc3339(expires_at) if expires_at else None,
        }

    print_facts(with_runtime(work), as_json=as_json, note="Shown once: keep it now.")


def revoke(
    key: Annotated[str, typer.Argument(help="Which: key_…")],
    merchant: Merchant,
    as_json: AsJson = False,
) -> None:
    """End an API key, everywhere within seconds. Revoking again is harmless."""

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.core import ids
        from payloom.merchants.merchants import revoke_key

        await revoke_key(rt, ids.parse("mer", merchant), ids.parse("key", key))
        return {"key_id": key, "revoked": True}

    print_facts(with_runtime(work), as_json=as_json)


def list_(merchant: Merchant, as_json: AsJson = False) -> None:
    """Show a merchant's API keys, newest first; their text is known to nobody."""

    async def work(rt: "Runtime") -> list[dict[str, Any]]:
        from payloom.cli import queries
        from payloom.core import ids
        from payloom.core.clock import rfc3339

        async with rt.db.statement() as tx:
            rows = await queries.api_keys(tx, ids.parse("mer", merchant), LIMIT)
        return [
            {
                "key_id": ids.text("key", row["id"]),
                "hint": row["hint"],
                "name": row["name"],
                "scopes": row["scopes"],
                "created_at": rfc3339(row["created_at"]),
                "expires_at": rfc3339(row["expires_at"]) if row["expires_at"] else None,
                "revoked_at": rfc3339(row["revoked_at"]) if row["revoked_at"] else None,
            }
            for row in rows
        ]

    print_list(
        with_runtime(work),
        as_json=as_json,
        columns=("key_id", "hint", "name", "expires_at", "revoked_at"),
        nothing="This merchant has no API keys.",
    )
