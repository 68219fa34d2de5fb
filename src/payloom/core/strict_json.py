"""JSON as RFC 8259 means it, and nothing looser (F08).

Python's reader takes the last of two equal keys, reads NaN and Infinity, and hands on strings that
PostgreSQL cannot store. Each of those would let a request mean two things; here they are refused.
"""

import json
from collections import Counter
from typing import NoReturn

from payloom.core.errors import FieldError, TooLarge, Unparsable

DEPTH_MAX = 16
BYTES_MAX = 65_536


class InvalidJson(Unparsable):
    code = "invalid_json"
    title = "The request body is not valid JSON"


def parse(body: bytes) -> object:
    """The value of a request body of at most 64 KiB and 16 levels.

    Raises InvalidJson (400) or TooLarge (413).
    """
    if len(body) > BYTES_MAX:
        raise TooLarge(f"The request body may have at most {BYTES_MAX} bytes")
    try:
        value: object = _DECODER.decode(body.decode("utf-8"))
    except InvalidJson:
        raise
    except RecursionError:
        raise _refused(f"nested deeper than {DEPTH_MAX} levels") from None
    except UnicodeDecodeError:
        raise _refused("not UTF-8") from None
    except ValueError as mistake:
        raise _refused(str(mistake)) from None
    _check(value)
    return value


def _refused(why: str) -> InvalidJson:
    return InvalidJson(f"Not valid JSON: {why}", errors=[FieldError("body", why)])


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counted = Counter(key for key, _ in pairs)
        double = next(key for key, times in counted.items() if times > 1)
        _check_text(double)  # it is named in the answer
        raise InvalidJson(
            f"Not valid JSON: the key {double!r} stands twice",
            errors=[FieldError(double, "stands twice in one object")],
        )
    return found


def _no_constant(name: str) -> NoReturn:
    raise _refused(f"{name} is not a number")


def _check(value: object) -> None:
    """Bound the depth, and refuse text that the database could not keep."""
    level = [value]
    for _ in range(DEPTH_MAX):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                for key in item:
                    _check_text(key)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str):
                _check_text(item)
        if not below:
            return
        level = below
    raise _refused(f"nested deeper than {DEPTH_MAX} levels")


def _check_text(value: str) -> None:
    if "\x00" in value:
        raise _refused("a text holds the character U+0000")
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise _refused("a text holds half of a surrogate pair")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
