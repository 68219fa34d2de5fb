"""Reading pages as a browser does, as far as a shopper needs: forms and links."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Form:
    """Where it goes, and what it sends when nobody changes anything."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """The forms and links of one page."""

    def __init__(self, url: str, text: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._form: Form | None = None
        self._select = ""
        self.feed(text)

    def form(self, fits: Callable[[Form], bool]) -> Form | None:
        """The first form that fits."""
        return next((form for form in self.forms if fits(form)), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None:
            self._read_field(self._form, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def _read_field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        chosen = given.get("type") != "radio" or "checked" in given
        if tag == "input" and name and chosen and given.get("type") not in ("submit", "button"):
            form.values[name] = given.get("value", "")
        elif tag == "select" and name:
            self._select = name
        elif (
            tag == "option"
            and self._select
            and ("selected" in given or self._select not in form.values)
        ):
            form.values[self._select] = given.get("value", "")
