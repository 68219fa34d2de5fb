"""A text that never shows: not in repr, not in logs, not in tracebacks (S23)."""


class Secret:
    """Wraps a secret; `reveal()` is the one way to its text, and easy to grep for."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)
