"""A search that cannot fail is worth nothing: each form is found, whatever stands around it."""

import base64
import os
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.security import forms

NUMBER = "4242424242424242"
SECRET = "whsec_a+b/c=dEf0123456789"
KEY = bytes(range(100, 132))

ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda data: data,
    "hex": lambda data: data.hex().encode(),
    "HEX": lambda data: data.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64url": base64.urlsafe_b64encode,
    "hex of base64": lambda data: base64.b64encode(data).hex().encode(),
}
TEXT_ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "hex of utf-16": lambda text: text.encode("utf-16").hex().encode(),
    "url": lambda text: quote(text, safe="").encode(),
    "url, all of it": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "JSON escapes": lambda text: "".join(f"\\u{ord(char):04x}" for char in text).encode(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize("what", ["card", "text", "bytes"])
def test_whatever_stands_around_it_is_encoded_with_it(
    encoding: str, before: int, after: int, what: str
) -> None:
    canary, secret = {
        "card": (forms.card("c", NUMBER), NUMBER.encode()),
        "text": (forms.text("t", SECRET), SECRET.encode()),
        "bytes": (forms.raw("b", KEY), KEY),
    }[what]
    data = ENCODINGS[encoding](b"xyz"[:before] + secret + b"uvw"[:after])
    assert canary.found_in(b"--" + data + b"--"), data
    assert not canary.found_in(ENCODINGS[encoding](b"xyz" + secret[:-3] + b"uvw"))


@pytest.mark.parametrize("encoding", TEXT_ENCODINGS)
@pytest.mark.parametrize("written", [NUMBER, "4242 4242 4242 4242", "4242-4242-4242-4242"])
def test_a_card_number_is_found_in_groups_and_widths(encoding: str, written: str) -> None:
    canary = forms.card("c", NUMBER)
    assert canary.found_in(b"ab" + TEXT_ENCODINGS[encoding](written) + b"yz")
    assert canary.found_in(b"ab" + ENCODINGS["base64"](b"a" + written.encode()))


def test_an_amex_number_is_found_in_its_own_groups() -> None:
    assert forms.card("c", "378282246310005").found_in(b"paid with 3782 822463 10005")


@pytest.mark.parametrize(
    "data",
    [
        b'"cvc":"7391"', b"card%5Bcvc%5D=7391", b"card[cvc]=7391", b"cardCvc=7391",
        b'\\"cvv2\\": \\"7391\\"', b"security_code: 7391", '"cvc":"7391"'.encode("utf-16-le"),
        b'"cvc":"7391"'.hex().encode(), b"CVC%22%3A%227391",
    ],
)  # fmt: skip
def test_a_check_code_is_found_behind_its_name(data: bytes) -> None:
    assert forms.code("cvc", "7391").found_in(b"ab" + data + b"yz")


def test_nothing_is_found_where_nothing_is() -> None:
    noise = os.urandom(3_000_000) + b"cvc_check pass 7391 4242424242424241 4242 4242 4242 424"
    for canary in (
        forms.card("c", NUMBER), forms.text("t", SECRET), forms.raw("b", KEY),
        forms.code("v", "7391"),
    ):  # fmt: skip
        assert canary.found_in(noise) == []
