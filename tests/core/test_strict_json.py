"""A body means one thing or is refused (F08, S27)."""

import json
import time

import pytest

from payloom.core.errors import FieldError, TooLarge
from payloom.core.strict_json import BYTES_MAX, DEPTH_MAX, InvalidJson, parse


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"amount": 4999}', {"amount": 4999}),
        (b' \n[1, "x", null, true]\t', [1, "x", None, True]),
        (b"1e2", 100.0),
        ('"Gr\u00fc\u00dfe \U0001f600"'.encode(), "Gr\u00fc\u00dfe \U0001f600"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (b"9007199254740993", 9007199254740993),
    ],
)
def test_json_is_read_exactly(body: bytes, value: object) -> None:
    assert parse(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b'{"a": 1',
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1} x',
        b'{"a": 1}{"a": 1}',
        b"[1 2]",
        b"01",
        b"+1",
        b".5",
        b"0x10",
        b"NaN",
        b'{"amount": Infinity}',
        b'{"amount": -Infinity}',
        b'"line\nbreak"',
        b"9" * 5000,
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'"\xc0\xaf"',
        b'"\xed\xa0\x80"',
        '{"a": 1}'.encode("utf-16"),
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
        rb'"\ud800"',
        rb'{"\udfff": 1}',
        rb'["a", {"b": "\u0000"}]',
        rb'{"\u0000": 1}',
        b"\x00",
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson) as refused:
        parse(body)
    assert refused.value.status == 400
    assert refused.value.errors


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"amount": 1, "amount": 2}', "amount"),
        (b'{"amount": 1, "amount": 1}', "amount"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "b"),
        (rb'{"a": 1, "\u0061": 2}', "a"),
    ],
)
def test_a_key_that_stands_twice_is_refused_and_named(body: bytes, field: str) -> None:
    with pytest.raises(InvalidJson) as refused:
        parse(body)
    assert refused.value.errors == (FieldError(field, "stands twice in one object"),)


def test_a_double_key_of_half_a_character_is_refused_in_words_that_can_be_sent() -> None:
    with pytest.raises(InvalidJson) as refused:
        parse(rb'{"\ud800": 1, "\ud800": 2}')
    told = [refused.value.detail, *(part for error in refused.value.errors for part in error)]
    assert " ".join(told).encode()


def test_finding_the_double_key_among_thousands_takes_no_time() -> None:
    keys = [f'"{number:x}":0' for number in range(7_000)]
    body = ("{" + ",".join([*keys, keys[-1]]) + "}").encode()
    assert len(body) < BYTES_MAX
    started = time.process_time()
    with pytest.raises(InvalidJson):
        parse(body)
    assert time.process_time() - started < 0.2


def test_depth_is_bounded() -> None:
    assert parse(nested(DEPTH_MAX)) is not None
    for levels in (DEPTH_MAX + 1, 1_000, BYTES_MAX // 2):
        with pytest.raises(InvalidJson):
            parse(nested(levels))
    with pytest.raises(InvalidJson):
        parse(b'{"a":' * 30 + b"1" + b"}" * 30)


def test_size_is_bounded() -> None:
    assert parse(json.dumps("x" * (BYTES_MAX - 2)).encode()) == "x" * (BYTES_MAX - 2)
    with pytest.raises(TooLarge):
        parse(json.dumps("x" * (BYTES_MAX - 1)).encode())
