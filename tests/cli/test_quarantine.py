"""`docs/how-to/quarantine.md`, followed by an operator: every command as written, in its order."""

import os
import re
import sys
from asyncio import create_subprocess_exec, wait_for
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from payloom.core import ids
from payloom.notices.apply import TRIES_MAX
from payloom.payments.model import Payment
from payloom.runtime import Runtime
from tests.cli.conftest import Cli
from tests.generate_docs import DOCS
from tests.notices.given import COMPLETED, Given, event, session

PAGE = DOCS / "how-to" / "quarantine.md"


def script(name: str) -> str:
    blocks = re.findall(rf"^```sh {name}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert blocks, f"the page has no commands to {name}"
    return "\n".join(["set -euo pipefail", *blocks])


async def follow(cli: Cli, name: str, **facts: str) -> str:
    """Run the page's commands of this name, and answer what they print."""
    here = os.pathsep.join([str(Path(sys.executable).parent), cli.environment["PATH"]])
    process = await create_subprocess_exec(
        "bash", "-s", env={**cli.environment, "PATH": here, **facts},
        stdin=PIPE, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    out, _ = await wait_for(process.communicate(script(name).encode()), 120)
    assert process.returncode == 0, out.decode()
    return out.decode()


async def quarantined(given: Given, owner: Runtime, payment: Payment) -> None:
    """Applying it breaks, time after time, until the cause is mended."""
    async with owner.db.statement() as tx:
        await tx.execute(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'poisoned'; END $$;"
            "CREATE TRIGGER poison BEFORE UPDATE ON payment_orders FOR EACH ROW"
            " EXECUTE FUNCTION poison()"
        )
    await given.told(event(COMPLETED, session(payment)))
    with capture_logs():
        for _ in range(TRIES_MAX):
            await given.all_applied()
            await given.later(seconds=2**TRIES_MAX)
    async with owner.db.statement() as tx:
        await tx.execute("DROP TRIGGER poison ON payment_orders; DROP FUNCTION poison()")


async def test_the_page_leads_from_the_alarm_to_a_paid_order(
    cli: Cli, given: Given, owner: Runtime
) -> None:
    (payment,) = await given.opened()
    await quarantined(given, owner, payment)
    (stuck,) = await given.notices()
    assert stuck["state"] == "quarantined"
    facts: dict[str, Any] = {
        "NOTICE": ids.text("ntc", stuck["id"]),
        "PAYMENT_ORDER": payment.order.public_id,
    }

    seen = await follow(cli, "look", **facts)
    assert f"{facts['NOTICE']}  " in seen
    assert "RaiseError('poisoned')" in seen
    assert f"Paid of {payment.current.public_id}" in seen

    told = await follow(cli, "again", **facts)
    assert "1 would change something, 0 nothing, 0 broke. Nothing was kept." in told
    assert "    posting captured 49.99 EUR" in told
    assert "1 changed something, 0 nothing, 0 broke." in told
    assert "There are no such notices." in told
    assert "The books balance" in told
    assert await given.status(payment) == "SUCCEEDED"


async def test_the_page_ends_the_alarm_for_what_is_good_for_nothing(cli: Cli, given: Given) -> None:
    (payment,) = await given.opened()
    await given.told(event(COMPLETED, session(payment), livemode=True))
    with capture_logs():
        await given.all_applied()
    (stuck,) = await given.notices()
    assert stuck["state"] == "quarantined"
    await follow(cli, "aside", OTHER=ids.text("ntc", stuck["id"]))
    (row,) = await given.notices()
    assert row["state"] == "ignored"
    assert row["remark"].startswith("put aside: a test endpoint")


REMARKS = [
    "the body is not JSON",
    "the body is not an event",
    "the event is of the other mode",
    "names att_…, but is of the account",
    "rendered for API version",
    "its connection is disabled",
    "… does not follow REGISTERING",
]


@pytest.mark.parametrize("remark", REMARKS)
def test_the_page_names_the_remarks_that_there_are(remark: str) -> None:
    """In its table, and as the code writes them."""
    assert f"`{remark}" in PAGE.read_text()
    sources = "".join(path.read_text() for path in (DOCS.parent / "src").rglob("*.py"))
    words = (
        re.escape(remark).replace("att_…", r"\{.*?\}").replace("…", "").replace("REGISTERING", "")
    )
    assert re.search(words, sources), f"nothing says {remark!r}"


def test_every_command_of_the_page_is_run() -> None:
    fences = re.findall(r"^```(.*)$", PAGE.read_text(), re.MULTILINE)
    assert set(filter(None, fences)) == {"sh look", "sh again", "sh aside"}
