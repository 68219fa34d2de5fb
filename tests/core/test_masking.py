"""Card data and secrets are recognised wherever they stand, and little else is taken for them."""

import base64
import json
import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payloom.core.masking import holds_card_or_secret, is_suspect, mask, mask_body
from payloom.sandbox.stripe.methods.cards import CARDS as TEST_CARDS

CARDS = {
    "visa": "4242424242424242",
    "amex": "378282246310005",
    "diners": "36227206271667",
    "maestro of 12": "676770000005",
    "unionpay of 19": "6205500000000000004",
}
SECRETS = [
    "sk_test_51HabcDEFghi",
    "sk_live_" + "x" * 38,
    "rk_live_abc123",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_ab+/cd==",
    "ret_" + "Ab1" * 14 + "z",
]


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS.keys())
@pytest.mark.parametrize(
    "text",
    ["{}", "number={}&cvc=1", '{{"number":"{}"}}', "paid with {}.", "({})", "a {}, b", "x:{}\n",
     "no_{}", "v1.{}", "{}.5", "2 {}", "2 {} 3", r"b'\n{}'"],
)  # fmt: skip
def test_a_card_number_is_masked_wherever_it_stands(text: str, card: str) -> None:
    assert card not in mask(text.format(card))


@pytest.mark.parametrize(
    "spaced", ["4242 4242 4242 4242", "4242-4242-4242-4242", "4242.4242.4242.4242"]
)
def test_a_card_number_in_groups_is_masked(spaced: str) -> None:
    assert mask(f"paid with {spaced} today") == "paid with [card] today"


@pytest.mark.parametrize("zero", ["\N{ARABIC-INDIC DIGIT ZERO}", "\N{FULLWIDTH DIGIT ZERO}"])
def test_a_card_number_in_other_digits_is_masked(zero: str) -> None:
    card = "".join(chr(ord(zero) + int(digit)) for digit in CARDS["visa"])
    assert mask(f"paid with {card}") == "paid with [card]"


@given(
    st.lists(
        st.sampled_from(["", " ", "-", ".", "/", "_", "\u00a0", "\u2011"]), min_size=15, max_size=15
    )
)
def test_a_card_number_is_masked_however_it_is_grouped(between: list[str]) -> None:
    digits = CARDS["visa"]
    card = digits[0] + "".join(map("".join, zip(between, digits[1:], strict=True)))
    assert mask(f"paid with {card}.") == "paid with [card]."


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "text", ["{}", "Bearer {}", "key={}&a=b", '"{}"', "(see {})", "my_{}", r"b'a\n{}'"]
)
def test_a_secret_is_masked_wherever_it_stands(text: str, secret: str) -> None:
    assert secret not in mask(text.format(secret))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T04:34:34.123456Z",
        "4242424242424241",  # fails Luhn
        "po_01h45ytscbebyvny4gc8cr8ma2 paid 4999 EUR",
        "018d3f5e-6ad9-72de-bb57-890e9982d142",
        "cs_test_a1b2c3d4e5f6g7h8i9j0",
        "12345678901",
        "task_test_1",
        "f4242424242424242a",
        " ".join("12345678901" for _ in range(20_000)),
        "whsec",
        "sk_test",
        "cvc_check pass",
        "cvc: unchecked",
        "postgresql://host/database",
    ],
)
def test_what_is_neither_is_left_as_it_is(text: str) -> None:
    assert mask(text) == text


@given(st.text(max_size=200))
def test_what_was_masked_needs_no_masking(text: str) -> None:
    assert mask(mask(text)) == mask(text)


# --- what is taken for a card, and what is not -------------------------------------------------


@pytest.mark.parametrize("number", TEST_CARDS)
def test_every_test_card_is_taken_for_one(number: str) -> None:
    assert mask(f"paid with {number}") == "paid with [card]"
    assert holds_card_or_secret(number)


def with_luhn(body: str) -> str:
    """The digits and the one that makes them pass."""
    digits = [int(char) for char in reversed(body)]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[::2])
    return body + str(-(doubled + sum(digits[1::2])) % 10)


NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    "like",
    [
        lambda n: f"20261125{n:08}",  # an order of a day
        lambda n: f"{1_764_000_000_000 + n}",  # a time in milliseconds
        lambda n: f"{1_764_000_000_000_000 + n}",  # in microseconds
        lambda n: f"{1_764_000_000_000_000_000 + n}",  # in nanoseconds
        lambda n: f"+49 15{n % 10} {1_000_000 + n}",  # telephone numbers
        lambda n: f"+4477{10_000_000 + n}",
        lambda n: f"+62 8{100_000_000 + n}",
        lambda n: f"{n:012}",
        lambda n: f"192.168.{n % 256}.{n % 199} 10.20.30.40",
        lambda n: (NOW + timedelta(microseconds=n)).isoformat(),
        lambda n: f"cus_{random.Random(n).random()}",
    ],
    ids=range(11),
)
def test_numbers_of_shops_are_not_taken_for_cards(like: object) -> None:
    """One in ten long numbers passes Luhn: a rule by that alone would refuse a tenth of them."""
    assert callable(like)
    assert [like(n) for n in range(0, 50_000, 7) if mask(like(n)) != like(n)] == []


def test_no_uuid_is_taken_for_a_card_whatever_its_digits() -> None:
    chance = random.Random(7)
    for _ in range(20_000):
        text = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        assert not holds_card_or_secret(text), text
    assert not holds_card_or_secret("42424242-4242-4242-8424-424242424242")


@given(st.text(alphabet="0123456789 -.", min_size=12, max_size=60))
def test_the_quick_look_overlooks_nothing(text: str) -> None:
    assert mask(text) == text or is_suspect(text)


@pytest.mark.parametrize(
    "text",
    [f"4242{gap}4242{gap}4242{gap}4242" for gap in ("%20", "%2d", "%2D", "%2E", "%C2%A0")],
)
def test_a_card_number_is_masked_in_a_url(text: str) -> None:
    url = f"https://shop.example/back?card={text}&x=1"
    assert mask(url) == "https://shop.example/back?card=[card]&x=1"
    assert holds_card_or_secret(url)
    every = "".join(f"%{byte:02x}" for byte in text.encode())
    assert holds_card_or_secret(f"https://shop.example/{every}")
    assert not holds_card_or_secret("https://shop.example/%20%2e?a=%D8%A7&b=2026%2D11%2D25")


# --- check codes, keys, passwords --------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["cvc=7391", "CVV: 739", '{"cvc":"7391"}', "{'cvv2': 739}", "card_cvc=739&a=b",
     "Security Code: 739", r'{\"cvc\": \"7391\"}'],
)  # fmt: skip
def test_a_check_code_is_masked_after_its_name(text: str) -> None:
    assert "739" not in mask(text)
    assert holds_card_or_secret(text)


def test_a_master_key_and_a_password_in_an_address_are_masked() -> None:
    key = base64.b64encode(bytes(range(32))).decode()
    assert mask(f"key {key}.") == "key [secret]."
    assert mask("to postgresql://app:pass@word@db/x") != "to postgresql://app:pass@word@db/x"
    assert mask("to postgresql://app:p455@db/x") == "to postgresql://app:[secret]@db/x"


# --- bodies ------------------------------------------------------------------------------------

CARD = "4242424242424242"
ESCAPED = "".join(f"\\u00{ord(char):02x}" for char in CARD)


@pytest.mark.parametrize(
    "body",
    [
        f'{{"a":"{CARD}"}}',
        f'{{"a":{CARD}}}',
        f'{{"a":{{"b":["x {CARD} y",1]}}}}',
        f'{{"{CARD}":1}}',
        f'{{"a":"{ESCAPED}"}}',
        '{"a":"4242 4242 4242 4242"}',
        f"number={CARD}&x=1",
        f'["{CARD}"',
        f'"{CARD}"',
        "paid with 4242-4242 4242.4242, no JSON",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16"])
def test_a_body_loses_its_card_number_wherever_it_stands(body: str, encoding: str) -> None:
    masked = mask_body(body.encode(encoding))
    digits = bytes(byte for byte in masked if 48 <= byte <= 57)
    assert CARD.encode() not in digits
    assert b"00340032" not in digits  # the escapes
    assert b"[card]" in masked


def test_what_else_a_body_says_stays_as_it_was() -> None:
    said = {"id": "evt_1", "n": 12.5, "t": True, "z": None, "ü": ["é", {"card": CARD, "k": 1}]}
    masked = json.loads(mask_body(json.dumps(said).encode()))
    assert masked == {**said, "ü": ["é", {"card": "[card]", "k": 1}]}


@pytest.mark.parametrize("code", ['"7391"', "739"])
@pytest.mark.parametrize("name", ["cvc", "CVV2", "card_cvc", "securityCode"])
def test_a_body_loses_a_check_code(name: str, code: str) -> None:
    assert "739" not in mask_body(f'{{"{name}":{code}}}'.encode()).decode()


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "evt_1",  "created":1764055000,"amount":4999}',
        b'{"cvc_check":"pass", "three_d_secure":null, "security":"x"}',
        b'{"id":"4242424242424241"}',
        '{"name":"Jörg Müller",  "n":1.0}'.encode(),
        b"\x00\xff not JSON \x80",
        b"",
        b"[" * 100_000,
        b'{"n":' + b"7" * 5_000 + b"}",
    ],
    ids=range(8),
)
def test_a_body_without_card_data_stays_byte_for_byte(body: bytes) -> None:
    assert mask_body(body) is body or mask_body(body) == body


@given(st.binary(max_size=300))
def test_any_bytes_can_be_masked(body: bytes) -> None:
    assert mask_body(mask_body(body)) == mask_body(body)
