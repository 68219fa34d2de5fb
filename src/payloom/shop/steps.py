"""The nine steps of a payment, told from two logs: our own, and the API's timeline.

Which record proves which step is one table. Kinds we do not know are shown in the full timeline
but prove nothing; a step without a record has not happened, as far as we know.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from payloom.shop.model import Event, Record


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    who: str
    title: str
    # What proves it, best first: `shop.*` is our log, the rest the API's timeline or made of it.
    proofs: tuple[str, ...]
    words: str = ""  # said instead of the proof's own
    is_seen_later: bool = False  # nobody who tells us was there: its proof came afterwards


STEPS = (
    Step(1, "Shop", "The shop asks payloom for a payment", ("shop.asked", "request.received")),
    Step(2, "payloom", "payloom asks the payment provider", ("psp.called", "shop.answered")),
    Step(3, "Provider", "The provider opens a payment page", ("page.made", "shop.answered")),
    Step(4, "payloom", "payloom keeps the page’s token", ("attempt.opened", "shop.answered")),
    Step(5, "Shop", "The shop sends the shopper to the page", ("shop.redirected",)),
    Step(
        6,
        "Shopper",
        "The shopper pays",
        ("outcome", "shop.outcome"),
        "On the provider’s own page: neither the shop nor payloom looks on.",
        is_seen_later=True,
    ),
    Step(
        7,
        "Provider",
        "The provider knows the outcome",
        ("outcome", "shop.outcome"),
        is_seen_later=True,
    ),
    Step(8, "Shopper", "The shopper comes back to the shop", ("shop.returned", "shop.cancelled")),
    Step(9, "payloom", "payloom hears, books, and tells the shop", ()),
)
# Step 9 is a chain: told in this order, whichever came first, and over with its last link.
CHAIN = ("notice", "outcome", "ending", "posting.written", "shop.told")
# What a step says when its proof brings no words of its own.
WORDS = {
    "shop.answered": "The API’s answer proves it: it only comes once this is done.",
    "shop.redirected": "With a 303 to the page’s address.",
    "shop.cancelled": "Over the cancel link.",
}
# A change to one of these means that the shopper was done on the provider's page. FAILED is not
# among them: it comes after PROCESSING, or else the provider refused to make a page at all.
OUTCOMES = frozenset({"PROCESSING", "AUTHORIZED", "SUCCEEDED"})
ENDINGS = frozenset({"FAILED", "EXPIRED", "CANCELED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldStep:
    """A step as it happened; `at` is None while it has not."""

    step: Step
    at: datetime | None
    details: tuple[str, ...] = ()

    @property
    def is_bound(self) -> bool:
        """It happened at `at` or before."""
        return self.at is not None and self.step.is_seen_later

    def as_json(self) -> dict[str, Any]:
        return {
            "step": self.step.number,
            "at": self.at.isoformat() if self.at else None,
            "or_before": self.is_bound,
            "title": self.step.title,
            "detail": " ".join(self.details),
        }


def steps_of(
    log: Sequence[Record], timeline: Sequence[Record], events: Sequence[Event]
) -> list[ToldStep]:
    """All nine, in the order of the table."""
    records = sorted(
        [*log, *timeline, *_pages(timeline), *_outcomes(timeline), *_webhooks(events)],
        key=lambda record: record.at,
    )
    records += _notices(records)
    ending = _ending(records)
    has_outcome = any(record.kind == "outcome" for record in records)
    if ending and has_outcome:
        records.append(ending)
    told = [*(_tell(step, records) for step in STEPS[:-1]), _tell_chain(STEPS[-1], records)]
    told[5] = _with(told[5], _declines(timeline))
    if ending and not has_outcome:
        missing = next(number for number, step in enumerate(told) if step.at is None)
        told[missing] = _with(told[missing], ending.summary)
    return told


def _tell(step: Step, records: Iterable[Record]) -> ToldStep:
    first: dict[str, Record] = {}
    for record in records:
        first.setdefault(record.kind, record)
    proof = next((first[kind] for kind in step.proofs if kind in first), None)
    if proof is None:
        return ToldStep(step=step, at=None)
    told = ToldStep(step=step, at=proof.at)
    return _with(told, step.words or proof.summary or WORDS.get(proof.kind, ""))


def _tell_chain(step: Step, records: Sequence[Record]) -> ToldStep:
    links = [record for kind in CHAIN for record in records if record.kind == kind]
    told = ToldStep(step=step, at=links[-1].at if links else None)
    for summary in dict.fromkeys(link.summary for link in links):
        told = _with(told, summary)
    return told


def _with(told: ToldStep, text: str) -> ToldStep:
    """The same with one more sentence, if there is one."""
    if not text:
        return told
    sentence = text if text.endswith((".", "!", "?")) else f"{text}."
    return replace(told, details=(*told.details, sentence))


def _pages(timeline: Sequence[Record]) -> list[Record]:
    """An answer of the provider that made a page: it may also have refused to."""
    opened = next((record for record in timeline if record.kind == "attempt.opened"), None)
    if opened is None:
        return []
    answers = [each for each in timeline if each.kind == "psp.answered" and each.at <= opened.at]
    return [replace((answers or [opened])[-1], kind="page.made")]


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
    """Our webhooks that told how it went; those of an outcome prove that, too."""
    found = []
    for event in events:
        status = event.sighting.status if event.sighting else ""
        told = Record(
            at=event.received_at,
            kind="shop.told",
            summary=f"The shop receives the signed webhook {event.type}.",
            data={},
        )
        if status in OUTCOMES:
            found.append(replace(told, kind="shop.outcome"))
        if status in OUTCOMES | ENDINGS:
            found.append(told)
    return found


def _notices(records: Sequence[Record]) -> list[Record]:
    """The notice that brought the outcome: the last one before it, else the first after."""
    notices = [record for record in records if record.kind == "notice.received"]
    outcome = next((record.at for record in records if record.kind == "outcome"), None)
    if outcome is None or not notices:
        return []
    before = [record for record in notices if record.at <= outcome]
    chosen = before[-1] if before else notices[0]
    return [Record(at=chosen.at, kind="notice", summary=chosen.summary, data=chosen.data)]


def _ending(records: Sequence[Record]) -> Record | None:
    """How a payment ended that came to nothing, if it stayed so."""
    changes = [record for record in records if record.kind == "state.changed"]
    if changes and changes[-1].data.get("to") in ENDINGS:
        return replace(changes[-1], kind="ending")
    return None


def _declines(timeline: Sequence[Record]) -> str:
    """Tries that left the page as it was; the same reason twice in a row is told once."""
    declined = sum(record.data.get("outcome") == "Declined" for record in timeline)
    if not declined:
        return ""
    tries = "A try was" if declined == 1 else "Tries were"
    return f"{tries} declined, and the page stayed payable."
