"""What a shop asks for: the body of `POST /v1/payment-orders`, checked field by field."""

import hashlib
import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from payloom.core.currencies import EXPONENTS
from payloom.core.errors import FieldError, InvalidRequest
from payloom.core.masking import NOT_TAKEN, holds_card_or_secret
from payloom.core.money import AMOUNT_MAX
from payloom.core.web.requests import Strict

MethodType = Literal[
    "card", "netbanking", "upi", "wallet", "bnpl", "bank_debit", "bank_redirect", "voucher"
]
EXPIRES_IN_DEFAULT = 85_800

_ONLY_HTTPS = "must be https (http to this machine's loopback address in test mode)"
_COUNTRY = re.compile(r"[A-Z]{2}")
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,4})?")


class NotSupported(InvalidRequest):
    code = "not_supported"
    title = "This is not available yet"


def _printable(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError("must be printable text without spaces at its ends")
    return text


def _no_card_data(text: str) -> str:
    if holds_card_or_secret(text):
        raise ValueError(NOT_TAKEN)
    return text


def _no_check_code(metadata: dict[str, str]) -> dict[str, str]:
    """Three digits are card data only under such a name."""
    for name, value in metadata.items():
        _no_card_data(f"{name}={value}")
    return metadata


def _currency(code: str) -> str:
    if code not in EXPONENTS:
        raise ValueError("must be an ISO 4217 code in capitals, like EUR")
    return code


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be a URL like https://shop.example.com/return") from None
    if not host or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("must be a URL like https://shop.example.com/return, percent-encoded")
    if parts.username is not None or parts.fragment:
        raise ValueError("must have no user name, password or fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(host)):
        raise ValueError(_ONLY_HTTPS)
    return text


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _matches(pattern: re.Pattern[str], example: str) -> Any:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"must look like {example}")
        return text

    return AfterValidator(check)


Text = Annotated[str, AfterValidator(_no_card_data)]
Amount = Annotated[int, Field(gt=0, le=AMOUNT_MAX, description="Minor units of the currency")]
Currency = Annotated[str, AfterValidator(_currency), Field(description="ISO 4217, in capitals")]
ExpiresIn = Annotated[int, Field(ge=2_100, le=86_100, description="Seconds")]
Psp = Annotated[Text | None, Field(max_length=31)]
Url = Annotated[
    Text,
    Field(max_length=2000, description="https; http on loopback in test mode"),
    AfterValidator(_url),
]


Metadata = Annotated[
    dict[
        Annotated[Text, Field(min_length=1, max_length=40)], Annotated[Text, Field(max_length=500)]
    ],
    Field(max_length=50),
    AfterValidator(_no_check_code),
]


class WantedLine(Strict):
    name: Annotated[Text, Field(min_length=1, max_length=250)]
    quantity: Annotated[int, Field(gt=0, le=999_999)]
    unit_amount: Annotated[int, Field(ge=0, le=AMOUNT_MAX)]


class WantedCustomer(Strict):
    id: Annotated[Text | None, Field(max_length=200)] = None
    email: Annotated[Text, _matches(_EMAIL, "ada@example.com")] | None = None
    name: Annotated[Text | None, Field(max_length=200)] = None
    country: Annotated[str, _matches(_COUNTRY, "DE (ISO 3166-1)")] | None = None


class WantedOrder(Strict):
    """A payment order to be. Defaults as documented; unknown fields are refused."""

    reference: Annotated[
        Text,
        Field(min_length=1, max_length=120, description="The shop's own name of this order"),
        AfterValidator(_printable),
    ]
    amount: Amount
    currency: Currency
    return_url: Url
    payment_type: Literal["SALE", "RECC"] = "SALE"
    payment_method: Literal["APM", "CARD"] = "APM"
    method_types: Annotated[list[MethodType], Field(max_length=8, default_factory=list)]
    psp: Psp = None
    capture: Literal["automatic", "manual"] = "automatic"
    cancel_url: Url | None = None
    description: Annotated[Text | None, Field(min_length=1, max_length=500)] = None
    line_items: Annotated[list[WantedLine], Field(max_length=100, default_factory=list)]
    customer: WantedCustomer | None = None
    metadata: Metadata = Field(default_factory=dict)
    expires_in: ExpiresIn = EXPIRES_IN_DEFAULT
    locale: Annotated[str, _matches(_LOCALE, "en or pt-BR")] | None = None

    @field_validator("line_items")
    @classmethod
    def _lines_add_up(cls, lines: list[WantedLine], info: ValidationInfo) -> list[WantedLine]:
        amount = info.data.get("amount")  # missing when it has a mistake of its own
        total = sum(line.quantity * line.unit_amount for line in lines)
        if lines and amount is not None and total != amount:
            raise ValueError(f"must add up to amount {amount}, not to {total}")
        return lines

    @property
    def fingerprint(self) -> bytes:
        """What tells two orders of one reference apart."""
        return hashlib.sha256(self.canonical).digest()


class WantedAttempt(Strict):
    """A new try to get an order paid: a new page, at the same PSP unless another is named."""

    psp: Psp = None
    expires_in: ExpiresIn = EXPIRES_IN_DEFAULT


def check_supported(wanted: WantedOrder, mode: str) -> None:
    """What no field can tell alone. Raises NotSupported or InvalidRequest with all mistakes."""
    missing = [
        FieldError(field, f"{value} is not available yet")
        for field, value in (
            ("payment_type", wanted.payment_type),
            ("payment_method", wanted.payment_method),
            ("capture", wanted.capture),
        )
        if value in ("RECC", "CARD", "manual")
    ]
    if missing:
        raise NotSupported(errors=missing)
    urls = (("return_url", wanted.return_url), ("cancel_url", wanted.cancel_url))
    if mode == "live" and (plain := [name for name, url in urls if url and _is_plain(url)]):
        raise InvalidRequest(errors=[FieldError(name, _ONLY_HTTPS) for name in plain])


def _is_plain(url: str) -> bool:
    return urlsplit(url).scheme == "http"
