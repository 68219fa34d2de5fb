"""Texts in Stripe's answers that we keep: its lists are open, but not to everything."""

from payloom.core.masking import holds_card_or_secret


def word(value: object, most: int = 64) -> str | None:
    """A short printable text, which a database can hold and a person read; None for all else,
    and for card data, whoever sends it (F28)."""
    is_word = isinstance(value, str) and value.isprintable() and 0 < len(value) <= most
    return str(value) if is_word and not holds_card_or_secret(str(value)) else None
