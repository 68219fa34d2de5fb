"""The shop's settings."""

from pathlib import Path

import pytest

from payloom.shop import InvalidSettings, Settings
from tests.shop.stand_in import API_KEY, RETURN_SECRET, WEBHOOK_SECRET

GOOD = {
    "SHOP_API_URL": "http://127.0.0.1:8400/",
    "SHOP_API_KEY": API_KEY,
    "SHOP_RETURN_SECRET": RETURN_SECRET,
    "SHOP_WEBHOOK_SECRET": WEBHOOK_SECRET,
    "SHOP_STORE": "/tmp/shop.sqlite",
}


def test_good_settings_are_read_and_the_rest_has_defaults() -> None:
    settings = Settings.from_env(GOOD)
    assert settings.api_url == "http://127.0.0.1:8400"
    assert settings.store == Path("/tmp/shop.sqlite")
    assert (settings.currency, settings.public_url) == ("EUR", "")


def test_every_mistake_is_reported_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_env({"SHOP_API_URL": "ftp://x", "SHOP_CURRENCY": "XXX", "SHOP_API_KEY": "k"})
    named = [mistake.split()[0] for mistake in caught.value.mistakes]
    assert named == [
        "SHOP_API_URL",
        "SHOP_API_KEY",
        "SHOP_RETURN_SECRET",
        "SHOP_WEBHOOK_SECRET",
        "SHOP_STORE",
        "SHOP_CURRENCY",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHOP_API_URL", "http://"),
        ("SHOP_API_URL", "http://host:port"),
        ("SHOP_PUBLIC_URL", "shop.example"),
        ("SHOP_WEBHOOK_SECRET", "whsec_!!!!"),
        ("SHOP_WEBHOOK_SECRET", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("SHOP_CURRENCY", "eur"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_but_not_repeated(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_env(GOOD | {name: value})
    (mistake,) = caught.value.mistakes
    assert mistake.startswith(f"{name} ")
    assert value not in mistake.removeprefix(name)


def test_secrets_stay_out_of_the_settings_text() -> None:
    text = repr(Settings.from_env(GOOD))
    assert not [secret for secret in (API_KEY, RETURN_SECRET, WEBHOOK_SECRET) if secret in text]
