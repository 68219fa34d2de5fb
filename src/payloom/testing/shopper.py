"""A shopper without a browser, on the hosted page: fills in the form, and answers the bank."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode, urljoin, urlsplit

from payloom.testing.forms import Form, read

VISA = "4242424242424242"  # pays
DECLINED = "4000000000000002"
CHALLENGE = "4000000000003220"  # asks for 3-D Secure, then pays

TIMEOUT_S = 60.0
STEPS_MAX = 10
_CARD = {"cardExpiry": "12 / 34", "cardCvc": "123"}
_PERSON = {"email": "jo@example.com", "billingName": "Jo Weaver", "billingCountry": "IE"}


@dataclass(frozen=True, slots=True)
class Paid:
    """Where the shopper stands in the end."""

    redirected_to: str | None  # into the shop; None: still on the page
    message: str  # what the page said last, where it asks to try again

    @property
    def is_done(self) -> bool:
        """The page let the shopper go on to the shop."""
        return self.redirected_to is not None


@dataclass(frozen=True, slots=True)
class _Page:
    url: str
    location: str | None
    html: str


class Shopper:
    def pay(
        self,
        session_url: str,
        card: str = VISA,
        *,
        authenticates: bool = True,
        fields: Mapping[str, str] | None = None,
    ) -> Paid:
        """Open the page and pay by card; where the bank asks for 3-D Secure, pass it or fail.

        `fields` are further fields of the form, by their names, or other values for the usual.
        """
        page = self._get(session_url)
        form, _ = read(page.html)
        if form is None or "cardNumber" not in form.names:
            return Paid(None, _message(page) or "There is nothing to pay on this page.")
        typed = {**_PERSON, **_CARD, "cardNumber": card, **(fields or {})}
        if "method" in form.names:
            typed = {"method": "card", **typed}
        page = self._post(page, form, typed)
        for _ in range(STEPS_MAX):
            if page.location is not None:
                url = urljoin(page.url, page.location)
                if urlsplit(url).netloc != urlsplit(session_url).netloc or not _is_page(url):
                    return Paid(url, "")
                page = self._get(url)
                continue
            form, _ = read(page.html)
            if form is None or "complete" not in form.buttons.get("action", ()):
                return Paid(None, _message(page))
            answer = "complete" if authenticates else "fail"
            page = self._post(page, form, {"action": answer})
        return Paid(None, "The page leads in circles.")

    def _get(self, url: str) -> _Page:
        return _request("GET", url, None)

    def _post(self, page: _Page, form: Form, typed: Mapping[str, str]) -> _Page:
        body = urlencode({**form.values, **typed})
        return _request("POST", urljoin(page.url, form.action), body)


def _is_page(url: str) -> bool:
    return urlsplit(url).path.startswith("/c/pay/")


def _message(page: _Page) -> str:
    return read(page.html)[1]


def _request(method: str, url: str, body: str | None) -> _Page:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
    headers = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        target = parts._replace(scheme="", netloc="", fragment="").geturl()
        connection.request(method, target, body, headers)
        with connection.getresponse() as answer:
            return _Page(url, answer.getheader("Location"), answer.read().decode())
    finally:
        connection.close()
