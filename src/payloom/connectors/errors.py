"""The ways in which a call to a PSP comes to nothing. Neither says anything about money."""

from typing import ClassVar


class NoAnswer(Exception):
    """The PSP did not answer, or not in time: whether it acted is unknown (F13, F19)."""

    executed: ClassVar[bool | None] = None


class NotSent(NoAnswer):
    """We did not ask: the PSP surely did not act, and the same may be asked later."""

    executed = False
