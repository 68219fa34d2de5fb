"""The table of invariants: what must hold, and the questions whose every answer is a violation."""

from dataclasses import dataclass

from payloom.audit import queries as q


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule. Each query of `sql` gives offending rows (merchant_id, prefix, id, detail)."""

    id: str
    sentence: str
    sql: tuple[str, ...]


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "I1",
        "A reference names one order, an idempotency key one answer, and the answer an order.",
        (q.REFERENCE_TWICE, q.KEY_TWICE, q.ANSWER_WITHOUT_ORDER),
    ),
    Invariant(
        "I2",
        "An order is paid once: money that nobody wants is on its way back, or a person knows.",
        (q.SURPLUS_KEPT,),
    ),
    Invariant(
        "I4",
        "Of what is not decided somebody will ask the PSP.",
        (q.NOBODY_ASKS, q.NOBODY_ASKS_ABOUT_A_REFUND),
    ),
    Invariant(
        "I5",
        "An attempt or order ends unpaid only on a definitive answer of the PSP.",
        (q.END_WITHOUT_ANSWER, q.FAILED_ORDER_OF_LIVE_ATTEMPT),
    ),
    Invariant(
        "I6",
        "A paid order has evidence from the PSP, booked with its own amount, currency and account.",
        (q.PAID_WITHOUT_EVIDENCE,),
    ),
    Invariant(
        "I7",
        "A history is a path along the table of states, and versions count it 1, 2, 3 …",
        (q.STEP_OFF_THE_TABLE, q.HISTORY_ENDS_ELSEWHERE, q.VERSIONS_WITH_GAPS),
    ),
    Invariant(
        "I8",
        "0 ≤ refunded ≤ captured ≤ the order's amount, on the order and in the books.",
        (q.AMOUNTS_OUT_OF_BOUNDS, q.BOOKS_OUT_OF_BOUNDS),
    ),
    Invariant(
        "I9",
        "A posting has two entries or more, and they sum to zero in each currency.",
        (q.POSTING_TOO_SMALL, q.POSTING_OFF_BALANCE),
    ),
    Invariant(
        "I10",
        "All entries of a merchant sum to zero in each currency; no account mixes currencies.",
        (q.BOOKS_OFF_BALANCE, q.ENTRY_IN_WRONG_ACCOUNT),
    ),
    Invariant(
        "I11",
        "What an order says was captured and refunded is what the books say.",
        (q.ORDER_AND_BOOKS_DIFFER,),
    ),
    Invariant(
        "I13",
        "A notice that was acknowledged is kept, and is applied or put aside within minutes.",
        (q.NOTICE_LOST, q.NOTICE_LEFT_LYING),
    ),
    Invariant(
        "I16",
        "A change of status is told: events count 1, 2, 3 …, each owed to every endpoint.",
        (
            q.EVENTS_WITH_GAPS,
            q.ENDPOINT_EVENTS_WITH_GAPS,
            q.CHANGE_UNTOLD,
            q.SWITCH_OFF_UNTOLD,
            q.EVENT_NOT_OWED,
            q.EVENT_BODY_DIFFERS,
        ),
    ),
    Invariant(
        "I19",
        "Refunds asked for, undecided ones included, are no more than what was taken.",
        (q.REFUNDED_TOO_MUCH, q.REFUNDS_MISCOUNTED),
    ),
)

BOOKS = ("I9", "I10", "I11")  # what `payloom ledger audit` checks unless asked for all
