"""An API key is rolled: the new one finds what the old one made, and the old one ends."""

import secrets
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import stripe

from tests.sandbox.merchant import Merchant, form
from tests.sandbox.process import Start


async def rolled(merchant: Merchant) -> Merchant:
    """The same account with one more key."""
    async with merchant.http.post(f"{merchant.url}/_sandbox/keys", headers=merchant.auth) as answer:
        assert answer.status == 201
        return Merchant(merchant.url, merchant.http, (await answer.json())["key"])


async def end(merchant: Merchant) -> None:
    async with merchant.http.delete(
        f"{merchant.url}/_sandbox/keys", headers=merchant.auth
    ) as answer:
        assert answer.status == 200


async def test_both_keys_are_one_account(merchant: Merchant) -> None:
    session = await merchant.order()
    fresh = await rolled(merchant)
    assert fresh.key != merchant.key
    assert (await fresh.sessions.retrieve_async(session.id)).id == session.id
    _, made, _ = await merchant.post("/v1/checkout/sessions", form(), Idempotency_Key="k1")
    _, again, headers = await fresh.post("/v1/checkout/sessions", form(), Idempotency_Key="k1")
    assert (again["id"], headers["Idempotent-Replayed"]) == (made["id"], "true")


async def test_an_ended_key_is_refused_as_expired_and_the_other_goes_on(
    merchant: Merchant,
) -> None:
    session = await merchant.order()
    fresh = await rolled(merchant)
    await end(merchant)
    with pytest.raises(stripe.AuthenticationError) as refused:
        await merchant.sessions.retrieve_async(session.id)
    assert "Expired API Key" in str(refused.value)
    assert (await merchant.get("/v1/checkout/sessions"))[1]["error"]["code"] == "api_key_expired"
    assert merchant.key not in str(refused.value)
    async with merchant.http.get(f"{merchant.url}/_sandbox/log", headers=merchant.auth) as answer:
        assert answer.status == 401
    assert (await fresh.sessions.retrieve_async(session.id)).id == session.id


async def test_a_key_that_was_given_besides_can_end_too(merchant: Merchant) -> None:
    fresh = await rolled(merchant)
    await end(fresh)
    status, _ = await fresh.get("/v1/checkout/sessions")
    assert status == 401
    await merchant.order()


async def test_what_was_rolled_is_remembered(
    start: Start, store: Path, http: aiohttp.ClientSession
) -> None:
    process = start(store)
    merchant = Merchant(process.url, http)
    session = await merchant.order()
    fresh = await rolled(merchant)
    await end(merchant)
    process.kill()
    process = start(store)
    fresh, merchant = (Merchant(process.url, http, each.key) for each in (fresh, merchant))
    assert (await fresh.sessions.retrieve_async(session.id)).id == session.id
    assert (await merchant.get("/v1/checkout/sessions"))[0] == 401


async def test_a_publishable_key_is_refused_in_stripe_s_words(merchant: Merchant) -> None:
    for mode in ("test", "live"):
        shop = Merchant(merchant.url, merchant.http, f"pk_{mode}_123456789012")
        with pytest.raises(stripe.AuthenticationError, match="publishable API key") as refused:
            await shop.order()
        error: Any = refused.value.error
        assert (refused.value.http_status, error.code) == (401, "secret_key_required")


async def test_a_restricted_key_is_an_account_that_may_do_everything(merchant: Merchant) -> None:
    name = secrets.token_hex(12)
    mine = Merchant(merchant.url, merchant.http, f"rk_test_{name}")
    session = await mine.order()
    assert session.livemode is False
    assert (await Merchant(merchant.url, merchant.http, f"rk_live_{name}").order()).livemode is True
    assert (
        await Merchant(merchant.url, merchant.http, f"sk_test_{name}").get(
            f"/v1/checkout/sessions/{session.id}"
        )
    )[0] == 404


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("sk_test_abcdefgh!ijklmnop", "sk_test_*************mnop"),
        ("rk_live_abcdefgh!ijklmnop", "rk_live_*************mnop"),
        ("whsec_abcdefghijklmnop", "******************mnop"),
        ("short", "*****"),
    ],
)
async def test_a_key_that_is_none_is_shown_masked(merchant: Merchant, key: str, shown: str) -> None:
    status, body = await Merchant(merchant.url, merchant.http, key).get("/v1/events")
    message = f"Invalid API Key provided: {shown}"
    assert (status, body["error"]["message"]) == (401, message)
    assert "code" not in body["error"]
