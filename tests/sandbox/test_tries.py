"""What became of each try to deliver a webhook."""

import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp

from tests.sandbox.merchant import Merchant
from tests.sandbox.process import Start
from tests.sandbox.receiver import Receiver
from tests.sandbox.until import until

COMPLETED = "checkout.session.completed"


async def tried(merchant: Merchant, count: int) -> list[dict[str, object]]:
    """The tries, once there are so many: an answer is written down just after it came."""

    async def there() -> bool:
        return len(await merchant.deliveries()) >= count

    await until(there)
    return await merchant.deliveries()


async def test_each_try_is_kept_with_its_answer_and_time(
    merchant: Merchant, receiver: Receiver
) -> None:
    endpoint = await merchant.listen(receiver.url, [COMPLETED])
    receiver.status = 503
    session = await merchant.order()
    await merchant.confirm(session.id, "pm_card_visa")
    await tried(merchant, 1)
    receiver.status = 204
    await merchant.advance(10)
    first, second = await tried(merchant, 2)
    assert (first["attempt"], first["status"], first["error"]) == (1, 503, None)
    assert (second["attempt"], second["status"], second["effect"]) == (2, 204, None)
    event = receiver.got[0].event["id"]
    for each in (first, second):
        assert (each["event"], each["type"]) == (event, COMPLETED)
        assert (each["endpoint"], each["url"]) == (endpoint.id, receiver.url)
    assert str(second["at"]) > str(first["at"])


async def test_an_endpoint_that_is_not_there_is_told_as_an_error(merchant: Merchant) -> None:
    await merchant.listen("http://127.0.0.1:9/hook", [COMPLETED])
    await merchant.confirm((await merchant.order()).id, "pm_card_visa")
    (only,) = await tried(merchant, 1)
    assert only["status"] is None
    assert "127.0.0.1:9" in str(only["error"])


async def test_a_lost_webhook_and_a_duplicate_are_told(
    merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.listen(receiver.url, [COMPLETED])
    await merchant.fault("/hook", "hook_lose")
    await merchant.confirm((await merchant.order()).id, "pm_card_visa")
    await tried(merchant, 1)
    await merchant.fault("/hook", "hook_duplicate")
    await merchant.confirm((await merchant.order()).id, "pm_card_visa")
    lost, *both = await tried(merchant, 3)
    assert (lost["status"], lost["error"], lost["effect"]) == (None, "not sent", "hook_lose")
    assert [(each["status"], each["effect"]) for each in both] == [(200, "hook_duplicate")] * 2


async def test_a_reset_forgets_them_also_what_was_under_way(
    merchant: Merchant, receiver: Receiver
) -> None:
    other = Merchant(merchant.url, merchant.http)
    await merchant.listen(receiver.url, [COMPLETED])
    receiver.delay_s = 0.3
    await merchant.confirm((await merchant.order()).id, "pm_card_visa")
    await receiver.until(1)
    await merchant.post("/_sandbox/reset")
    await other.listen(receiver.url, [COMPLETED])
    session = await other.order()  # its timer may get the number of the one that is gone
    await other.confirm((await other.order()).id, "pm_card_visa")
    await tried(other, 1)
    assert await merchant.deliveries() == []
    await other.advance(2 * 86_400)
    assert (await other.sessions.retrieve_async(session.id)).status == "expired"


async def test_their_number_is_bounded(
    start: Start, store: Path, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    process = start(store)
    merchant = Merchant(process.url, http)
    await merchant.listen(receiver.url, [COMPLETED])
    process.stop()
    row = "0.0, 'evt_1', 'a.b', 'we_1', 'http://x', 1, 200, NULL, NULL, 1.0"
    with closing(sqlite3.connect(store)) as db, db:
        db.execute(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20499)"
            f" INSERT INTO tries SELECT 1, n, {row} FROM n"
        )
    merchant = Merchant(start(store).url, http, merchant.key)
    await merchant.confirm((await merchant.order()).id, "pm_card_visa")

    async def trimmed() -> bool:
        return len(await merchant.deliveries()) == 20_000

    await until(trimmed)
