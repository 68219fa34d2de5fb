"""Our words in Stripe's and back: pure functions, no I/O.

Field names and states: Checkout Session and PaymentIntent of API version VERSION.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from payloom.connectors.contract import (
    AmountNotSupported,
    Decline,
    Expired,
    Failed,
    LineItem,
    Method,
    Outcome,
    Paid,
    Processing,
    Registered,
    Registration,
    StillOpen,
    Unknown,
)
from payloom.connectors.stripe.currencies import from_stripe, scaled, to_stripe
from payloom.connectors.stripe.marks import ATTEMPT, PAYMENT_ORDER, REFERENCE, mark
from payloom.connectors.stripe.methods import TYPE_OF, allowed
from payloom.connectors.stripe.words import word
from payloom.core.errors import FieldError
from payloom.core.money import AMOUNT_MAX

VERSION = "2026-10-28.endive"

_TOKEN = re.compile(r"cs_\w{1,250}", re.ASCII)  # it becomes part of paths
ID_MAX = 255
NAME_MAX = 250  # characters of a product's name

_LOCALES = frozenset(
    "bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl "
    "pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW hi-IN".split()
)


def to_session(registration: Registration) -> dict[str, Any]:
    """Parameters of `POST /v1/checkout/sessions`. Raises AmountNotSupported and
    MethodTypeUnavailable."""
    total = to_stripe(registration.amount)
    marks = {
        ATTEMPT: registration.attempt,
        PAYMENT_ORDER: registration.payment_order,
        REFERENCE: registration.reference,
    }
    session: dict[str, Any] = {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "success_url": registration.success_url,
        "cancel_url": registration.cancel_url,
        "expires_at": int(registration.expires_at.timestamp()),
        "client_reference_id": registration.payment_order,
        "line_items": _line_items(registration, total),
        "metadata": marks,
        "payment_intent_data": {"metadata": marks},
        "adaptive_pricing": {"enabled": False},
    }
    if registration.description:
        session["payment_intent_data"]["description"] = registration.description
    if registration.customer_email:
        session["customer_email"] = registration.customer_email
    if registration.locale in _LOCALES:
        session["locale"] = registration.locale
    if methods := allowed(registration.method_types, registration.amount.currency):
        session["allowed_payment_method_types"] = methods
    return session


def encode(params: Mapping[str, Any]) -> str:
    """The form body as Stripe's own clients write it: nested keys in raw brackets."""
    return urlencode(list(_flat(params)), safe="[]")


def registered(session: Mapping[str, Any]) -> Registered | Unknown:
    """A created session; one without id and URL is an answer we do not understand."""
    token, url = session.get("id"), session.get("url")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return Unknown("the answer to a registration has no id of a session")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        return Unknown("the answer to a registration has no url")
    return Registered(token, url)


def found(session: Mapping[str, Any]) -> Outcome:
    """A session that turned up in a list: open ones carry their page, others their end."""
    return registered(session) if session.get("status") == "open" else outcome(session)


def outcome(session: Mapping[str, Any], *, failed: bool = False) -> Outcome:
    """What a session's three states say together.

    (status, payment_status, payment_intent.status); `failed` is what the event type
    `checkout.session.async_payment_failed` adds, since its session looks like one in processing.
    """
    match (session.get("status"), session.get("payment_status")):
        case ("open", _):
            return StillOpen(_decline(_intent(session)))
        case ("expired", _):
            return Expired()
        case ("complete", "paid"):
            return _paid(session)
        case ("complete", "unpaid"):
            intent = _intent(session)
            if failed or intent.get("status") in ("requires_payment_method", "canceled"):
                decline = _decline(intent) or Decline("payment_failed")
                return Failed(decline, _intent_id(session))
            if intent.get("status") in (None, "processing", "requires_action"):
                return Processing(_intent_id(session))
    states = (session.get("status"), session.get("payment_status"), _intent(session).get("status"))
    return Unknown(f"a session in states {states}")


def declined(intent: Mapping[str, Any]) -> StillOpen:
    """A try that failed while the page stays payable: `payment_intent.payment_failed`."""
    return StillOpen(_decline(intent))


def attempt_of(thing: Mapping[str, Any]) -> str | None:
    """Our attempt's id in a session, payment intent, charge or refund; None: not ours."""
    return mark(thing, ATTEMPT)


def _paid(session: Mapping[str, Any]) -> Outcome:
    amount, currency, intent = (
        session.get("amount_total"),
        session.get("currency"),
        _intent_id(session),
    )
    if type(amount) is not int or not isinstance(currency, str) or intent is None:
        return Unknown("a paid session without amount, currency or payment intent")
    try:
        money = from_stripe(amount, currency)
    except ValueError as strange:
        return Unknown(str(strange))
    if not 0 < money.minor <= AMOUNT_MAX:
        return Unknown("a paid session of an amount that nobody pays")
    return Paid(
        amount=money,
        psp_payment=intent,
        payment_order=session.get("client_reference_id"),
        method=_method(_intent(session)),
    )


def _intent(session: Mapping[str, Any]) -> Mapping[str, Any]:
    intent = session.get("payment_intent")
    return intent if isinstance(intent, Mapping) else {}


def _intent_id(session: Mapping[str, Any]) -> str | None:
    intent = session.get("payment_intent")
    return word(intent.get("id") if isinstance(intent, Mapping) else intent, ID_MAX)


def _decline(intent: Mapping[str, Any]) -> Decline | None:
    error = intent.get("last_payment_error")
    if not isinstance(error, Mapping):
        return None
    return Decline(word(error.get("code")) or "processing_error", word(error.get("decline_code")))


def _method(intent: Mapping[str, Any]) -> Method | None:
    charge = intent.get("latest_charge")
    details = charge.get("payment_method_details") if isinstance(charge, Mapping) else None
    if not isinstance(details, Mapping):
        return None
    name = word(details.get("type")) or "unknown"
    card = details.get("card")
    if not isinstance(card, Mapping):
        return Method(TYPE_OF.get(name, name))
    brand, country = word(card.get("brand")), word(card.get("country"))
    return Method(TYPE_OF.get(name, name), brand, word(card.get("last4"), most=4), country)


def _line_items(registration: Registration, total: int) -> list[dict[str, Any]]:
    currency = registration.amount.currency.lower()
    lines = registration.line_items
    if not lines or len(lines) > 100:  # Stripe's limit in payment mode
        name = registration.description or f"Order {registration.reference}"
        return [_line_item(currency, name[:NAME_MAX], 1, total)]
    return [
        _line_item(currency, line.name, line.quantity, _unit_amount(index, line, currency.upper()))
        for index, line in enumerate(lines)
    ]


def _unit_amount(index: int, line: LineItem, currency: str) -> int:
    try:
        return scaled(line.unit_amount, currency)
    except AmountNotSupported as refused:
        field = FieldError(f"line_items[{index}].unit_amount", refused.detail)
        raise AmountNotSupported(refused.detail, errors=[field]) from None


def _line_item(currency: str, name: str, quantity: int, unit_amount: int) -> dict[str, Any]:
    return {
        "quantity": quantity,
        "price_data": {
            "currency": currency,
            "unit_amount": unit_amount,
            "product_data": {"name": name},
        },
    }


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, f"{key}[{name}]" if key else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, item in enumerate(value):
            yield from _flat(item, f"{key}[{index}]")
    elif isinstance(value, bool):
        yield key, json.dumps(value)
    else:
        yield key, str(value)
