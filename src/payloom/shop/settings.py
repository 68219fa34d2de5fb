"""The shop's configuration: read once, every mistake reported together."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from payloom.core import currencies


class InvalidSettings(ValueError):
    """Everything that is wrong with the environment, one line each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    # SHOP_API_URL: where the payment API answers, e.g. http://127.0.0.1:8400
    api_url: str
    # SHOP_API_KEY: the merchant's secret key
    api_key: str = field(repr=False)
    # SHOP_RETURN_SECRET: signs the query the shopper brings back
    return_secret: str = field(repr=False)
    # SHOP_WEBHOOK_SECRET: the webhook endpoint's whsec_ secret
    webhook_secret: str = field(repr=False)
    # SHOP_STORE: the SQLite file with carts, orders and events
    store: Path
    # SHOP_PUBLIC_URL: how browsers reach the shop; unset: the address it listens on
    public_url: str = ""
    # SHOP_CURRENCY: what the prices are in
    currency: str = "EUR"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read SHOP_*; raises InvalidSettings naming every variable that is wrong."""
        mistakes: list[str] = []

        def read(name: str, check: Callable[[str], str | None], default: str | None = None) -> str:
            value = environ.get(name, "").strip() or default
            mistake = "is not set" if value is None else (check(value) if value else None)
            if mistake:
                mistakes.append(f"{name} {mistake}")
            return value or ""

        settings = cls(
            api_url=read("SHOP_API_URL", _check_url).rstrip("/"),
            api_key=read("SHOP_API_KEY", _check_api_key),
            return_secret=read("SHOP_RETURN_SECRET", lambda _: None),
            webhook_secret=read("SHOP_WEBHOOK_SECRET", _check_webhook_secret),
            store=Path(read("SHOP_STORE", lambda _: None)),
            public_url=read("SHOP_PUBLIC_URL", _check_url, default="").rstrip("/"),
            currency=read("SHOP_CURRENCY", _check_currency, default="EUR"),
        )
        if mistakes:
            raise InvalidSettings(mistakes)
        return settings


# What a check says never repeats the value: it may be a secret.
def _check_url(value: str) -> str | None:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  # raises when it is not a number
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "must be an http or https URL"
    return None


def _check_api_key(value: str) -> str | None:
    return None if value.startswith(("sk_test_", "sk_live_")) else "must start with sk_test_"


def _check_webhook_secret(value: str) -> str | None:
    try:
        key = base64.b64decode(value.removeprefix("whsec_") + "==")
    except (binascii.Error, ValueError):
        key = b""
    return None if value.startswith("whsec_") and key else "must be a whsec_ secret"


def _check_currency(value: str) -> str | None:
    return None if value in currencies.EXPONENTS else "must be an ISO 4217 code such as EUR"
