"""What the validation library found wrong, in our words: what a value must be, in one voice."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

_IN_URL = {"query", "path", "header"}
# What a kind of mistake is called here; `{…}` are the library's own facts about it.
_SAID = {
    "missing": "is missing",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "greater_than": "must be more than {gt:,}",
    "greater_than_equal": "must be at least {ge:,}",
    "less_than_equal": "must be at most {le:,}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length:,} characters",
    "too_short": "must not be empty",
    "too_long": "must have at most {max_length:,} items",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
}
Location = Sequence[str | int]


def path_of(loc: Location) -> str:
    """`("body", "line_items", 0, "quantity")` becomes `line_items[0].quantity`."""
    path = ""
    for part in _inside(loc):
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or str(loc[0] if loc else "body")


def said(mistake: Mapping[str, Any], model: Any) -> str:
    """What to do about it; `model` is what the body should have been."""
    if mistake["type"] == "extra_forbidden":
        return there_is_no("field", _known_at(mistake["loc"], _model_in(model)))
    facts = mistake.get("ctx", {})
    # A text whose bounds are looked at after its other checks is any "Value" to the library.
    is_text = mistake["type"] == "too_long" and facts["field_type"] == "Value"
    if words := _SAID.get("string_too_long" if is_text else mistake["type"]):
        return words.format_map(facts).replace("'", "")
    return str(mistake["msg"]).removeprefix("Value error, ")


def there_is_no(what: str, known: Sequence[str]) -> str:
    """Of a name that nobody knows."""
    names = ", ".join(known)
    return f"there is no such {what}" + (f"; known are {names}" if known else "")


def _inside(loc: Location) -> Location:
    return loc[1:] if loc and loc[0] in {"body", *_IN_URL} else loc


def _known_at(loc: Location, model: Any) -> list[str]:
    """The fields of the object that holds the last part of `loc`."""
    for part in _inside(loc)[:-1]:
        if isinstance(part, str) and model is not None:
            model = _model_in(model.model_fields[part].annotation)
    return list(model.model_fields) if model is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in `Model | None` or `list[Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
