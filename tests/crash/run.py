"""A whole run: chain after chain until enough lives are taken; a point never hit fails it."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from payloom.audit.run import Finding
from tests.crash.aims import Aims
from tests.crash.chain import play
from tests.crash.ground import open_world

KILLS_OF_A_CHAIN = 50


@dataclass(frozen=True, slots=True)
class Told:
    """How a run ended."""

    aims: Aims
    findings: Sequence[Finding]
    seconds: float


def run(kills: int, seed: int, points: Sequence[str], moved: Callable[[int], None]) -> Told:
    """Take so many lives; `moved` is told how many are taken."""
    aims = Aims(random.Random(seed), points)
    began = time.monotonic()
    findings: list[Finding] = []
    with open_world() as world:
        while aims.killed < kills and not findings:
            chain = min(KILLS_OF_A_CHAIN, kills - aims.killed)
            findings += asyncio.run(play(world, aims, chain, lambda: moved(aims.killed)))
    findings += [
        Finding("sometimes", "", place, "nobody was killed there: nothing was shown")
        for place in aims.never_hit()
    ]
    return Told(aims, findings, time.monotonic() - began)
