"""The audit as an operator or a job calls it."""

from datetime import UTC, datetime

import asyncpg
import pytest

from payloom.audit.invariants import BOOKS, INVARIANTS
from payloom.audit.run import FINDINGS_MAX, Verdict, audit, summary
from payloom.core import ids
from payloom.runtime import Runtime

NOW = datetime(2026, 11, 22, tzinfo=UTC)


async def test_a_finding_names_merchant_and_thing_as_the_api_does(
    books: asyncpg.Connection,
) -> None:
    await books.execute("UPDATE payment_orders SET amount_captured = 5000 WHERE reference = 'W-1'")
    order = await books.fetchrow("SELECT * FROM payment_orders WHERE reference = 'W-1'")

    findings = await audit(books, now=NOW, only=["I8", "I11"])

    assert [finding.invariant for finding in findings] == ["I8", "I11"]
    assert {finding.merchant for finding in findings} == {ids.text("mer", order["merchant_id"])}
    assert {finding.what for finding in findings} == {ids.text("po", order["id"])}
    assert findings[0].detail == "captured 5000 and refunded 0 of 4999"
    assert findings[1].detail == "captured 5000, refunded 0; the books say 4999 and 0 EUR"


async def test_only_what_is_asked_for_is_checked(books: asyncpg.Connection) -> None:
    await books.execute("DELETE FROM payment_log")
    await books.execute("DELETE FROM ledger_entries WHERE amount < 0")

    of_all = await audit(books, now=NOW)
    of_books = await audit(books, now=NOW, only=BOOKS)

    assert {finding.invariant for finding in of_books} == set(BOOKS)
    assert {finding.invariant for finding in of_all} > set(BOOKS)


async def test_an_unknown_invariant_is_refused(books: asyncpg.Connection) -> None:
    with pytest.raises(ValueError, match="no such invariant: I99"):
        await audit(books, now=NOW, only=["I9", "I99"])


async def test_a_flood_of_findings_is_bounded(books: asyncpg.Connection) -> None:
    await books.execute(
        """INSERT INTO notices_seen
           SELECT merchant_id, connection_id, psp_event || n, gen_random_uuid(), 1, first_at
             FROM notices_seen, generate_series(1, 200) AS n"""
    )

    assert len(await audit(books, now=NOW, only=["I13"])) == FINDINGS_MAX


async def test_the_app_role_may_ask_and_nothing_is_written(rt: Runtime) -> None:
    async with rt.db.transaction() as tx:
        await tx.execute("SET TRANSACTION READ ONLY")
        assert await audit(tx, now=rt.clock()) == []


async def test_the_summary_has_a_verdict_on_each_invariant(books: asyncpg.Connection) -> None:
    await books.execute("DELETE FROM ledger_entries")
    findings = await audit(books, now=NOW, only=BOOKS)

    assert [verdict.invariant for verdict in summary([])] == [each.id for each in INVARIANTS]
    assert summary(findings, BOOKS) == [
        Verdict(each.id, each.sentence, {"I9": 3, "I10": 0, "I11": 1}[each.id])
        for each in INVARIANTS
        if each.id in BOOKS
    ]
