"""One form of an id for people, one for the database, and nothing in between."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payloom.core import ids
from payloom.core.errors import InvalidRequest, NotFound


@given(st.uuids())
def test_an_id_survives_the_way_out_and_back(value: UUID) -> None:
    text = ids.text("po", value)
    assert len(text) == 29
    assert ids.parse("po", text) == value


def test_ids_made_one_after_the_other_sort_that_way() -> None:
    made = [ids.new() for _ in range(1_000)]
    assert made == sorted(made)
    texts = [ids.text("po", value) for value in made]
    assert texts == sorted(texts)
    assert {value.version for value in made} == {7}


def test_no_id_made_since_a_moment_is_less_than_its_first() -> None:
    before, at = ids.new(), datetime.now(UTC)
    assert ids.first_at(at - timedelta(milliseconds=1)) < before
    assert all(ids.first_at(at) <= ids.new() for _ in range(1_000))
    assert ids.first_at(at + timedelta(days=1)) > ids.new()


GOOD = "po_01h45ytscbebyvny4gc8cr8ma2"
MALFORMED = [
    "",
    "po_",
    "po",
    GOOD[:-1],
    GOOD + "0",
    GOOD.upper(),
    "po_" + GOOD[3:].upper(),
    "att_" + GOOD[3:],
    GOOD[3:],
    "po_8" + GOOD[4:],  # more than 128 bits
    "po_zzzzzzzzzzzzzzzzzzzzzzzzzz",
    "po_" + "i" * 26,
    "po_" + "l" * 26,
    "po_" + "é" * 26,
    "po_" + "\x00" * 26,
    "po_" + " " * 26,
    "po_" + "1" * 12 + "_" + "1" * 13,
    GOOD + "\n",
    "018d3f5e-6ad9-72de-bb57-890e9982d142",
    "po_" + "0" * 4096,
]


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_id_names_nothing(text: str) -> None:
    with pytest.raises(NotFound):
        ids.parse("po", text)
    assert ids.maybe("po", text) is None


@given(st.text(max_size=40))
def test_no_text_is_read_in_a_way_that_is_not_its_own(text: str) -> None:
    found = ids.maybe("po", text)
    assert found is None or ids.text("po", found) == text


def test_in_a_query_a_malformed_id_is_a_mistake_in_that_field() -> None:
    with pytest.raises(InvalidRequest) as refused:
        ids.parse_query("po", "po_1", "starting_after")
    assert refused.value.errors[0].field == "starting_after"


@pytest.mark.parametrize("value", [None, 5, b"po_", ["po_"], {}])
def test_what_is_not_even_text_is_no_id(value: object) -> None:
    assert ids.maybe("po", value) is None
