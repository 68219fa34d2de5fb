"""A payment order as the bytes of an answer: the same for the API and for what a key keeps."""

import json

from payloom.core.idempotency import Answer
from payloom.payments.model import Payment
from payloom.payments.states import Status
from payloom.payments.view import show


def answer_of(payment: Payment, *, is_new: bool) -> Answer:
    """201 for a new order, 200 for a known one, 202 while the PSP has not answered."""
    body = json.dumps(show(payment), separators=(",", ":"), ensure_ascii=False).encode()
    where = {"Location": f"/v1/payment-orders/{payment.order.public_id}"}
    if payment.order.status is Status.CREATED:
        return Answer(202, body, {**where, "Retry-After": "1"}, is_final=False)
    return Answer(201, body, where) if is_new else Answer(200, body)
