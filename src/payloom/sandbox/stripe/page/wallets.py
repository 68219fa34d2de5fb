"""Apple Pay and Google Pay: no methods of their own, they hand over a card of the shopper's.

The sheet that a wallet opens over the page is a page of its own here; the wallet knows the
shopper's address. Who fails it is declined by the bank behind the card.
"""

from datetime import datetime
from typing import Any

from starlette.responses import RedirectResponse, Response

from payloom.sandbox.stripe.checkout import pay
from payloom.sandbox.stripe.methods import payment_methods
from payloom.sandbox.stripe.methods.cards import CARDS
from payloom.sandbox.stripe.methods.typed_card import CardDetails
from payloom.sandbox.stripe.page import approve
from payloom.sandbox.stripe.page.order import facts
from payloom.sandbox.stripe.page.render import page
from payloom.sandbox.stripe.page.visit import Visit

Json = dict[str, Any]

WALLETS = {"apple_pay": "Apple Pay", "google_pay": "Google Pay"}
_OWNER = {"name": "Jenny Rosen", "email": "jenny.rosen@example.com"}
_CARDS = {"complete": CARDS["4242424242424242"], "fail": CARDS["4000000000000002"]}


def offered(session: Json) -> dict[str, str]:
    """Those that the page has buttons for: where a card would do."""
    takes_cards = "card" in session["payment_method_types"]
    return WALLETS if takes_cards and session["amount_total"] else {}


def show(visit: Visit) -> Response:
    """The wallet's sheet; where it is not offered, back to the page."""
    wallet = visit.sent.names["wallet"]
    if wallet not in offered(visit.session):
        return RedirectResponse(visit.path, 303)
    more = {"action": _path(visit), "back": visit.path, "method": WALLETS[wallet]}
    return page("approve.html", 200, {**facts(visit), **more}, visit.language)


def decide(visit: Visit) -> pay.Paid | None:
    """Pay by the wallet's card; None where nothing was decided."""
    wallet, decided = visit.sent.names["wallet"], approve.decision(visit)
    if not decided or wallet not in offered(visit.session):
        return None
    method = payment_methods.keep_card(
        visit.tx,
        CardDetails(_CARDS[decided], 12, _next_year(visit.today), cvc_given=False),
        {**_OWNER, "address": {"country": "US"}},
        visit.secret,
        wallet=wallet,
    )
    url = visit.session["url"]
    return pay.pay(visit.tx, visit.session, method, visit.secret, url=url, by_page=True)


def _path(visit: Visit) -> str:
    return f"{visit.path}/wallet/{visit.sent.names['wallet']}"


def _next_year(today: datetime) -> int:
    return today.year + 1
