"""Where goods go: a name and an address, each field of which is answered, given or not."""

from typing import Any

from payloom.sandbox.stripe.protocol import params

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_TEXTS = ("carrier", "name", "phone", "tracking_number")
_address = params.hash_of(dict.fromkeys(_ADDRESS, params.text(may_be_empty=True)))
_shipping = params.hash_of(
    {"address": _address, **dict.fromkeys(_TEXTS, params.text(may_be_empty=True))},
    required=("address", "name"),
)


def check_shipping(value: Any, name: str) -> dict[str, Any] | None:
    """The whole of it; nothing where `shipping=` takes it away."""
    given = _shipping(value, name)
    if not given:
        return None
    address = {**dict.fromkeys(_ADDRESS), **given["address"]}
    return {**dict.fromkeys(_TEXTS), **given, "address": address}
