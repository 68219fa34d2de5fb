"""What each life of a process is to die of: a named point, or the n-th thing that happens."""

import ast
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import payloom

API, WORKER = "api", "worker"
PROCESSES = (API, WORKER)

# Every point, and the processes that are sent to die there.
POINTS: dict[str, tuple[str, ...]] = {
    "key.taken": (API,),
    "key.kept": (API,),
    "key.released": (API,),
    "register.placed": (API,),
    "register.asking": (API, WORKER),
    "register.answered": (API, WORKER),
    "register.opened": (API,),
    "register.recorded": (API,),
    "cancel.wished": (API,),
    "expire.asking": (API,),
    "expire.answered": (API,),
    "attempt.placed": (API,),
    "turn.taken": (API,),
    "notice.stored": (API,),
    "return.applied": (API,),
    "return.recorded": (API,),
    "look_up.asking": (API, WORKER),
    "look_up.answered": (API, WORKER),
    "look_up.recorded": (API, WORKER),
    "find.asking": (WORKER,),
    "find.answered": (WORKER,),
    "notice.applied": (WORKER,),
    "notice.applied_alone": (WORKER,),
    "notice.put_back": (WORKER,),
    "refund.placed": (WORKER,),
    "refund.asking": (WORKER,),
    "refund.answered": (WORKER,),
    "look_up_refund.asking": (WORKER,),
    "look_up_refund.answered": (WORKER,),
    "refund.recorded": (WORKER,),
    "sweep.asking": (WORKER,),
    "sweep.answered": (WORKER,),
    "sweep.stored": (WORKER,),
    "sweep.noted": (WORKER,),
    "job.claimed": (WORKER,),
    "job.ended": (WORKER,),
    "delivery.claimed": (WORKER,),
    "delivery.sent": (WORKER,),
    "delivery.recorded": (WORKER,),
}
# Those that no story leads to, and why.
UNREACHED = {
    "complete.asking": "the sandbox has no PSP that waits for us to take approved money",
    "complete.answered": "the same",
}
PASSINGS = (1, 1, 1, 2, 3)  # at which of its point a life ends, once one has ended at the first
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
    """Hands out aims, those least tried first, and counts what came of them.

    Only some `points`: nobody dies anywhere else, and a process that passes none of them lives on.
    """

    rng: random.Random
    points: Sequence[str] = ()
    barred: str = "-"  # how points begin that cannot be come to just now
    is_late: bool = False  # only those count that nobody died at yet
    tried: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)

    @property
    def killed(self) -> int:
        return self.hit.total()

    @property
    def places(self) -> list[str]:
        """Where a run has to kill, to have shown anything."""
        return list(self.points) or [*POINTS, *map(random_moment, PROCESSES)]

    def next(self, process: str) -> Aim | None:
        """What the next life of this process is to die of; None: it shall live."""
        mine = [point for point in self.points or POINTS if process in POINTS[point]]
        mine = [point for point in mine if not point.startswith(self.barred)]
        is_random = not self.points and self.rng.random() < AT_RANDOM
        if self.is_late:
            mine = [point for point in mine if not self.hit[point]]
            is_random = not self.points and not self.hit[random_moment(process)]
        if is_random:
            self.tried[random_moment(process)] += 1
            return Aim(None, self.rng.randint(1, THINGS_MAX))
        if not mine:
            return None
        point = min(mine, key=lambda each: (self.tried[each], self.rng.random()))
        self.tried[point] += 1
        return Aim(point, self.rng.choice(PASSINGS) if self.hit[point] else 1)

    def never_hit(self) -> list[str]:
        return [place for place in self.places if not self.hit[place]]


def random_moment(process: str) -> str:
    """Under which name a death at no point is counted."""
    return f"{process} at a random moment"


def points_in_source() -> list[str]:
    """Every `point("…")` there is, and the two around each `calls.ask("verb", …)`."""
    found: list[str] = []
    for path in sorted(Path(payloom.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(ast.Name("point"), [ast.Constant(str(name))]):
                    found.append(name)
                case ast.Call(ast.Attribute(_, "ask"), [ast.Constant(str(verb)), _]):
                    found += [f"{verb}.asking", f"{verb}.answered"]
    return found
