"""A payment order as the bytes of an answer: the same for the API and for what a key keeps."""

import json

from payloom.core.idempotency import Answer
from payloom.payments.model import Payment
from payloom.payments.states import Status
from payloom.payments.view import show


def answer_of(payment: Payment, *, is_new: bool) -> Answer:
    """201 for a new page, 200 for a known order, 202 while the PSP has not answered."""
    if payment.order.status is Status.CREATED:
        return _not_known_yet(payment)
    body = _body(payment)
    return Answer(201, body, _location(payment)) if is_new else Answer(200, body)


def answer_to_cancel(payment: Payment) -> Answer:
    """200 once it is canceled, 202 while the PSP has not said that the page is dead."""
    is_done = payment.order.status is Status.CANCELED
    return Answer(200, _body(payment)) if is_done else _not_known_yet(payment)


def _not_known_yet(payment: Payment) -> Answer:
    where = {**_location(payment), "Retry-After": "1"}
    return Answer(202, _body(payment), where, is_final=False)


def _location(payment: Payment) -> dict[str, str]:
    return {"Location": f"/v1/payment-orders/{payment.order.public_id}"}


def _body(payment: Payment) -> bytes:
    return json.dumps(show(payment), separators=(",", ":"), ensure_ascii=False).encode()
