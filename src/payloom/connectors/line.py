"""Calls that wait for their turn: shoppers first, then the others, each in the order they came."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from payloom.connectors.call import Call
from payloom.connectors.urgency import Urgency

WAITING_MAX = 100  # shoppers' calls, and as many others
OTHERS_EVERY = 10  # each so manieth place is the others', so that they come late but not never


@dataclass(slots=True, eq=False)
class Waiting:
    """One that waits. `turn` is set when it comes."""

    verb: str
    urgency: Urgency
    turn: "asyncio.Future[Call]" = field(default_factory=asyncio.Future)

    def has_come(self) -> bool:
        """It may go, even if it was told to stop at the same moment."""
        turn = self.turn
        return turn.done() and not turn.cancelled() and turn.exception() is None


class Line:
    def __init__(self) -> None:
        self._shoppers: deque[Waiting] = deque()
        self._others: deque[Waiting] = deque()
        self._let_in = 0

    def __bool__(self) -> bool:
        return bool(self._shoppers or self._others)

    def __iter__(self) -> Iterator[Waiting]:
        """In the order in which they go."""
        parts = [self._shoppers, self._others]
        if self._let_in % OTHERS_EVERY == OTHERS_EVERY - 1:
            parts.reverse()
        return (waiting for part in parts for waiting in part if not waiting.turn.done())

    def join(self, waiting: Waiting) -> bool:
        """False: the line is too long."""
        part = self._part(waiting)
        if len(part) >= WAITING_MAX:
            return False
        part.append(waiting)
        return True

    def let_in(self, waiting: Waiting, call: Call) -> None:
        self.drop(waiting)
        self._let_in += 1
        waiting.turn.set_result(call)

    def drop(self, waiting: Waiting) -> None:
        """It waits no more, if it still did."""
        part = self._part(waiting)
        if waiting in part:
            part.remove(waiting)

    def empty(self) -> list[Waiting]:
        """All that waited; nobody does any more."""
        waiting = list(self)
        self._shoppers.clear()
        self._others.clear()
        return waiting

    def _part(self, waiting: Waiting) -> deque[Waiting]:
        return self._shoppers if waiting.urgency is Urgency.SHOPPER else self._others
