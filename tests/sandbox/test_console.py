"""The page at `/_sandbox`: by forms and links alone, as a browser without JavaScript."""

import re
from collections.abc import AsyncIterator, Mapping
from html import unescape
from pathlib import Path

import aiohttp
import pytest

from payloom.sandbox.console.views import EFFECTS
from payloom.sandbox.faults import HOOK_EFFECTS, REQUEST_EFFECTS
from tests.sandbox.merchant import NO_FUNDS, VISA, Merchant, Page
from tests.sandbox.process import SandboxProcess, Start
from tests.sandbox.receiver import Receiver
from tests.sandbox.until import until


class Tab:
    """One tab of a person's browser."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._root = url
        self.status = 0
        self.html = ""
        self.headers: Mapping[str, str] = {}

    @property
    def text(self) -> str:
        body = self.html.partition("</style>")[2]
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self._http.cookie_jar}

    async def open(self, path: str = "/_sandbox") -> "Tab":
        async with self._http.get(self._root + path, allow_redirects=False) as answer:
            await self._see(answer)
        return self

    async def send(self, path: str, fields: Mapping[str, str], **headers: str) -> str:
        """Send a form of the page; where that leads."""
        token = re.search(r'name="token" value="([^"]+)"', self.html)
        form = {**({"token": token[1]} if token else {}), **fields}
        url = f"{self._root}/_sandbox{path}"
        async with self._http.post(
            url, data=form, headers=headers, allow_redirects=False
        ) as answer:
            await self._see(answer)
        return self.headers.get("Location", "")

    async def enter(self, key: str) -> "Tab":
        await self.open()
        await self.send("/account", {"key": key})
        return await self.open()

    async def _see(self, answer: aiohttp.ClientResponse) -> None:
        self.status, self.html = answer.status, await answer.text()
        self.headers = answer.headers


@pytest.fixture
async def tab(sandbox: SandboxProcess) -> AsyncIterator[Tab]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Tab(sandbox.url, http)


@pytest.fixture
async def mine(tab: Tab, merchant: Merchant) -> Tab:
    """The page of the merchant's account."""
    return await tab.enter(merchant.key)


# --- whose page it is ----------------------------------------------------------------------------


async def test_a_key_is_asked_for_once_and_kept_nowhere(tab: Tab, merchant: Merchant) -> None:
    session = await merchant.order()
    assert "Which account?" in (await tab.open()).text
    assert await tab.send("/account", {"key": merchant.key}) == "/_sandbox"
    assert session.id in (await tab.open()).text
    assert merchant.key not in tab.html
    (cookie,) = tab.cookies.values()
    assert merchant.key not in cookie
    assert all(merchant.key not in str(entry) for entry in await merchant.log())


async def test_the_cookie_is_for_these_pages_alone(tab: Tab, merchant: Merchant) -> None:
    await tab.send("/account", {"key": merchant.key})
    flags = tab.headers["Set-Cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags
    assert "path=/_sandbox" in flags
    assert merchant.url.rpartition(":")[2] in flags.partition("=")[0]


async def test_what_is_no_key_is_refused_and_not_shown_again(tab: Tab) -> None:
    await tab.open()
    await tab.send("/account", {"key": "pk_test_123456789012"})
    assert tab.status == 422
    assert "sk_test_ or sk_live_ (or rk_…) and 12 more characters" in tab.text
    assert "pk_test" not in tab.html
    assert tab.cookies == {}


async def test_a_key_that_has_ended_opens_nothing_any_more(mine: Tab, merchant: Merchant) -> None:
    _, rolled, _ = await merchant.post("/_sandbox/keys")
    async with merchant.http.delete(f"{merchant.url}/_sandbox/keys", headers=merchant.auth) as got:
        assert got.status == 200
    assert "Which account?" in (await mine.open()).text
    await mine.send("/account", {"key": merchant.key})
    assert "This key has ended" in mine.text
    assert "Overview" in (await mine.enter(rolled["key"])).text


@pytest.mark.parametrize("value", ["", "x", "x.y", "é.é", f"{'0' * 64}.{'0' * 64}"])
async def test_a_forged_cookie_opens_nothing(tab: Tab, merchant: Merchant, value: str) -> None:
    name = f"payloom_sandbox_{merchant.url.rpartition(':')[2]}"
    async with merchant.http.get(
        f"{merchant.url}/_sandbox", headers={"Cookie": f"{name}={value}"}
    ) as answer:
        assert "Which account?" in await answer.text()


async def test_nothing_of_another_account_is_shown_or_done(mine: Tab, merchant: Merchant) -> None:
    other = Merchant(merchant.url, merchant.http)
    session = await other.order()
    assert session.id not in mine.text
    assert (await mine.open(f"/_sandbox/objects/{session.id}")).status == 404
    await mine.open()
    await mine.send("/do/reset", {})
    assert (await other.sessions.retrieve_async(session.id)).id == session.id


async def test_another_account_is_chosen_after_leaving(mine: Tab) -> None:
    await mine.send("/leave", {})
    assert "Which account?" in (await mine.open()).text
    await mine.open("/_sandbox/events")
    assert (mine.status, mine.headers["Location"]) == (303, "/_sandbox")


async def test_a_form_from_elsewhere_does_nothing(mine: Tab, merchant: Merchant) -> None:
    session = await merchant.order()
    await mine.send("/do/reset", {}, Origin="http://evil.example")
    assert (mine.status, "out of date" in mine.text) == (403, True)
    await mine.send("/do/reset", {"token": "0" * 64})
    assert mine.status == 403
    await mine.send("/do/advance", {"token": "é", "by": "1"})
    assert mine.status == 403
    assert (await merchant.sessions.retrieve_async(session.id)).id == session.id
    await mine.send("/account", {"key": merchant.key}, Origin="http://evil.example")
    assert mine.status == 403


async def test_pages_load_and_run_nothing(mine: Tab) -> None:
    for path in ("", "/list/payment_intent", "/events", "/webhooks", "/requests", "/ask-reset"):
        await mine.open(f"/_sandbox{path}")
        assert mine.status == 200
        policy = mine.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
        assert "form-action 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert mine.headers["Cache-Control"] == "no-store"
        assert "<script" not in mine.html


# --- what is seen --------------------------------------------------------------------------------


async def test_sessions_payments_refunds_and_events_are_seen(mine: Tab, merchant: Merchant) -> None:
    session = await merchant.order(client_reference_id="A-1")
    page = Page(merchant.http, session.url)
    await page.open()
    await page.pay(NO_FUNDS)
    await mine.open()
    assert "open" in mine.text
    assert "€19.99" in mine.text
    assert "insufficient_funds" in mine.text
    assert f'href="{session.url}"' in mine.html.replace("#x2F;", "/")
    await page.pay(VISA)
    found, intent, charge = await merchant.state(session)
    refund = await merchant.stripe.v1.refunds.create_async(
        {"payment_intent": intent.id, "amount": 500}
    )
    for path, ids in {
        "": (found.id, intent.id, refund.id),
        "/list/checkout.session": (found.id, "complete · paid", "A-1"),
        "/list/payment_intent": (intent.id, "succeeded"),
        "/list/refund": (refund.id, "€5.00", "succeeded"),
        "/list/charge": (charge.id,),
        "/events": ("charge.refunded", "checkout.session.completed", found.id),
    }.items():
        await mine.open(f"/_sandbox{path}")
        assert [each for each in ids if each not in mine.text] == [], path


async def test_the_page_of_a_session_is_offered_while_it_is_open(
    mine: Tab, merchant: Merchant
) -> None:
    session = await merchant.order()
    await mine.open(f"/_sandbox/objects/{session.id}")
    assert "Open its page, as the shopper" in mine.text
    await merchant.confirm(session.id, "pm_card_visa")
    await mine.open(f"/_sandbox/objects/{session.id}")
    assert "Open its page" not in mine.text


async def test_an_object_is_shown_whole_and_leads_to_others(mine: Tab, merchant: Merchant) -> None:
    session = await merchant.order(metadata={"note": "<b>5 & 6</b>", "who": "pi_nobody1234"})
    await merchant.confirm(session.id, "pm_card_visa")
    _, intent, charge = await merchant.state(session)
    await mine.open(f"/_sandbox/objects/{intent.id}")
    assert f'<a href="/_sandbox/objects/{charge.id}">{charge.id}</a>' in mine.html
    assert f"Charges: {charge.id}" in mine.text
    assert "payment_intent.succeeded" in mine.text
    await mine.open(f"/_sandbox/objects/{session.id}")
    assert '"note": "<b>5 & 6</b>"' in mine.text
    assert "<b>5" not in mine.html
    assert "/objects/pi_nobody1234" not in mine.html
    assert f'<a href="/_sandbox/objects/{intent.id}">' in mine.html
    assert "_shopper" not in mine.text


async def test_an_event_shows_what_endpoints_answered(
    mine: Tab, merchant: Merchant, receiver: Receiver
) -> None:
    endpoint = await merchant.listen(receiver.url, ["checkout.session.completed"])
    receiver.status = 503
    session = await merchant.order()
    await merchant.confirm(session.id, "pm_card_visa")
    tries = await merchant.deliveries(wait_s=10)
    event = receiver.got[0].event["id"]
    assert len(tries) == 1
    await mine.open(f"/_sandbox/objects/{event}")
    assert "503" in mine.text
    assert "To be tried again" in mine.text
    assert session.id in mine.text
    await mine.open("/_sandbox/webhooks")
    for each in ("503", "To be tried again", receiver.url, endpoint.id, event):
        assert each in mine.html
    receiver.status = 200
    await merchant.advance(60)
    await receiver.until(2)
    await merchant.deliveries(wait_s=10)
    await mine.open("/_sandbox/webhooks")
    assert "To be tried again" not in mine.text


async def test_a_resent_event_that_is_held_back_waits_for_its_try(
    mine: Tab, merchant: Merchant, receiver: Receiver
) -> None:
    endpoint = await merchant.listen(receiver.url, ["checkout.session.completed"])
    await merchant.confirm((await merchant.order()).id, "pm_card_visa")
    await merchant.deliveries(wait_s=10)
    await merchant.fault("/hook", "hook_delay", delay_s=500)
    event = receiver.got[0].event["id"]
    await merchant.post(f"/v1/events/{event}/retry", {"webhook_endpoint": endpoint.id})
    await merchant.deliveries(wait_s=10)
    await mine.open(f"/_sandbox/objects/{event}")
    assert "To be tried again" in mine.text


async def test_requests_show_faults_and_replays(mine: Tab, merchant: Merchant) -> None:
    await merchant.fault("/v1/charges", "status", status=503)
    await merchant.get("/v1/charges")
    for _ in range(2):
        await merchant.post("/v1/refunds", {"charge": "ch_none"}, Idempotency_Key="key-<1>")
    await mine.open("/_sandbox/requests")
    assert "503 status" in mine.text
    assert "key-<1>" in mine.text
    assert "key-<1>" not in mine.html


async def test_long_lists_go_on_page_by_page(mine: Tab, merchant: Merchant) -> None:
    made = [(await merchant.order()).id for _ in range(53)]
    for path in ("/list/checkout.session", "/requests"):
        seen: list[str] = []
        await mine.open(f"/_sandbox{path}")
        while True:
            seen += dict.fromkeys(re.findall(r'/objects/(cs_\w+)"', mine.html))
            older = re.search(r'href="(\?before=\d+)"', mine.html)
            if older is None:
                break
            await mine.open(f"/_sandbox{path}{older[1]}")
        assert seen == list(reversed(made)), path


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "²", "1;DROP"])
async def test_a_page_number_that_is_none_begins_at_the_top(
    mine: Tab, merchant: Merchant, before: str
) -> None:
    session = await merchant.order()
    for path in ("list/checkout.session", "events", "requests"):
        await mine.open(f"/_sandbox/{path}?before={before}")
        assert mine.status == 200
    await mine.open(f"/_sandbox/list/checkout.session?before={before}")
    assert session.id in mine.text


@pytest.mark.parametrize("path", ["/objects/cs_none", "/list/unicorn", "/list/<b>"])
async def test_what_is_not_there_is_told_so(mine: Tab, path: str) -> None:
    await mine.open(f"/_sandbox{path}")
    assert (mine.status, "Not found" in mine.text) == (404, True)


# --- what is done --------------------------------------------------------------------------------


async def test_a_fault_is_ordered_seen_and_cleared(mine: Tab, merchant: Merchant) -> None:
    fault = {
        "effect": "status",
        "path": "/v1/charges",
        "method": "GET",
        "count": "2",
        "status": "503",
        "delay_s": "",
        "event_type": "",
    }
    assert await mine.send("/do/order-fault", fault) == "/_sandbox?said=fault"
    await mine.open("/_sandbox?said=fault")
    assert "The fault is ordered." in mine.text
    assert "status GET /v1/charges 503, 2 times" in mine.text
    assert (await merchant.get("/v1/charges"))[0] == 503
    await mine.send("/do/clear-faults", {})
    assert (await merchant.get("/v1/charges"))[0] == 200
    assert "Nothing is ordered to go wrong." in (await mine.open()).text


async def test_every_effect_is_offered(mine: Tab) -> None:
    assert set(EFFECTS) == {*REQUEST_EFFECTS, *HOOK_EFFECTS}
    for effect in EFFECTS:
        assert f'<option value="{effect}"' in mine.html


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"effect": "explode"}, "effect must be one of"),
        ({"effect": "drop", "count": "many"}, "count must be a number"),
        ({"effect": "drop", "status": "500"}, "status goes with the effects status"),
        ({"effect": "late", "delay_s": "nan"}, "delay_s must be from 0"),
        ({"effect": "drop", "colour": "red"}, "unknown fields: colour"),
        ({"effect": "drop", "path": "charges"}, "path must begin with /"),
    ],
)
async def test_a_fault_that_cannot_be_is_put_right_in_the_form(
    mine: Tab, merchant: Merchant, fields: dict[str, str], says: str
) -> None:
    await mine.send("/do/order-fault", {"path": "/v1/kept", **fields})
    assert mine.status == 422
    assert f"No fault is ordered: {says}" in mine.text
    assert f'value="{fields.get("path", "/v1/kept")}"' in mine.html
    assert list((await merchant.get("/_sandbox/faults"))[1]) == []


async def test_the_clock_is_moved(mine: Tab, merchant: Merchant) -> None:
    session = await merchant.order()
    assert (
        await mine.send("/do/advance", {"by": "1.5", "unit": "days"}) == "/_sandbox?said=advanced"
    )
    assert (await merchant.advance(0))["offset_s"] == 1.5 * 86_400
    assert (await merchant.sessions.retrieve_async(session.id)).status == "expired"
    assert "1 d 12 h ahead" in (await mine.open("/_sandbox?said=advanced")).text


@pytest.mark.parametrize(
    ("by", "unit"),
    [("-1", "hours"), ("x", "hours"), ("", "hours"), ("1", "years"), ("inf", "days")],
)
async def test_a_clock_that_cannot_move_so_stays(
    mine: Tab, merchant: Merchant, by: str, unit: str
) -> None:
    await mine.send("/do/advance", {"by": by, "unit": unit})
    assert (mine.status, "The clock stays as it is" in mine.text) == (422, True)
    assert (await merchant.advance(0))["offset_s"] == 0


async def test_a_reset_asks_first(mine: Tab, merchant: Merchant) -> None:
    session = await merchant.order()
    await mine.open("/_sandbox/ask-reset")
    assert "Forget everything?" in mine.text
    assert (await merchant.sessions.retrieve_async(session.id)).id == session.id
    assert await mine.send("/do/reset", {}) == "/_sandbox?said=reset"
    assert (await merchant.sessions.list_async()).data == []
    assert "None yet." in (await mine.open()).text


@pytest.mark.parametrize("body", [b"token=%", b"\xff\xfe", b"a[b]=1&a=2", b""])
async def test_what_is_no_form_is_refused(mine: Tab, merchant: Merchant, body: bytes) -> None:
    for path in ("do/advance", "do/reset", "do/order-fault", "account"):
        async with mine._http.post(f"{merchant.url}/_sandbox/{path}", data=body) as answer:
            assert answer.status in (403, 422), path


async def test_what_the_page_said_cannot_be_put_in_its_mouth(mine: Tab) -> None:
    await mine.open("/_sandbox?said=<b>hello</b>")
    assert "hello" not in mine.text


# --- and it lasts --------------------------------------------------------------------------------


async def test_it_is_still_open_after_a_restart_and_no_key_is_stored(
    start: Start, store: Path
) -> None:
    process = start(store)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        merchant = Merchant(process.url, http)
        session = await merchant.order()
        await Tab(process.url, http).enter(merchant.key)
        process.kill()
        again = start(store, process.port)

        async def shown() -> bool:
            try:
                return session.id in (await Tab(again.url, http).open()).text
            except aiohttp.ClientError:
                return False  # a connection from before

        await until(shown)
        again.stop()
    text = b"".join(path.read_bytes() for path in store.parent.iterdir())
    assert merchant.key.encode() not in text
