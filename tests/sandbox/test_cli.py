"""The official CLI judges: it pays, it listens, it asks for events once more."""

import importlib
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from stripe._object_classes import OBJECT_CLASSES

from tests import stripe_cli
from tests.sandbox.cli_program import Cli
from tests.sandbox.merchant import Merchant
from tests.sandbox.process import Start
from tests.sandbox.receiver import Receiver
from tests.sandbox.test_shapes import missing
from tests.sandbox.until import until

pytestmark = [
    pytest.mark.skipif(not stripe_cli.executable(), reason="no Stripe CLI can be had here"),
    pytest.mark.timeout(120),
]

COMPLETED = "checkout.session.completed"
TRIGGERS = """
    charge.captured charge.dispute.created charge.failed charge.refund.updated charge.refunded
    checkout.session.async_payment_failed checkout.session.async_payment_succeeded
    checkout.session.completed checkout.session.expired customer.created invoice.paid
    invoice.payment_failed payment_intent.amount_capturable_updated payment_intent.canceled
    payment_intent.payment_failed payment_intent.requires_action payment_intent.succeeded
    price.created product.created setup_intent.succeeded
""".split()
DECIDED_S = 6  # a debit that is confirmed without the page is decided after five seconds


@pytest.fixture
def cli(merchant: Merchant, tmp_path: Path) -> Cli:
    return Cli(merchant.url, merchant.key, tmp_path)


@pytest.mark.parametrize("type_", TRIGGERS)
async def test_a_trigger_makes_one_event_that_lacks_nothing(
    cli: Cli, merchant: Merchant, type_: str
) -> None:
    status, said = await cli.run("trigger", type_)
    assert status == 0, said
    if "async_payment" in type_:
        await merchant.advance(DECIDED_S)
    _, listed = await merchant.get(f"/v1/events?type={type_}")
    assert len(listed["data"]) == 1, await merchant.events()
    thing = listed["data"][0]["data"]["object"]
    assert missing(_class_of(thing["object"]), thing, thing["object"]) == []


def _class_of(name: str) -> type[Any]:
    module, cls = OBJECT_CLASSES[name]
    found: type[Any] = getattr(importlib.import_module(module), cls)
    return found


async def test_it_gets_posts_and_is_refused_in_its_own_words(cli: Cli, merchant: Merchant) -> None:
    status, said = await cli.run(
        "post", "/v1/payment_intents", "-d", "amount=500", "-d", "currency=eur"
    )
    assert (status, '"amount":500' in said) == (0, True), said
    intent = (await merchant.stripe.v1.payment_intents.list_async()).data[0]
    status, said = await cli.run("get", f"/v1/payment_intents/{intent.id}")
    assert (status, intent.id in said) == (0, True), said
    _, said = await cli.run("get", "/v1/payment_intents/pi_none")
    assert "resource_missing" in said


async def test_its_commands_for_resources_work(cli: Cli, merchant: Merchant) -> None:
    made = ("--amount=700", "--currency=eur", "--confirm=true", "--payment-method=pm_card_visa")
    url = "--return-url=http://127.0.0.1:9/"
    status, said = await cli.run("payment_intents", "create", *made, url)
    assert (status, '"status": "succeeded"' in said or '"status":"succeeded"' in said) == (0, True)
    intent = (await merchant.stripe.v1.payment_intents.list_async()).data[0]
    status, said = await cli.run("refunds", "create", f"--payment-intent={intent.id}")
    assert status == 0, said
    status, said = await cli.run("events", "list", "--limit=2")
    assert (status, "charge.refunded" in said) == (0, True), said


async def test_it_is_told_that_there_are_no_logs_to_tail(cli: Cli) -> None:
    status, said = await cli.run("logs", "tail")
    assert status != 0
    assert "This sandbox streams webhooks only" in said


async def test_it_is_told_that_there_are_no_thin_events(cli: Cli) -> None:
    status, said = await cli.run("listen", "--all-thin")
    assert status != 0
    assert "This sandbox streams webhooks only" in said


async def test_its_secret_is_the_account_s_and_stays(cli: Cli, merchant: Merchant) -> None:
    _, said = await cli.run("listen", "--print-secret")
    _, again = await cli.run("listen", "--print-secret")
    assert said.strip() == again.strip()
    assert said.startswith("whsec_")
    other = Merchant(merchant.url, merchant.http)
    status, made, _ = await other.post(
        "/v1/stripecli/sessions", {"websocket_features[]": "webhooks"}
    )
    assert (status, made["secret"] == said.strip()) == (200, False)


async def test_what_it_hears_it_forwards_with_a_signature_that_holds(
    cli: Cli, merchant: Merchant, receiver: Receiver
) -> None:
    async with cli.listening("--all-snapshot", "--forward-to", receiver.url) as listening:
        session = await merchant.order()
        await merchant.confirm(session.id, "pm_card_visa")
        await receiver.until(4)
        await listening.until("[200] POST", 4)
    assert sorted(receiver.types()) == sorted(await merchant.events())
    assert sorted(listening.heard()) == sorted(receiver.types())
    for delivery in receiver.got:
        assert delivery.is_signed_with(listening.secret())
        assert delivery.event["api_version"] == "2026-08-26.dahlia"
        assert delivery.event["pending_webhooks"] == 0
        assert delivery.headers["User-Agent"].startswith("Stripe/1.0")


async def test_it_hears_the_latest_version_if_it_wants_that(
    cli: Cli, merchant: Merchant, receiver: Receiver
) -> None:
    wanted = ("--all-snapshot", "--latest", "--forward-to", receiver.url)
    async with cli.listening(*wanted) as listening:
        await merchant.order(expand=["line_items"])
        session = await merchant.order()
        await merchant.sessions.expire_async(session.id)
        await receiver.until(1)
        await listening.until("[200] POST")
    assert "2026-10-28.endive" in listening.said
    assert [delivery.event["api_version"] for delivery in receiver.got] == ["2026-10-28.endive"]


async def test_it_hears_only_the_types_that_it_named(
    cli: Cli, merchant: Merchant, receiver: Receiver
) -> None:
    async with cli.listening("--events", COMPLETED, "--forward-to", receiver.url) as listening:
        session = await merchant.order()
        await merchant.confirm(session.id, "pm_card_visa")
        await listening.until("[200] POST")
    assert receiver.types() == [COMPLETED]


async def test_it_forwards_to_the_paths_of_the_endpoints_that_it_finds(
    cli: Cli, merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen("https://shop.example/deep/notices", [COMPLETED])
    base = receiver.url.removesuffix("/hook")
    wanted = ("--all-snapshot", "--load-from-webhooks-api", "--forward-to", base)
    async with cli.listening(*wanted) as listening:
        session = await merchant.order()
        await merchant.confirm(session.id, "pm_card_visa")
        await listening.until("[200] POST")
    assert [(each.path, each.type) for each in receiver.got] == [("/deep/notices", COMPLETED)]


async def test_two_listeners_hear_each_their_own_copy(
    cli: Cli, merchant: Merchant, receiver: Receiver, tmp_path: Path
) -> None:
    second = Cli(merchant.url, merchant.key, tmp_path / "second")
    wanted = ("--events", COMPLETED, "--forward-to", receiver.url)
    async with cli.listening(*wanted) as one, second.listening(*wanted) as two:
        session = await merchant.order()
        await merchant.confirm(session.id, "pm_card_visa")
        await one.until("[200] POST")
        await two.until("[200] POST")
    assert receiver.types() == [COMPLETED, COMPLETED]
    assert one.secret() == two.secret()


async def test_it_listens_on_when_the_sandbox_was_killed_and_is_back(
    start: Start, store: Path, http: aiohttp.ClientSession, receiver: Receiver, tmp_path: Path
) -> None:
    """It tries every ten seconds; until then it also had to find its pings answered."""
    process = start(store)
    merchant = Merchant(process.url, http)
    cli = Cli(merchant.url, merchant.key, tmp_path)
    async with cli.listening("--all-snapshot", "--forward-to", receiver.url) as listening:
        await merchant.sessions.expire_async((await merchant.order()).id)
        await receiver.until(1)
        process.kill()
        start(store, process.port)
        async with aiohttp.ClientSession() as fresh:
            again = Merchant(merchant.url, fresh, merchant.key)

            async def heard() -> bool:
                await again.sessions.expire_async((await again.order()).id)
                return len(receiver.got) > 1

            await until(heard, within_s=60)
    assert all(delivery.is_signed_with(listening.secret()) for delivery in receiver.got)


async def test_what_is_refused_is_not_forwarded_again(
    cli: Cli, merchant: Merchant, receiver: Receiver
) -> None:
    receiver.status = 500
    async with cli.listening("--all-snapshot", "--forward-to", receiver.url) as listening:
        session = await merchant.order()
        await merchant.sessions.expire_async(session.id)
        await listening.until("[500] POST")
        await merchant.advance(4 * 86_400)
        await merchant.order()
        await merchant.sessions.expire_async((await merchant.order()).id)
        await listening.until("[500] POST", 2)
    assert len({delivery.event["id"] for delivery in receiver.got}) == len(receiver.got)


async def test_it_asks_for_an_event_once_more(
    cli: Cli, merchant: Merchant, receiver: Receiver
) -> None:
    session = await merchant.order()
    await merchant.confirm(session.id, "pm_card_visa")
    (event,) = (await merchant.stripe.v1.events.list_async({"type": COMPLETED})).data
    async with cli.listening("--all-snapshot", "--forward-to", receiver.url) as listening:
        status, said = await cli.run("events", "resend", event.id)
        assert (status, event.id in said) == (0, True), said
        await listening.until("[200] POST")
    assert [delivery.event["id"] for delivery in receiver.got] == [event.id]


async def test_it_asks_for_an_event_once_more_at_an_endpoint(
    cli: Cli, merchant: Merchant, receiver: Receiver
) -> None:
    endpoint = await merchant.listen(receiver.url, [COMPLETED])
    session = await merchant.order()
    await merchant.confirm(session.id, "pm_card_visa")
    await receiver.until(1)
    event_id = receiver.got[0].event["id"]
    named = f"--webhook-endpoint={endpoint.id}"
    status, said = await cli.run("events", "resend", event_id, named)
    assert status == 0, said
    await receiver.until(2)
    assert receiver.got[0].body == receiver.got[1].body
    assert receiver.got[1].is_signed_with(endpoint.secret)
