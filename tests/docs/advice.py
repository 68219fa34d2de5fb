"""What a caller should do about each error code; test_docs compares the keys with the code."""

ADVICE = {
    "unparsable": "Mend the request; it could not be read.",
    "invalid_json": "Send one JSON object: UTF-8, no key twice, no `NaN`, at most 16 levels deep.",
    "notice_refused": "For PSPs only: check the connection's webhook secret.",
    "unauthorized": "Send `Authorization: Bearer sk_…` with a key of this installation.",
    "forbidden": "Use a key with the scope that `detail` names.",
    "not_found": "Check the id. Malformed ids and those of other merchants answer the same.",
    "method_not_allowed": "See [the routes](api.md#routes).",
    "conflict": "Read the thing again: it has moved on.",
    "reference_conflict": "This `reference` names another order. Use a new one, or the same body.",
    "not_cancelable": "It is paid, on its way to be, or over: read the order. Money goes back by "
    "a refund.",
    "attempt_not_possible": "A new attempt is possible from `PENDING`, `FAILED` and `EXPIRED`: "
    "read the order.",
    "live_merchants": "Move time in an installation of its own, for tests.",
    "idempotency_key_in_use": "Ask again after `Retry-After` seconds, with the same key.",
    "too_many_webhook_endpoints": "Delete one first.",
    "too_many_webhook_secrets": "Rotate again after `Retry-After` seconds.",
    "webhook_endpoint_deleted": "Deleted is for good: make a new endpoint.",
    "webhook_endpoint_disabled": "[Enable it](api.md#enable-a-webhook-endpoint) first.",
    "too_large": "Send less; see [limits](limits.md).",
    "unsupported_media_type": "Send `Content-Type: application/json`.",
    "invalid_request": "`errors` names each field and says what it must be.",
    "amount_not_supported": "The PSP cannot take this amount or currency; `errors` says why.",
    "idempotency_key_reused": "Take a new key for a new request.",
    "method_type_unavailable": "Ask for other `method_types`, or leave them out.",
    "not_supported": "This value is part of the API but not built yet.",
    "psp_unavailable": "The operator must [add a connection](../how-to/connect-stripe.md).",
    "registration_refused": "The PSP said no for good; `payment_order` names the order, now "
    "`FAILED`. Try again with `POST …/attempts`.",
    "not_refundable": "Only money that was taken and is still there can be given back: see "
    "the order's status, `amount_captured` and `amount_refunded`.",
    "amount_too_large": "`errors` says how much is left; undecided refunds count.",
    "refund_refused": "The PSP said no for good; `refund` names the refund, now `FAILED`. Look "
    "at the payment at the PSP, for instance for a dispute.",
    "internal_error": "A bug of ours, logged under `x-request-id`. Repeating under the same "
    "`reference` or `Idempotency-Key` is safe.",
    "unavailable": "Try again later; nothing was accepted.",
    "stand_in_unavailable": "Start the stand-in, or disable its connection.",
    "overloaded": "Try again after `Retry-After` seconds; nothing was accepted.",
    "too_slow": "Send it again, under the same `reference` or `Idempotency-Key`: whether it was "
    "accepted shows then.",
    "database_unavailable": "Try again later; nothing was accepted.",
}
