"""Strict reading of form parameters: a table says what each may be, all else is refused.

A check takes the raw value and the parameter's full name (`line_items[0][quantity]`), and gives
the typed value or raises Stripe's error for it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from payloom.sandbox.stripe.protocol.errors import (
    StripeError,
    empty_parameter,
    invalid,
    missing_parameter,
    unknown_parameters,
)

Check = Callable[[Any, str], Any]

INTEGER_MAX = 2**53
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_RANGE = ("gt", "gte", "lt", "lte")
METADATA_KEYS_MAX, METADATA_KEY_MAX, METADATA_VALUE_MAX = 50, 40, 500


def read(
    form: Mapping[str, Any], fields: Mapping[str, Check], required: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The typed parameters of a request."""
    return _read(form, fields, required, "")


def read_inside(
    value: Any, fields: Mapping[str, Check], required: tuple[str, ...], name: str
) -> dict[str, Any]:
    """The same of the parameters inside another one; without a `name`, of the request."""
    if not isinstance(value, dict):
        raise invalid("Invalid object", param=name)
    return _read(value, fields, required, name)


def hash_of(fields: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    def check(value: Any, name: str) -> dict[str, Any]:
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise invalid("Invalid object", param=name)
        return _read(value, fields, required, name)

    return check


def _read(
    form: Mapping[str, Any], fields: Mapping[str, Check], required: tuple[str, ...], inside: str
) -> dict[str, Any]:
    def full(name: str) -> str:
        return f"{inside}[{name}]" if inside else name

    if unknown := [full(name) for name in form if name not in fields]:
        raise unknown_parameters(unknown)
    for name in required:
        if name not in form:
            raise missing_parameter(full(name))
    return {name: fields[name](value, full(name)) for name, value in form.items()}


def list_of(check: Check, most: int = 100) -> Check:
    def check_all(value: Any, name: str) -> list[Any]:
        if value == "":
            return []
        items = _items(value, name)
        if len(items) > most:
            raise invalid(f"Too many items: the most allowed is {most}.", param=name)
        return [check(item, f"{name}[{at}]") for at, item in enumerate(items)]

    return check_all


def _items(value: Any, name: str) -> list[Any]:
    """The elements of `a[]=…` or of `a[0]=…&a[1]=…`, in order."""
    if isinstance(value, dict) and list(value) == [""]:
        return list(value[""])
    if isinstance(value, dict) and all(key.isascii() and key.isdigit() for key in value):
        if any(len(key) > 6 for key in value):
            raise invalid("Invalid array", param=name)
        return [value[key] for key in sorted(value, key=int)]
    raise invalid("Invalid array", param=name)


def text(most: int = 5000, *, may_be_empty: bool = False) -> Check:
    def check(value: Any, name: str) -> str | None:
        if not isinstance(value, str):
            raise invalid("Invalid string", param=name)
        if value == "":
            if may_be_empty:
                return None
            raise empty_parameter(name)
        if len(value) > most:
            raise invalid(
                f"Invalid string: {value[:20]}...; must be at most {most} characters", param=name
            )
        return value

    return check


def integer(least: int = -INTEGER_MAX, most: int = INTEGER_MAX) -> Check:
    def check(value: Any, name: str) -> int:
        if not isinstance(value, str) or _INTEGER.fullmatch(value) is None:
            raise _bad_integer(value, name)
        number = int(value)
        if least == 0 and number < 0:
            raise invalid(
                "Invalid non-negative integer", param=name, code="parameter_invalid_integer"
            )
        if not least <= number <= most:
            bound = f"at least {least}" if number < least else f"at most {most}"
            raise invalid(
                f"This value must be {bound}.", param=name, code="parameter_invalid_integer"
            )
        return number

    return check


def _bad_integer(value: Any, name: str) -> StripeError:
    shown = value[:100] if isinstance(value, str) else "{...}"
    if shown == "":
        return empty_parameter(name)
    return invalid(f"Invalid integer: {shown}", param=name, code="parameter_invalid_integer")


def boolean(value: Any, name: str) -> bool:
    if value not in ("true", "false"):
        raise invalid("Invalid boolean: must be true or false", param=name)
    return bool(value == "true")


def one_of(*values: str) -> Check:
    def check(value: Any, name: str) -> str:
        if value == "":
            raise empty_parameter(name)
        if not isinstance(value, str) or value not in values:
            last = name.rpartition("[")[2].rstrip("]")
            label = name if last.isdigit() else last
            *others, end = values
            options = f"{', '.join(others)}, or {end}" if others else end
            raise invalid(f"Invalid {label}: must be one of {options}", param=name)
        return value

    return check


def url(value: Any, name: str) -> str:
    address = text(5000)(value, name)
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in address
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        good = False
    if not good:
        message = "Invalid URL: An explicit scheme (such as https) must be provided."
        raise invalid(message, param=name, code="url_invalid")
    return str(address)


def time_range(value: Any, name: str) -> dict[str, int]:
    """`created=1` or `created[gte]=1&created[lt]=2`, as bounds by operator."""
    second = integer(0)
    if isinstance(value, str):
        return {"eq": second(value, name)}
    return _read(value, dict.fromkeys(_RANGE, second), (), name)


def metadata(value: Any, name: str) -> dict[str, str]:
    """Names and values as sent; an empty value asks for removal, `metadata=` for all of them."""
    if value == "":
        return {"": ""}
    if not isinstance(value, dict):
        raise invalid("Invalid hash", param=name)
    for key, item in value.items():
        if not isinstance(item, str):
            raise invalid("Metadata values must be strings.", param=f"{name}[{key[:100]}]")
        if len(key) > METADATA_KEY_MAX:
            raise invalid(
                f"Metadata keys can have up to {METADATA_KEY_MAX} characters, but you passed in"
                f" one of {len(key)}.",
                param=name,
            )
        if len(item) > METADATA_VALUE_MAX:
            raise invalid(
                f"Metadata values can have up to {METADATA_VALUE_MAX} characters, but you passed in"
                f" a value that is {len(item)} characters.",
                param=f"{name}[{key}]",
            )
    if len(value) > METADATA_KEYS_MAX:
        raise invalid(f"Metadata can have up to {METADATA_KEYS_MAX} keys.", param=name)
    return dict(value)


def new_metadata(value: Any, name: str) -> dict[str, str]:
    """Metadata of an object that is being made: there is nothing to remove yet."""
    return merged({}, metadata(value, name))


def merged(old: Mapping[str, str], change: Mapping[str, str]) -> dict[str, str]:
    """Metadata after an update: names merge, an empty value removes its name."""
    if change == {"": ""}:
        return {}
    result = {key: value for key, value in {**old, **change}.items() if value != ""}
    if len(result) > METADATA_KEYS_MAX:
        raise invalid(f"Metadata can have up to {METADATA_KEYS_MAX} keys.", param="metadata")
    return result


def no_longer(parameter: str) -> Check:
    """A parameter that this API version took away: refused under a code of its own."""

    def check(_: Any, name: str) -> None:
        message = f"The `{parameter}` parameter is no longer supported in this API version."
        raise invalid(message, param=name, code=f"{parameter}_no_longer_supported")

    return check


def anything(value: Any, _: str) -> Any:
    """Taken as it is: a parameter of Stripe's that changes nothing here."""
    return value


EXPAND = list_of(text(300), most=20)
