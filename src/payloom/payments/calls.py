"""What PSPs were asked about a payment and what came of it: kept for whoever asks why.

The first call of a payment that is answered as it should be leaves its times in the attempt, and
no row of its own: that is every payment.
"""

import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from payloom.core.clock import Clock
from payloom.core.db import Tx
from payloom.core.masking import mask
from payloom.core.points import point
from payloom.payments.model import Attempt

DETAIL_MAX = 500  # characters
_Outcome = TypeVar("_Outcome")


@dataclass(frozen=True, slots=True)
class Call:
    """One question to a PSP."""

    at: datetime
    verb: str
    duration_ms: int
    outcome: str
    detail: str | None


@dataclass(slots=True)
class Calls:
    """The calls of one flow, in their order: asked with no transaction open, kept in the next."""

    clock: Clock
    made: list[Call] = field(default_factory=list)

    async def ask(self, verb: str, asking: Awaitable[_Outcome]) -> _Outcome:
        """The outcome of a call, which is noted."""
        point(f"{verb}.asking")
        at, began = self.clock(), time.perf_counter()
        outcome = await asking
        took = round((time.perf_counter() - began) * 1000)
        point(f"{verb}.answered")
        self.made.append(Call(at, verb, took, type(outcome).__name__, _detail(outcome)))
        return outcome

    async def keep(self, tx: Tx, attempt: Attempt) -> None:
        """Write them with what they led to."""
        await tx.execute(
            _INSERT,
            attempt.merchant_id,
            attempt.payment_order_id,
            attempt.id,
            [call.at for call in self.made],
            [call.verb for call in self.made],
            [call.duration_ms for call in self.made],
            [call.outcome for call in self.made],
            [call.detail for call in self.made],
        )


def _detail(outcome: Any) -> str | None:
    """Why, in the outcome's own words."""
    found = getattr(outcome, "why", None) or getattr(outcome, "code", None)
    return mask(str(found))[:DETAIL_MAX] if found else None


_INSERT = """
INSERT INTO psp_calls (merchant_id, payment_order_id, attempt_id, at, verb, duration_ms, outcome,
                       detail)
SELECT $1, $2, $3, * FROM unnest($4::timestamptz[], $5::text[], $6::int[], $7::text[], $8::text[])
"""
