import re
from collections.abc import Callable

import pytest

from payloom.merchants import keys
from payloom.merchants.model import Mode


@pytest.mark.parametrize("mode", ["test", "live"])
def test_a_new_key_shows_its_mode_and_looks_right(mode: Mode) -> None:
    key = keys.new_key(mode)
    assert re.fullmatch(rf"sk_{mode}_[0-9A-Za-z]{{38}}", key)
    assert keys.looks_right(key)


def test_every_mistyped_character_is_noticed() -> None:
    key = keys.new_key("test")
    for at, right in enumerate(key):
        for wrong in "0aZ_":
            if wrong != right:
                assert not keys.looks_right(key[:at] + wrong + key[at + 1 :]), at


def test_every_pair_of_swapped_characters_is_noticed() -> None:
    key = keys.new_key("live")
    for at in range(len(key) - 1):
        if key[at] != key[at + 1]:
            swapped = key[:at] + key[at + 1] + key[at] + key[at + 2 :]
            assert not keys.looks_right(swapped), at


@pytest.mark.parametrize(
    "change",
    [
        lambda key: "",
        lambda key: key[:-1],
        lambda key: key + "0",
        lambda key: key + "\n",
        lambda key: " " + key,
        lambda key: key.replace("sk_", "pk_"),
        lambda key: key.replace("_test_", "_live_"),
        lambda key: key.upper(),
        lambda key: key[:8] + "٣" + key[9:],  # a digit, but not one of ours
    ],
)
def test_what_is_not_quite_a_key_is_refused(change: Callable[[str], str]) -> None:
    assert not keys.looks_right(change(keys.new_key("test")))


def test_a_fitting_checksum_does_not_make_a_key_of_another_length() -> None:
    for unchecked in ("sk_test_" + "a" * 31, "sk_test_" + "a" * 33):
        assert not keys.looks_right(unchecked + keys._checksum(unchecked))


def test_no_two_keys_are_alike_and_every_position_is_random() -> None:
    made = [keys.new_key("test") for _ in range(2_000)]
    assert len(set(made)) == len(made)
    for at in range(8, 40):
        assert len({key[at] for key in made}) == 62, at


def test_a_hint_gives_away_only_the_end_of_the_checksum() -> None:
    key = keys.new_key("test")
    assert keys.hint(key) == f"sk_test_…{key[-4:]}"
