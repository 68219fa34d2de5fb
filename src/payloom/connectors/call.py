"""One call to a PSP, as its gate sees it."""

from dataclasses import dataclass
from enum import Enum

from payloom.connectors.urgency import Urgency


class Verdict(Enum):
    ANSWERED = "answered"
    LIMITED = "limited"  # answered, and asked to slow down
    BROKEN = "broken"  # no answer, or the PSP's own failure


@dataclass(slots=True)
class Call:
    """A call on its way. `verdict` None at its end: nobody waited for the answer."""

    verb: str
    urgency: Urgency
    began: float
    is_probe: bool
    verdict: Verdict | None = None

    def answered(self, status: int) -> None:
        """By HTTP's rules; 401 says of every call that it is in vain, 403 of some only (F25)."""
        if status == 429:
            self.verdict = Verdict.LIMITED
        elif status >= 500 or status == 401:
            self.verdict = Verdict.BROKEN
        else:
            self.verdict = Verdict.ANSWERED
