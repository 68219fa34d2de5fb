"""Which keys a process holds, how they are written, and that none of them shows."""

import base64

import pytest

from payloom.core.master_keys import HELD_MAX, MasterKeys, NotMasterKeys, id_of, parse, written

ONE, TWO, THREE = (bytes([number]) * 32 for number in (1, 2, 3))


def text(key: bytes) -> str:
    return base64.b64encode(key).decode()


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        (text(ONE), (ONE,)),
        (f" {text(ONE)}\n", (ONE,)),
        (f"{text(TWO)},{text(ONE)}", (TWO, ONE)),
        (f"{text(TWO)}, {text(ONE)}", (TWO, ONE)),
        (f"{text(THREE)}\n{text(TWO)}\n{text(ONE)}\n", (THREE, TWO, ONE)),
    ],
)
def test_keys_are_read_in_their_order(given: str, keys: tuple[bytes, ...]) -> None:
    assert parse(given) == keys


@pytest.mark.parametrize("between", [",", "\n"])
def test_what_is_written_is_read_again(between: str) -> None:
    assert parse(written((TWO, ONE), between)) == (TWO, ONE)


@pytest.mark.parametrize(
    "given",
    [
        "", ",", f"{text(ONE)},", f"{text(ONE)},{text(ONE)}", text(ONE)[:-4], "é" * 44,
        f"{text(ONE)};{text(TWO)}", ",".join(text(bytes([n]) * 32) for n in range(HELD_MAX + 1)),
    ],
)  # fmt: skip
def test_what_holds_no_keys_is_refused_and_not_quoted(given: str) -> None:
    with pytest.raises(NotMasterKeys) as refused:
        parse(given)
    assert text(ONE) not in str(refused.value)


def test_a_key_is_found_by_an_id_that_tells_nothing_of_it() -> None:
    keys = MasterKeys([TWO, ONE])
    assert keys.newest == id_of(TWO)
    assert keys.ids == (id_of(TWO), id_of(ONE))
    assert (keys.get(id_of(ONE)), keys.get(id_of(THREE))) == (ONE, None)
    assert id_of(ONE) not in (ONE.hex()[:16], text(ONE)[:16])


def test_an_unknown_key_is_looked_for_once_more() -> None:
    stored = [ONE]
    keys = MasterKeys([ONE], read_again=lambda: stored)
    assert keys.get(id_of(TWO)) is None
    stored.insert(0, TWO)
    assert keys.get(id_of(TWO)) == TWO
    assert keys.get(id_of(ONE)) == ONE
    assert keys.newest == id_of(TWO)
    stored.remove(ONE)
    assert keys.get(id_of(THREE)) is None
    assert keys.get(id_of(ONE)) == ONE  # what was held once stays held


@pytest.mark.parametrize("broken", [FileNotFoundError("gone"), NotMasterKeys("damaged")])
def test_a_file_that_cannot_be_read_again_takes_no_key_away(broken: Exception) -> None:
    def read() -> list[bytes]:
        raise broken

    keys = MasterKeys([ONE], read_again=read)
    assert keys.get(id_of(TWO)) is None
    assert keys.get(id_of(ONE)) == ONE


def test_no_key_shows_in_what_is_printed() -> None:
    keys = MasterKeys([TWO, ONE])
    for shown in (repr(keys), f"{keys}", repr(keys.setting), keys.label):
        for key in (ONE, TWO):
            assert text(key) not in shown
            assert key.hex() not in shown
    assert keys.setting.reveal() == f"{text(TWO)},{text(ONE)}"


def test_the_label_fits_the_name_of_a_session() -> None:
    keys = MasterKeys([bytes([number]) * 32 for number in range(HELD_MAX)])
    assert len(f"payloom {keys.label}") < 64  # PostgreSQL cuts longer ones
