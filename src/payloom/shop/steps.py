"""The nine steps of a payment, told from two logs: our own, and the API's timeline.

Which record proves which step is one table. Kinds we do not know are shown in the full timeline
but prove nothing; a step without a record has not happened, as far as we know.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payloom.shop.model import Event, Record


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    who: str
    title: str
    # What proves it, best first: `shop.*` is our log, the rest the API's timeline.
    proofs: tuple[str, ...]
    words: str = ""  # said instead of the proof's own


STEPS = (
    Step(1, "Shop", "The shop asks payloom for a payment", ("shop.asked", "request.received")),
    Step(2, "payloom", "payloom asks the payment provider", ("psp.called", "shop.answered")),
    Step(3, "Provider", "The provider opens a payment page", ("psp.answered", "shop.answered")),
    Step(4, "payloom", "payloom keeps the page’s token", ("attempt.opened", "shop.answered")),
    Step(5, "Shop", "The shop sends the shopper to the page", ("shop.redirected",)),
    Step(
        6,
        "Shopper",
        "The shopper pays",
        ("outcome", "shop.outcome"),
        "On the provider’s own page: neither the shop nor payloom looks on.",
    ),
    Step(7, "Provider", "The provider knows the outcome", ("outcome", "shop.outcome")),
    Step(8, "Shopper", "The shopper comes back to the shop", ("shop.returned", "shop.cancelled")),
    Step(9, "payloom", "payloom hears, books, and tells the shop", ("notice", "shop.outcome")),
)
# What a step says when its proof brings no words of its own.
WORDS = {
    "shop.answered": "The API’s answer proves it: it only comes once this is done.",
    "shop.redirected": "With a 303 to the page’s address.",
    "shop.cancelled": "Over the cancel link.",
}
# A change to one of these means that the shopper was done on the provider's page. FAILED is not
# among them: it comes after PROCESSING, or else the provider refused to make a page at all.
OUTCOMES = frozenset({"PROCESSING", "AUTHORIZED", "SUCCEEDED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldStep:
    """A step as it happened; `at` is None while it has not."""

    step: Step
    at: datetime | None
    details: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "step": self.step.number,
            "at": self.at.isoformat() if self.at else None,
            "title": self.step.title,
            "detail": " ".join(self.details),
        }


def steps_of(
    log: Sequence[Record], timeline: Sequence[Record], events: Sequence[Event]
) -> list[ToldStep]:
    """All nine, in the order of the table."""
    records = sorted(
        [*log, *timeline, *_outcomes(timeline), *_webhooks(events)], key=lambda record: record.at
    )
    records += _notices(records)
    told = [_tell(step, records) for step in STEPS]
    told[-1] = _with_consequences(told[-1], records)
    return told


def _tell(step: Step, records: Iterable[Record]) -> ToldStep:
    first: dict[str, Record] = {}
    for record in records:
        first.setdefault(record.kind, record)
    proof = next((first[kind] for kind in step.proofs if kind in first), None)
    if proof is None:
        return ToldStep(step=step, at=None)
    text = step.words or proof.summary or WORDS.get(proof.kind, "")
    return ToldStep(step=step, at=proof.at, details=(_sentence(text),) if text else ())


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _outcomes(timeline: Iterable[Record]) -> list[Record]:
    """State changes that can only come from the provider's decision. The shopper was done and
    the provider knew when the notice came, or before the change if there was none."""
    changes = [
        record
        for record in timeline
        if record.kind == "state.changed" and record.data.get("to") in OUTCOMES
    ]
    told = [record.at for record in timeline if record.kind == "notice.received"]
    return [
        Record(
            at=max((at for at in told if at <= change.at), default=change.at),
            kind="outcome",
            summary=change.summary,
            data=change.data,
        )
        for change in changes
    ]


def _webhooks(events: Iterable[Event]) -> list[Record]:
    """Our webhooks that told of an outcome."""
    return [
        Record(
            at=event.received_at,
            kind="shop.outcome",
            summary=f"The shop receives the signed webhook {event.type}.",
            data={},
        )
        for event in events
        if event.sighting and event.sighting.status in OUTCOMES
    ]


def _notices(records: Sequence[Record]) -> list[Record]:
    """The notice that brought the outcome: the last one before it, else the first after."""
    notices = [record for record in records if record.kind == "notice.received"]
    outcome = next((record.at for record in records if record.kind == "outcome"), None)
    if outcome is None or not notices:
        return []
    before = [record for record in notices if record.at <= outcome]
    chosen = before[-1] if before else notices[0]
    return [Record(at=chosen.at, kind="notice", summary=chosen.summary, data=chosen.data)]


def _with_consequences(last: ToldStep, records: Iterable[Record]) -> ToldStep:
    """Step 9 is a chain: the notice, the change of state, the posting, our webhook."""
    kinds = ("outcome", "posting.written", "shop.outcome")
    found = [record for record in records if record.kind in kinds and record.summary]
    if not found:
        return last
    details = dict.fromkeys([*last.details, *(_sentence(record.summary) for record in found)])
    return ToldStep(step=last.step, at=last.at or found[0].at, details=tuple(details))
