"""payloom merchants …"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payloom.cli.opening import with_runtime
from payloom.cli.output import AsJson, print_facts, print_list

if TYPE_CHECKING:
    from payloom.runtime import Runtime

LIMIT = 1000


class Mode(StrEnum):
    test = "test"
    live = "live"


def create(
    name: Annotated[str, typer.Argument(help="What the merchant is called.")],
    mode: Annotated[Mode, typer.Option(help="Test and live are two merchants.")],
    as_json: AsJson = False,
) -> None:
    """Make a merchant, with a first API key that may do everything."""

    async def work(rt: "Runtime") -> dict[str, Any]:
        from payloom.core import ids
        from payloom.merchants.merchants import create_merchant

        made = await create_merchant(rt, name, mode.value)
        return {
            "merchant_id": ids.text("mer", made.merchant_id),
            "api_key": made.api_key.reveal(),
            "return_secret": made.return_secret.reveal(),
        }

    print_facts(with_runtime(work), as_json=as_json, note="Shown once: keep them now.")


def list_(as_json: AsJson = False) -> None:
    """Show all merchants, newest first."""

    async def work(rt: "Runtime") -> list[dict[str, Any]]:
        from payloom.cli import queries
        from payloom.core import ids
        from payloom.core.clock import rfc3339

        async with rt.db.statement() as tx:
            rows = await queries.merchants(tx, LIMIT)
        return [
            {
                "merchant_id": ids.text("mer", row["merchant_id"]),
                "uuid": str(row["merchant_id"]),  # as tables hold it
                "name": row["name"],
                "mode": row["mode"],
                "created_at": rfc3339(row["created_at"]),
            }
            for row in rows
        ]

    print_list(
        with_runtime(work),
        as_json=as_json,
        columns=("merchant_id", "name", "mode", "created_at"),
        nothing="No merchants yet: `payloom merchants create NAME --mode test`",
    )
