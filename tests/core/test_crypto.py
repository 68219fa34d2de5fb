"""What is sealed opens in its own place only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payloom.core.crypto import KEY_BYTES, SealBroken, new_key, seal, unseal

KEY = b"k" * KEY_BYTES
PLACE = b"merchant/connection/api_key/1"


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_what_is_sealed_opens_again(plaintext: bytes, place: bytes) -> None:
    assert unseal(KEY, seal(KEY, plaintext, bound_to=place), bound_to=place) == plaintext


def test_every_changed_byte_is_noticed() -> None:
    sealed = seal(KEY, b"sk_test_secret", bound_to=PLACE)
    for index in range(len(sealed)):
        changed = bytearray(sealed)
        changed[index] ^= 1
        with pytest.raises(SealBroken):
            unseal(KEY, bytes(changed), bound_to=PLACE)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            unseal(KEY, sealed[:length], bound_to=PLACE)


def test_it_opens_neither_elsewhere_nor_with_another_key() -> None:
    sealed = seal(KEY, b"sk_test_secret", bound_to=PLACE)
    with pytest.raises(SealBroken):
        unseal(KEY, sealed, bound_to=b"merchant/other/api_key/1")
    with pytest.raises(SealBroken):
        unseal(new_key(), sealed, bound_to=PLACE)


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert len({seal(KEY, b"same", bound_to=PLACE) for _ in range(100)}) == 100


def test_a_broken_seal_does_not_quote_what_it_holds() -> None:
    sealed = seal(KEY, b"sk_test_secret", bound_to=PLACE)
    with pytest.raises(SealBroken) as broken:
        unseal(KEY, sealed, bound_to=b"elsewhere")
    assert "sk_test" not in repr(broken.value)
