"""Reads the form and the message of a hosted page: as much of HTML as these have."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Form:
    """Its first form: where it is sent, what is filled in, and what its buttons say."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    buttons: dict[str, list[str]] = field(default_factory=dict)


def read(html: str) -> tuple[Form | None, str]:
    """The form, if there is one, and the text of the alert, or else of the heading."""
    reader = _Reader()
    reader.feed(html)
    return reader.form, " ".join((reader.alert or reader.heading).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.form: Form | None = None
        self.alert = ""
        self.heading = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if given.get("role") == "alert":
            self._inside = "alert"
        elif tag == "h1":
            self._inside = "heading"
        if tag == "form" and self.form is None:
            self.form = Form(given.get("action", ""))
        elif self.form is not None and "name" in given:
            self._add(tag, given["name"], given)

    def _add(self, tag: str, name: str, given: dict[str, str]) -> None:
        assert self.form is not None
        if tag == "button":
            self.form.buttons.setdefault(name, []).append(given.get("value", ""))
            return
        self.form.names.add(name)
        is_chosen = given.get("type") not in ("radio", "checkbox") or "checked" in given
        if tag == "input" and is_chosen:
            self.form.values[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("div", "h1", "p"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "alert":
            self.alert += data
        elif self._inside == "heading":
            self.heading += data
