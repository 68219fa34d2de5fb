"""Laws of the pure core, tried on thousands of histories that nobody would think of."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from payloom.connectors.contract import (
    Authorized,
    Canceled,
    Decline,
    Expired,
    Failed,
    Method,
    Outcome,
    Paid,
    Processing,
    Refused,
    Registered,
    StillOpen,
    Unknown,
)
from payloom.core import ids
from payloom.core.money import Money
from payloom.payments.decide import Change, Doubt, Nothing, decide
from payloom.payments.model import Cause, Fact, Payment
from payloom.payments.states import LATE, STATUS_OF, TRANSITIONS, State, Status
from tests.payments.given import (
    AMOUNT,
    CONNECTION,
    CURRENCY,
    MERCHANT,
    NOW,
    ORDER,
    attempt,
    payment,
)

unhurried = settings(deadline=None)  # a busy machine breaks no law

MONEY = Money(AMOUNT, CURRENCY)
PAID = Paid(MONEY, "pi", ids.text("po", ORDER), method=Method("card", "visa", "4242", "US"))
NO_FUNDS = Decline("card_declined", "insufficient_funds")
EXPIRED_CARD = Decline("expired_card")
DECLINED, DECLINED_TOO = StillOpen(NO_FUNDS), StillOpen(EXPIRED_CARD)
LOST = Unknown("no answer")


def registered(number: int) -> Registered:
    return Registered(f"tok_{number}", f"https://pay.example/{number}")


# Everything that becomes of one page at a PSP, as it really happens there.
LIVES: tuple[tuple[Outcome, ...], ...] = (
    (Refused("amount_too_small", "no"),),
    (registered(1), StillOpen(), PAID),
    (registered(1), DECLINED, DECLINED_TOO, PAID),
    (registered(1), StillOpen(), DECLINED, Expired()),
    (registered(1), Canceled()),
    (registered(1), Processing("pi"), PAID),
    (registered(1), DECLINED, Processing("pi"), Failed(NO_FUNDS)),
    (registered(1), Processing("pi"), Failed(NO_FUNDS), PAID),
    (registered(1), Expired(), PAID),
    (registered(1), Authorized(MONEY, "pi"), PAID),
    (registered(1), Processing("pi"), Authorized(MONEY, "pi"), PAID),
    (registered(1), Authorized(MONEY, "pi"), Canceled()),
    (registered(1), Authorized(MONEY, "pi"), Expired()),
    (registered(1), replace(PAID, amount=Money(1, CURRENCY))),
    (registered(1), replace(PAID, amount=Money(AMOUNT, "USD"))),
    (registered(1), Expired(), replace(PAID, payment_order=None)),
)

ANYTHING = st.sampled_from(
    [
        *dict.fromkeys(outcome for life in LIVES for outcome in life),
        registered(2),
        Registered("tok_other", "https://pay.example/other"),
        LOST,
    ]
)


@dataclass
class Told:
    """A payment and all that was written while it heard one fact after the other."""

    payment: Payment
    changes: list[Change] = field(default_factory=list)
    waiting: list[tuple[int, Outcome]] = field(default_factory=list)

    def hear(self, number: int, outcome: Outcome) -> "Change | Nothing | Doubt":
        fact = Fact(MERCHANT, attempt(number).id, outcome, Cause("notice", "ntc_1"))
        decided = decide(self.payment, fact, NOW)
        if isinstance(decided, Change):
            self.changes.append(decided)
            self.payment = decided.payment
        return decided

    def hear_all(self, facts: Sequence[tuple[int, Outcome]]) -> "Told":
        """What does not fit yet is parked, and heard again after each change."""
        for fact in facts:
            if not isinstance(self.hear(*fact), Doubt):
                self._hear_parked()
            else:
                self.waiting.append(fact)
        return self

    def _hear_parked(self) -> None:
        parked, self.waiting = self.waiting, []
        for i, fact in enumerate(parked):
            decided = self.hear(*fact)
            if isinstance(decided, Doubt):
                self.waiting.append(fact)
            elif isinstance(decided, Change):
                self.waiting += parked[i + 1 :]
                return self._hear_parked()
        return None

    @property
    def end(self) -> object:
        """All state and all books; not times, the PSP's ids, the last decline, or the way there."""
        order = self.payment.order
        return (
            [(each.state, each.method) for each in self.payment.attempts],
            (order.status, order.amount_captured, order.paid_by_attempt, order.method),
            order.attention,
            sorted(str(posting) for change in self.changes for posting in change.postings),
        )


@st.composite
def disorder(draw: st.DrawFn, facts: Sequence[object]) -> list[int]:
    """The facts' indexes, each at least once, in any order and number."""
    more = draw(st.lists(st.integers(0, len(facts) - 1), max_size=6))
    return draw(st.permutations([*range(len(facts)), *more]))


@unhurried
@given(st.data(), st.sampled_from(LIVES))
def test_facts_of_a_page_in_any_order_and_number_end_the_same(
    data: st.DataObject, life: tuple[Outcome, ...]
) -> None:
    order = data.draw(disorder(life))

    told = Told(payment()).hear_all([(1, life[i]) for i in order])

    assert told.end == Told(payment()).hear_all([(1, outcome) for outcome in life]).end


# A cancel is our own wish, and whether money came before or after it makes the difference.
UNCANCELED = [life for life in LIVES if Canceled() not in life]


@unhurried
@given(st.data(), st.sampled_from(UNCANCELED), st.sampled_from(UNCANCELED))
def test_facts_of_two_pages_in_any_order_book_the_same_money(
    data: st.DataObject, first: tuple[Outcome, ...], second: tuple[Outcome, ...]
) -> None:
    """Up to which of two paid attempts won."""
    facts = [(1, outcome) for outcome in first]
    facts += [(2, registered(2) if isinstance(each, Registered) else each) for each in second]
    two = payment(attempt(1), attempt(2))

    told = Told(two).hear_all([facts[i] for i in data.draw(disorder(facts))])
    in_order = Told(two).hear_all(facts)

    assert _money(told) == _money(in_order)
    if told.payment.order.attention is None:
        # With money that does not fit a person decides; meanwhile the last fact shows.
        assert told.payment.order.status == in_order.payment.order.status


def _money(told: Told) -> object:
    order = told.payment.order
    booked = sorted(
        (posting.kind, posting.entries[0].amount.minor, posting.entries[0].amount.currency)
        for change in told.changes
        for posting in change.postings
    )
    return [each.state for each in told.payment.attempts], order.amount_captured, booked


FACTS = st.lists(st.tuples(st.integers(1, 2), ANYTHING), max_size=14)


@unhurried
@given(FACTS)
def test_a_change_counts_itself_and_its_events(facts: list[tuple[int, Outcome]]) -> None:
    told = Told(payment(attempt(1), attempt(2)))
    for fact in facts:
        before = told.payment.order
        decided = told.hear(*fact)
        after = told.payment.order
        if isinstance(decided, Change):
            assert after.version == before.version + 1
            assert after.event_sequence == before.event_sequence + len(decided.events)
            assert decided.payment.attempt(decided.attempt.id) == decided.attempt
        else:
            assert after is before


@unhurried
@given(FACTS)
def test_every_step_is_an_arrow_of_the_table(facts: list[tuple[int, Outcome]]) -> None:
    arrows = {(state, to) for (state, _), to in TRANSITIONS.items()}
    told = Told(payment(attempt(1), attempt(2)))
    for fact in facts:
        before = told.payment
        decided = told.hear(*fact)
        if not isinstance(decided, Change):
            continue
        steps = decided.steps
        assert steps[0].from_state == before.attempt(decided.attempt.id).state
        assert steps[-1].to_state == decided.attempt.state
        assert steps[0].from_status == before.order.status
        assert steps[-1].to_status == decided.payment.order.status
        assert all(a.to_state == b.from_state for a, b in pairwise(steps))
        assert all(
            (step.from_state, step.to_state) in arrows
            or (step.outcome == "Declined" and step.from_state == step.to_state)
            for step in steps
        )


@unhurried
@given(FACTS)
def test_success_has_no_exit(facts: list[tuple[int, Outcome]]) -> None:
    told = Told(payment(attempt(1), attempt(2)))
    for fact in facts:
        before = told.payment
        told.hear(*fact)
        after = told.payment
        for each in before.attempts:
            if each.state is State.SUCCEEDED:
                assert after.attempt(each.id).state is State.SUCCEEDED
        if before.order.status is Status.SUCCEEDED:
            assert after.order.status is Status.SUCCEEDED
            assert after.order.paid_by_attempt == before.order.paid_by_attempt
            assert after.order.amount_captured == before.order.amount_captured


@unhurried
@given(FACTS)
def test_an_order_is_captured_once_and_as_booked(facts: list[tuple[int, Outcome]]) -> None:
    told = Told(payment(attempt(1), attempt(2))).hear_all(facts)
    order = told.payment.order
    booked = [posting for change in told.changes for posting in change.postings]
    captured = [posting for posting in booked if posting.kind == "captured"]

    assert len({(posting.kind, posting.source) for posting in booked}) == len(booked)
    assert len(captured) == (1 if order.paid_by_attempt else 0)
    assert order.amount_captured == sum(posting.entries[0].amount.minor for posting in captured)
    assert (order.status is Status.SUCCEEDED) == (order.paid_by_attempt is not None)
    if order.paid_by_attempt is not None:
        (posting,) = captured
        assert posting.entries[0].amount == MONEY
        assert posting.entries[0].account.owner == CONNECTION
        assert posting.source == told.payment.attempt(order.paid_by_attempt).public_id


@unhurried
@given(FACTS)
def test_each_success_is_booked_once_wherever_it_belongs(
    facts: list[tuple[int, Outcome]],
) -> None:
    told = Told(payment(attempt(1), attempt(2))).hear_all(facts)
    sources = [posting.source for change in told.changes for posting in change.postings]

    paid = [each.public_id for each in told.payment.attempts if each.state is State.SUCCEEDED]
    assert sorted(sources) == sorted(paid)


@unhurried
@given(FACTS)
def test_the_order_stands_where_its_newest_attempt_does_unless_money_came(
    facts: list[tuple[int, Outcome]],
) -> None:
    told = Told(payment(attempt(1), attempt(2))).hear_all(facts)

    if not any(change.postings for change in told.changes):
        assert told.payment.order.status is STATUS_OF[told.payment.current.state]


@unhurried
@given(FACTS)
def test_what_is_told_fits_what_became(facts: list[tuple[int, Outcome]]) -> None:
    told = Told(payment(attempt(1), attempt(2)))
    for fact in facts:
        before = told.payment.order.status
        decided = told.hear(*fact)
        if isinstance(decided, Change) and decided.payment.order.status is not before:
            assert decided.events, f"{before} became {decided.payment.order.status} untold"


@unhurried
@given(FACTS)
@example([(1, registered(1)), (1, Processing("pi"))])
@example([(1, registered(1)), (1, Processing("pi")), (1, Failed(NO_FUNDS))])
def test_somebody_will_ask_as_long_as_the_psp_may_change_its_mind(
    facts: list[tuple[int, Outcome]],
) -> None:
    told = Told(payment(attempt(1), attempt(2)))
    for fact in facts:
        decided = told.hear(*fact)
        if isinstance(decided, Change):
            # FAILED is asked about once more: some PSPs take the money all the same.
            undecided = decided.attempt.state in (State.OPEN, State.PROCESSING, State.FAILED)
            assert (decided.look_up_at is not None) == undecided


@unhurried
@given(FACTS)
def test_an_unknown_answer_changes_nothing(facts: list[tuple[int, Outcome]]) -> None:
    told = Told(payment(attempt(1), attempt(2))).hear_all(facts)

    assert told.hear(1, LOST) == Doubt(LOST.why)


# Not among them: a decline, which is news again once another came after it; and a reservation that
# is told of after its end, about which the PSP is asked.
_REPEATED = (Registered, Processing, Paid, Failed, Expired, Canceled, Refused)


@unhurried
@given(st.data(), st.sampled_from(LIVES))
def test_what_was_heard_before_is_known_and_not_doubted(
    data: st.DataObject, life: tuple[Outcome, ...]
) -> None:
    heard = life[: data.draw(st.integers(1, len(life)))]
    told = Told(payment()).hear_all([(1, outcome) for outcome in heard])
    again = data.draw(st.sampled_from([each for each in heard if isinstance(each, _REPEATED)]))

    assert told.hear(1, again) == Nothing()


def test_a_failure_tells_of_the_processing_that_nobody_told() -> None:
    told = Told(payment()).hear_all([(1, registered(1)), (1, Failed(NO_FUNDS))])

    assert [(step.from_state, step.to_state) for step in told.changes[-1].steps] == [
        (State.OPEN, State.PROCESSING),
        (State.PROCESSING, State.FAILED),
    ]


def test_a_second_page_of_one_attempt_is_doubted() -> None:
    told = Told(payment()).hear_all([(1, registered(1))])

    assert isinstance(told.hear(1, Registered("tok_other", "https://pay.example/")), Doubt)


def test_money_after_the_end_is_told_as_late() -> None:
    for state in LATE:
        late = payment(attempt(1, state), status=STATUS_OF[state])
        decided = Told(late).hear(1, PAID)
        assert isinstance(decided, Change)
        assert decided.events == ("payment_order.succeeded", "payment_order.late_success")


def test_money_of_a_failed_page_is_late_although_a_new_page_is_open() -> None:
    tried_again = payment(attempt(1, State.FAILED), attempt(2, State.OPEN), status=Status.PENDING)

    decided = Told(tried_again).hear(1, PAID)

    assert isinstance(decided, Change)
    assert "payment_order.late_success" in decided.events


def test_a_page_that_ends_at_our_own_wish_is_canceled() -> None:
    asked = payment(attempt(1, State.OPEN), status=Status.PENDING)
    asked = replace(asked, order=replace(asked.order, cancel_requested_at=NOW))
    replaced = payment(attempt(1, State.OPEN), attempt(2, State.OPEN), status=Status.PENDING)

    for before in (asked, replaced):
        decided = Told(before).hear(1, Expired())
        assert isinstance(decided, Change)
        assert decided.attempt.state is State.CANCELED
    assert replaced.order.status is Status.PENDING


def test_money_for_a_canceled_order_is_kept_apart_and_goes_back() -> None:
    canceled = payment(attempt(1, State.CANCELED), status=Status.CANCELED)

    decided = Told(canceled).hear(1, PAID)

    assert isinstance(decided, Change)
    assert decided.payment.order.status is Status.CANCELED
    assert decided.payment.order.attention is None
    assert decided.is_surplus
    assert [posting.kind for posting in decided.postings] == ["suspense"]
