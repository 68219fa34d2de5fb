"""What is not the PSP's is refused, whatever it looks like, and what is the PSP's never (F40)."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from structlog.testing import capture_logs

from payloom.core import ids
from payloom.core.secret import Secret
from payloom.merchants.connections import add_secret, replace_secret
from tests.notices import forging
from tests.notices import given as givens
from tests.notices.forging import Call
from tests.notices.given import Given, event, raw
from tests.scenarios.rows import counted
from tests.scenarios.stage import serving

FORGED, GENUINE, SEED = 10_000, 1_000, 8_400
AT_ONCE = 16
OTHER = "whsec_" + "1" * 32

Post = Callable[[Call], Awaitable[int]]


async def answers(post: Post, calls: list[Call]) -> Counter[int]:
    """How often each status was answered."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(call: Call) -> int:
        async with gate:
            return await post(call)

    return Counter(await asyncio.gather(*map(one, calls)))


@pytest.mark.parametrize("way", forging.WAYS, ids=lambda way: way.__name__.strip("_"))
def test_each_way_spoils_the_call(way: Callable[[random.Random, bytes, int], Call]) -> None:
    """The forger forges: else nothing would be shown by refusing it."""
    rnd, now = random.Random(SEED), int(time.time())
    for _ in range(200):
        body = forging.a_body(rnd)
        call = way(rnd, body, now)
        assert call.to_stranger or (call.body, call.header) != (body, forging.signed(body, now))


async def test_ten_thousand_forged_calls_are_refused_and_leave_nothing(given: Given) -> None:
    """Among them a thousand genuine ones: each is taken, byte for byte."""
    stranger = await givens.given(given.rt)
    await replace_secret(
        given.rt, stranger.merchant_id, stranger.connection_id,
        field="webhook_secret", secret=Secret("whsec_" + "9" * 32),
    )  # fmt: skip
    await add_secret(given.rt, given.merchant_id, given.connection_id, Secret(OTHER))
    rnd = random.Random(SEED)
    forged = [forging.forged(rnd, int(time.time())) for _ in range(FORGED)]
    with capture_logs() as lines:
        async with serving(given.rt) as url, aiohttp.ClientSession() as http:

            async def post(call: Call) -> int:
                to = stranger if call.to_stranger else given
                path = f"/psp/stripe/{ids.text('con', to.connection_id)}/notices"
                headers = {} if call.header is None else {"Stripe-Signature": call.header}
                async with http.post(url + path, data=call.body, headers=headers) as answer:
                    await answer.read()
                    return answer.status

            before = await counted(given.rt)
            assert await answers(post, forged) == {400: FORGED}
            assert await counted(given.rt) == before
            genuine = [forging.genuine(rnd, int(time.time()), OTHER) for _ in range(GENUINE)]
            assert await answers(post, genuine) == {200: GENUINE}
    kept = [row["body"] for row in await given.notices()]
    assert sorted(kept) == sorted(call.body for call in genuine)
    told = Counter(line["event"] for line in lines)
    assert (told["notice.forged"], told["notice.received"]) == (FORGED, GENUINE)


DEEP = 40_000
DEEP_BODIES = {
    "arrays": b"[" * DEEP + b"]" * DEEP,
    "objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "inside an event": raw(event("x", {})).replace(b"{}", b"[" * DEEP + b"]" * DEEP),
    "never closed": b'[{"a":' * DEEP,
}


async def test_a_genuine_body_of_any_depth_is_kept_and_stops_nothing(given: Given) -> None:
    """What cannot be read is for a person (F42); the next one is applied all the same."""
    (payment,) = await given.opened()
    last = raw(event("checkout.session.completed", givens.session(payment)))
    async with serving(given.rt) as url, aiohttp.ClientSession() as http:
        path = f"{url}/psp/stripe/{ids.text('con', given.connection_id)}/notices"
        for body in [*DEEP_BODIES.values(), last]:
            headers = {"Stripe-Signature": forging.signed(body, int(time.time()))}
            async with http.post(path, data=body, headers=headers) as answer:
                assert answer.status == 200
    await given.all_applied()
    kept = await given.notices()
    assert [row["state"] for row in kept] == ["quarantined"] * len(DEEP_BODIES) + ["applied"]
    assert [row["body"] for row in kept] == [*DEEP_BODIES.values(), last]
