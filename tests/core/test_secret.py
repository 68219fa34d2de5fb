"""A secret never shows by itself (S23)."""

import json
import traceback

import pytest

from payloom.core.secret import Secret

TEXT = "sk_test_canary0123456789"


def test_no_way_of_printing_it_shows_a_secret() -> None:
    secret = Secret(TEXT)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", repr([secret])]
    assert not any(TEXT in text for text in shown)
    assert secret.reveal() == TEXT


def test_it_does_not_become_json() -> None:
    with pytest.raises(TypeError):
        json.dumps({"key": Secret(TEXT)})


def test_a_traceback_does_not_show_it() -> None:
    with pytest.raises(ValueError, match="Secret") as broken:
        raise ValueError(Secret(TEXT))
    assert TEXT not in "".join(traceback.format_exception(broken.value))


def test_equal_secrets_are_equal() -> None:
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("other")
    assert Secret(TEXT) != TEXT
    assert len({Secret(TEXT), Secret(TEXT)}) == 1
