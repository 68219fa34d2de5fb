"""Each refusal reaches the SDK's user as the SDK's own exception for it, with what it carries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import pytest
import stripe

from tests.sandbox import sdk as kinds
from tests.sandbox.merchant import Json, Merchant, order
from tests.sandbox.sdk import Sdk
from tests.sandbox.until import until

SESSIONS = "/v1/checkout/sessions"
CREATE = "checkout.sessions.create"
PAY: Json = {
    "amount": 1999,
    "currency": "eur",
    "confirm": True,
    "payment_method": "pm_card_chargeDeclinedInsufficientFunds",
    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
}


@dataclass(frozen=True)
class Row:
    """What is called, which fault was ordered before, and what is raised then."""

    raises: type[stripe.StripeError]
    status: int | None
    call: str = CREATE
    params: Any = None
    fault: Json | None = None
    code: str | None = None  # of the exception, for the classes that have one
    error_code: str | None = None  # of the answer
    param: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


ROWS = {
    "400 unknown parameter": Row(
        stripe.InvalidRequestError, 400,
        params={**order(), "payment_method_types": ["card"]},
        code="parameter_unknown", param="payment_method_types",
    ),
    "400 missing parameter": Row(
        stripe.InvalidRequestError, 400, params={"success_url": "http://127.0.0.1/"},
        code="parameter_missing", param="mode",
    ),
    "402 declined": Row(
        stripe.CardError, 402, "payment_intents.create", PAY, code="card_declined",
    ),
    "403 no permission": Row(
        stripe.PermissionError, 403, fault={"effect": "status", "status": 403},
    ),
    "404 unknown id": Row(
        stripe.InvalidRequestError, 404, "checkout.sessions.retrieve", "cs_test_none",
        code="resource_missing", param="session",
    ),
    "409 conflict": Row(
        stripe.APIError, 409, fault={"effect": "status", "status": 409},
        error_code="lock_timeout", headers=(("Stripe-Should-Retry", "true"),),
    ),
    "424 upstream": Row(stripe.APIError, 424, fault={"effect": "status", "status": 424}),
    "429 rate": Row(
        stripe.RateLimitError, 429, fault={"effect": "status", "status": 429},
        error_code="rate_limit", headers=(("Stripe-Rate-Limited-Reason", "global-rate"),),
    ),
    "429 lock": Row(
        stripe.RateLimitError, 429, fault={"effect": "lock_timeout"}, error_code="lock_timeout",
        headers=(("Stripe-Should-Retry", "true"),),
    ),
    "500": Row(stripe.APIError, 500, fault={"effect": "status", "status": 500}),
    "503": Row(stripe.APIError, 503, fault={"effect": "status", "status": 503}),
    "no answer": Row(stripe.APIConnectionError, None, fault={"effect": "drop"}),
    "a proxy's page": Row(stripe.APIError, 502, fault={"effect": "proxy_page"}),
}  # fmt: skip


@pytest.fixture(params=kinds.KINDS)
async def sdk(merchant: Merchant, request: pytest.FixtureRequest) -> AsyncIterator[Sdk]:
    async with kinds.opened(merchant, request.param) as sdk:
        yield sdk


@pytest.mark.parametrize("name", ROWS)
async def test_it_raises_the_class_of_its_status(merchant: Merchant, sdk: Sdk, name: str) -> None:
    row = ROWS[name]
    if row.fault:
        await merchant.fault(SESSIONS, **row.fault)
    with pytest.raises(row.raises) as raised:
        await sdk(row.call, row.params or order())
    assert type(raised.value) is row.raises
    error: Any = raised.value
    assert error.http_status == row.status
    assert getattr(error, "code", None) == row.code
    assert getattr(error, "param", None) == row.param
    if row.status is None or name == "a proxy's page":
        assert error.request_id is None
        return
    assert error.request_id.startswith("req_")
    assert error.error.code == (row.error_code or row.code)
    assert error.user_message
    headers = {key.lower(): value for key, value in error.headers.items()}
    for key, value in row.headers:
        assert headers[key.lower()] == value


async def test_half_an_answer_is_no_answer(merchant: Merchant) -> None:
    """With `requests`; the SDK's aiohttp client lets aiohttp's own exception through."""
    await merchant.fault(SESSIONS, "truncate", count=2)
    async with kinds.opened(merchant, "sync") as sdk:
        with pytest.raises(stripe.APIConnectionError):
            await sdk(CREATE, order())
    async with kinds.opened(merchant, "async") as sdk:
        with pytest.raises(aiohttp.ClientPayloadError):
            await sdk(CREATE, order())
    assert len((await merchant.sessions.list_async()).data) == 2


async def test_a_decline_says_why(sdk: Sdk) -> None:
    with pytest.raises(stripe.CardError) as raised:
        await sdk("payment_intents.create", PAY)
    error: Any = raised.value.error
    assert (error.type, error.code, error.decline_code) == (
        "card_error",
        "card_declined",
        "insufficient_funds",
    )
    assert error.payment_intent.status == "requires_payment_method"
    assert error.payment_method.type == "card"
    assert error.charge.startswith("ch_")
    assert error.doc_url.endswith("card-declined")


@pytest.mark.parametrize("kind", kinds.KINDS)
@pytest.mark.parametrize("key", ["sk_test_short", "pk_test_123456789012"])
async def test_401_a_bad_key(merchant: Merchant, kind: str, key: str) -> None:
    async with kinds.opened(merchant, kind, key=key) as sdk:
        with pytest.raises(stripe.AuthenticationError) as raised:
            await sdk(CREATE, order())
        assert raised.value.http_status == 401
        assert raised.value.code is None
        assert str(raised.value.request_id).startswith("req_")


async def test_400_the_key_of_another_request(sdk: Sdk) -> None:
    await sdk(CREATE, order(1000), {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError) as raised:
        await sdk(CREATE, order(1001), {"idempotency_key": "k1"})
    error: Any = raised.value
    assert (error.http_status, error.code, error.error.type) == (400, None, "idempotency_error")
    assert error.request_id.startswith("req_")


async def test_409_the_key_of_a_request_that_still_runs(merchant: Merchant, sdk: Sdk) -> None:
    await merchant.fault(SESSIONS, "late", delay_s=1.0)
    first = asyncio.create_task(sdk(CREATE, order(), {"idempotency_key": "k1"}))
    await until(partial(is_spent, merchant))
    with pytest.raises(stripe.APIError) as raised:
        await sdk(CREATE, order(), {"idempotency_key": "k1"})
    assert type(raised.value) is stripe.APIError
    error: Any = raised.value
    assert (error.http_status, error.code) == (409, None)
    assert error.error.code == "idempotency_key_in_use"
    assert (await first).status == "open"


async def is_spent(merchant: Merchant) -> bool:
    """Whether somebody took the fault; whoever did has its key by then."""
    async with merchant.http.get(f"{merchant.url}/_sandbox/faults", headers=merchant.auth) as got:
        return not await got.json()


@pytest.mark.parametrize("kind", kinds.KINDS)
@pytest.mark.parametrize(
    ("fault", "calls"),
    [
        ({"effect": "status", "status": 500}, 2),
        ({"effect": "status", "status": 503}, 2),
        ({"effect": "status", "status": 409}, 2),
        ({"effect": "lock_timeout"}, 2),
        ({"effect": "status", "status": 429}, 1),
        ({"effect": "status", "status": 400}, 1),
        ({"effect": "drop"}, 2),
        ({"effect": "apply_then_drop"}, 2),
    ],
    ids=str,
)
async def test_what_it_repeats_by_itself_is_what_stripe_wants_repeated(
    merchant: Merchant, kind: str, fault: Json, calls: int
) -> None:
    await merchant.fault(SESSIONS, **fault)
    async with kinds.opened(merchant, kind, max_network_retries=1) as sdk:
        with suppress(stripe.StripeError):  # of those that are repeated too: a 500 is kept
            await sdk(CREATE, order())
    log = [entry for entry in await merchant.log() if entry["method"] == "POST"]
    assert len(log) == calls
    assert len({entry["idempotency_key"] for entry in log}) == 1
    assert len((await merchant.sessions.list_async()).data) <= 1
