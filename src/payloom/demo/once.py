"""One payment without a browser: played, told step by step, and audited."""

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
from rich.console import Console
from rich.text import Text

from payloom import embedded
from payloom.audit.invariants import BOOKS
from payloom.audit.run import Finding, audit
from payloom.demo import DemoError
from payloom.demo.shopper import Shopper, new_session
from payloom.demo.story import Story
from payloom.runtime import running
from payloom.settings import Settings

PAID_WITHIN_S = 60.0
PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Played:
    """How it ended."""

    order: str
    is_paid: bool
    steps: list[dict[str, Any]]
    findings: list[Finding]

    @property
    def is_good(self) -> bool:
        done = [step["step"] for step in self.steps if step["at"]]
        return self.is_paid and not self.findings and len(done) == len(self.steps)

    def as_json(self) -> dict[str, Any]:
        found = [asdict(finding) for finding in self.findings]
        return {
            "ok": self.is_good,
            "order": self.order,
            "paid": self.is_paid,
            "steps": self.steps,
            "findings": found,
        }


async def play(settings: Settings, facts: dict[str, str], console: Console) -> Played:
    """Buy something, and look whether it is paid and booked. Raises DemoError when stuck."""
    story = Story(console)
    console.print()
    async with new_session() as http:
        shopper = Shopper(http, facts["shop_url"])
        watching: asyncio.Task[dict[str, Any]] | None = None

        async def begin_to_watch(payment_page: str) -> None:
            nonlocal watching
            number = await _number_of(http, facts, payment_page)
            watching = asyncio.create_task(_watch(shopper, number, story))

        await shopper.buy(begin_to_watch)
        if watching is None:
            raise DemoError("The shopper came back without having seen a payment page")
        order = await watching
    findings = await _audit(settings, facts)
    is_paid = order.get("shop_status") == "paid"
    played = Played(order.get("number", ""), is_paid, order.get("steps", []), findings)
    _tell_end(played, console)
    return played


async def _watch(shopper: Shopper, number: str, story: Story) -> dict[str, Any]:
    """Tell the steps until the order is paid and all nine are done; the order then."""
    deadline = time.monotonic() + PAID_WITHIN_S
    order: dict[str, Any] = {}
    while time.monotonic() < deadline and not story.is_complete:
        if fresh := await shopper.order(number):
            order = fresh
            story.tell(order["steps"], is_over=_is_over(order))
        await asyncio.sleep(PAUSE_S)
    return order


def _is_over(order: dict[str, Any]) -> bool:
    """Paid, and told so by our webhook: the last step has no more to tell."""
    told = {event["payment_order_status"] for event in order["events"]}
    return order["shop_status"] == "paid" and "SUCCEEDED" in told


async def _number_of(http: aiohttp.ClientSession, facts: dict[str, str], page: str) -> str:
    """Which of the shop's orders this payment page belongs to: only the API can tell."""
    headers = {"Authorization": f"Bearer {facts['api_key']}"}
    url = f"{facts['api_url']}/v1/payment-orders"
    async with http.get(url, headers=headers, params={"limit": 50}) as response:
        answer = await response.json()
    for order in answer.get("data", ()):
        if (order["redirect_url"] or "").partition("#")[0] == page.partition("#")[0]:
            return str(order["reference"])
    raise DemoError(f"No payment order leads to {page}")


async def _audit(settings: Settings, facts: dict[str, str]) -> list[Finding]:
    keys = embedded.master_keys(settings)
    async with running(settings, facts["database_url"], keys) as rt, rt.db.transaction() as tx:
        return await audit(tx, now=rt.clock(), only=BOOKS)


def _tell_end(played: Played, console: Console) -> None:
    console.print()
    if played.is_paid:
        console.print(Text.assemble(("✓", "bold green"), f" Order {played.order} is paid."))
    else:
        console.print(Text.assemble(("✗", "bold red"), f" Order {played.order} is not paid."))
    missing = [step for step in played.steps if not step["at"]]
    for step in missing:
        console.print(Text(f"  step {step['step']} did not happen: {step['title']}"))
    if not played.findings:
        console.print(Text.assemble(("✓", "bold green"), " The books balance."))
    for finding in played.findings:
        text = f" {finding.invariant}: {finding.what} {finding.detail}"
        console.print(Text.assemble(("✗", "bold red"), text))
