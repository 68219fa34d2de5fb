"""An API key is rolled: the new one finds what the old one made, and the old one ends."""

from pathlib import Path

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
