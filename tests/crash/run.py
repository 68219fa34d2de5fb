"""A whole run: chain after chain until enough lives are taken; a point never hit fails it."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from payloom.audit.run import Finding
from tests.crash.aims import Aims
from tests.crash.chain import play
from tests.crash.ground import open_world

KILLS_OF_A_CHAIN = 50
CHAINS_MORE = 6  # at most, if there are points still where nobody died


@dataclass(frozen=True, slots=True)
class Told:
    """How a run ended."""

    aims: Aims
    findings: Sequence[Finding]
    seconds: float


def _chains(aims: Aims, kills: int) -> Iterator[int]:
    """How many lives each chain is to take."""
    while aims.killed < kills:
        yield min(KILLS_OF_A_CHAIN, kills - aims.killed)
    aims.is_late = True
    for _ in range(CHAINS_MORE if kills >= KILLS_OF_A_CHAIN else 0):
        if aims.never_hit():
            yield len(aims.never_hit())


def run(kills: int, seed: int, points: Sequence[str], moved: Callable[[int], None]) -> Told:
    """Take so many lives; `moved` is told how many are taken."""
    aims = Aims(random.Random(seed), points)
    began = time.monotonic()
    findings: list[Finding] = []
    with open_world() as world:
        for number, chain in enumerate(_chains(aims, kills)):
            playing = play(
                world,
                aims,
                chain,
                lambda: moved(aims.killed),
                is_swept=aims.is_late or number % 2 == 0,
            )
            findings += asyncio.run(playing)
            if findings:
                break
    findings += [
        Finding("sometimes", "", place, "nobody was killed there: nothing was shown")
        for place in aims.never_hit()
    ]
    return Told(aims, findings, time.monotonic() - began)
