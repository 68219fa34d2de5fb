"""Who waits for a call to a PSP. When there is no room for all, shoppers go first.

Whoever says nothing is waited for by a shopper; the worker says otherwise of all it does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum


class Urgency(Enum):
    SHOPPER = "shopper"  # somebody sits in front of a screen
    ROUTINE = "routine"  # nobody waits
    REPEAT = "repeat"  # nobody waits, and it may have been asked before: see budget.py


_urgency: ContextVar[Urgency] = ContextVar("urgency", default=Urgency.SHOPPER)


def present() -> Urgency:
    """How urgent the calls of this task are."""
    return _urgency.get()


@contextmanager
def calling_as(urgency: Urgency) -> Iterator[None]:
    """Calls made inside, also by tasks that are started there, are this urgent."""
    mark = _urgency.set(urgency)
    try:
        yield
    finally:
        _urgency.reset(mark)
