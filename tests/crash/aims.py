"""What each life of a process is to die of: a named point, or the n-th thing that happens."""

import ast
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import payloom

API, WORKER = "api", "worker"
PROCESSES = (API, WORKER)

# Every point, and the process that is sent to die there.
POINTS: dict[str, str] = {
    "key.taken": API,
    "key.kept": API,
    "key.released": API,
    "register.placed": API,
    "register.answered": API,
    "register.opened": API,
    "register.recorded": API,
    "notice.stored": API,
    "return.applied": API,
    "return.asking": API,
    "return.answered": API,
    "return.recorded": API,
    "notice.applied": WORKER,
    "notice.applied_alone": WORKER,
    "notice.put_back": WORKER,
    "job.claimed": WORKER,
    "job.ended": WORKER,
    "look_up.asking": WORKER,
    "look_up.answered": WORKER,
    "look_up.recorded": WORKER,
    "delivery.claimed": WORKER,
    "delivery.sent": WORKER,
    "delivery.recorded": WORKER,
}
PASSINGS = (1, 1, 1, 2, 3)  # at which passing of its point a life ends: mostly at the first
AT_RANDOM = 0.25  # so many lives of one end at no point, but in the midst of something
THINGS_MAX = 60  # that may happen before


@dataclass(frozen=True, slots=True)
class Aim:
    """The `count`-th passing of `point`; without one, the `count`-th thing that happens."""

    point: str | None
    count: int

    def __str__(self) -> str:
        return f"{self.point or 'anything'}:{self.count}"


@dataclass
class Aims:
    """Hands out aims, all of a process in turn and then again, and counts what came of them.

    Only some points: nobody dies anywhere else, and a process that passes none of them lives on.
    """

    rng: random.Random
    points: Sequence[str] = ()
    tried: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)
    _turns: dict[str, Iterator[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._turns = {process: self._in_turn(process) for process in PROCESSES}

    @property
    def killed(self) -> int:
        return self.hit.total()

    @property
    def places(self) -> list[str]:
        """Where a run has to kill, to have shown anything."""
        return list(self.points) or [*POINTS, *map(random_moment, PROCESSES)]

    def next(self, process: str) -> Aim | None:
        """What the next life of this process is to die of; None: it shall live."""
        if not self.points and self.rng.random() < AT_RANDOM:
            self.tried[random_moment(process)] += 1
            return Aim(None, self.rng.randint(1, THINGS_MAX))
        point = next(self._turns[process], None)
        if point is None:
            return None
        self.tried[point] += 1
        return Aim(point, self.rng.choice(PASSINGS))

    def never_hit(self) -> list[str]:
        return [place for place in self.places if not self.hit[place]]

    def _in_turn(self, process: str) -> Iterator[str]:
        mine = [point for point in self.points or POINTS if POINTS[point] == process]
        while mine:
            self.rng.shuffle(mine)
            yield from mine


def random_moment(process: str) -> str:
    """Under which name a death at no point is counted."""
    return f"{process} at a random moment"


def points_in_source() -> list[str]:
    """The name of every `point("…")` there is."""
    source = Path(payloom.__file__).parent
    return [
        str(ast.literal_eval(node.args[0]))  # raises where a name is no literal
        for path in sorted(source.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "point"
    ]
