"""What hardly changes is read once at a time, for a while, and never kept when reading failed."""

import asyncio
from dataclasses import dataclass, field

import pytest

from payloom.core.cache import Cache


@dataclass(slots=True)
class Source:
    """Counts how often it is read; reads wait while `gate` is closed."""

    reads: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    is_broken: bool = False

    async def load(self) -> int:
        self.reads += 1
        read = self.reads
        await self.gate.wait()
        if self.is_broken:
            raise ConnectionError(f"read {read}")
        return read


@pytest.fixture
def source() -> Source:
    source = Source()
    source.gate.set()
    return source


async def test_a_value_is_read_once(source: Source) -> None:
    cache = Cache(ttl_s=60)
    assert [await cache.get("key", source.load) for _ in range(3)] == [1, 1, 1]
    assert await cache.get("other", source.load) == 2


async def test_many_who_come_at_once_share_one_read(source: Source) -> None:
    cache = Cache(ttl_s=60)
    source.gate.clear()
    waiting = [asyncio.create_task(cache.get("key", source.load)) for _ in range(100)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await asyncio.gather(*waiting) == [1] * 100


async def test_a_value_that_is_too_old_is_read_again(source: Source) -> None:
    cache = Cache(ttl_s=0.05)
    assert await cache.get("key", source.load) == 1
    await asyncio.sleep(0.06)
    assert await cache.get("key", source.load) == 2


async def test_what_is_missing_is_remembered_too() -> None:
    found: list[int | None] = [None, 2]

    async def load() -> int | None:
        return found.pop(0)

    cache = Cache(ttl_s=60)
    assert [await cache.get("key", load) for _ in range(2)] == [None, None]


async def test_a_failed_read_is_told_to_all_who_wait_and_not_kept(source: Source) -> None:
    cache = Cache(ttl_s=60)
    source.is_broken = True
    waiting = (cache.get("key", source.load) for _ in range(3))
    failed = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(each) for each in failed] == ["read 1"] * 3
    source.is_broken = False
    assert await cache.get("key", source.load) == 2


async def test_who_gives_up_does_not_end_the_read_of_the_others(source: Source) -> None:
    cache = Cache(ttl_s=60)
    source.gate.clear()
    first, second = (asyncio.create_task(cache.get("key", source.load)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    source.gate.set()
    assert (await second, source.reads, first.cancelled()) == (1, 1, True)


async def test_what_was_forgotten_while_it_was_read_is_read_anew(source: Source) -> None:
    """Who changes a row forgets it: an older value that is still on its way must not stay."""
    cache = Cache(ttl_s=60)
    source.gate.clear()
    before = asyncio.create_task(cache.get("key", source.load))
    await asyncio.sleep(0)
    cache.forget("key")
    after = asyncio.create_task(cache.get("key", source.load))
    await asyncio.sleep(0)
    source.gate.set()
    assert (await before, await after) == (1, 2)
    assert await cache.get("key", source.load) == 2
    cache.forget("never kept")


async def test_its_size_is_bounded(source: Source) -> None:
    cache = Cache(ttl_s=60, size_max=10)
    for key in range(1_000):
        await cache.get(key, source.load)
        assert len(cache._kept) <= 10
    assert await cache.get(999, source.load) == 1_000
