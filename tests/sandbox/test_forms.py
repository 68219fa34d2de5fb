"""Form bodies with nested brackets, read in one way or refused."""

from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payloom.sandbox.forms import BadForm, decode


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (b"", {}),
        (b"a=1", {"a": "1"}),
        (b"a=1&&b=2", {"a": "1", "b": "2"}),
        (b"a", {"a": ""}),
        (b"a=b=c", {"a": "b=c"}),
        (b"a=x+y%20z", {"a": "x y z"}),
        (b"a[b]=1&a[c]=2", {"a": {"b": "1", "c": "2"}}),
        (b"a%5Bb%5D=1", {"a": {"b": "1"}}),
        (b"a[0][b]=1&a[1][b]=2", {"a": {"0": {"b": "1"}, "1": {"b": "2"}}}),
        (b"a[]=1&a[]=2", {"a": {"": ["1", "2"]}}),
        (b"a[][b]=1&a[][c]=2&a[][b]=3", {"a": {"": [{"b": "1", "c": "2"}, {"b": "3"}]}}),
        (b"a=%C3%A9", {"a": "é"}),
    ],
)
def test_forms_are_read_as_rails_does(text: bytes, form: dict[str, Any]) -> None:
    assert decode(text) == form


@pytest.mark.parametrize(
    "text",
    [
        *(b"a[b=1", b"a]=1", b"=1", b"[a]=1", b"%ZZ=1", b"a=%", b"%ff=1", b"a%00=1"),
        *(b"a=1&a=2", b"a[b]=1&a[b]=2", b"a=1&a[b]=2", b"a[b]=2&a=1"),
        *(b"a[]=1&a[b]=2", b"a[b]=2&a[]=1"),
        b"a" + b"[b]" * 8 + b"=1",
        b"&".join(b"k%d=1" % n for n in range(2001)),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(text: bytes) -> None:
    with pytest.raises(BadForm):
        decode(text)


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00[]", exclude_categories=["Cs"]), min_size=1
)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]))
FORMS = st.recursive(
    VALUES, lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=4), max_leaves=8
)


def encode(form: Any, name: str = "") -> list[str]:
    if isinstance(form, str):
        return [f"{quote(name, safe='[]')}={quote(form)}"]
    return [
        pair
        for key, value in form.items()
        for pair in encode(value, f"{name}[{key}]" if name else key)
    ]


@given(st.dictionaries(NAMES, FORMS, max_size=4))
def test_what_is_encoded_is_decoded_the_same(form: dict[str, Any]) -> None:
    assert decode("&".join(encode(form)).encode()) == form


@given(st.binary())
def test_any_bytes_are_a_form_or_refused(text: bytes) -> None:
    with suppress(BadForm):
        assert isinstance(decode(text), dict)


@given(st.text(alphabet="ab[]=&1%", max_size=40))
def test_any_brackets_are_a_form_or_refused(text: str) -> None:
    with suppress(BadForm):
        assert isinstance(decode(text.encode()), dict)
