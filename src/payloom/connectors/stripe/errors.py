"""Stripe's errors as ours: one table, and what is not in it is unknown (F18).

Source: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-low-level. A 400 for
wrong parameters is final: nothing was executed and nothing was kept under the key. A 402, 409 or
5xx says nothing certain about a registration; 429 says that it was not executed; 401 and 403 are
about our key, not about the request, and end when an operator mends it (F25).
"""

from collections.abc import Mapping
from typing import Any

from payloom.connectors.contract import Refused, Unknown
from payloom.connectors.stripe.words import word

KEY_REFUSED = {401: "the API key is not valid", 403: "the key may not"}
_NOT_EXECUTED = {429: "rate limited", **KEY_REFUSED}
# Errors of type invalid_request_error with status 400 or 404 refuse the request for good ...
_FINAL_STATUS = frozenset({400, 404})
# ... except these, which are about the moment or about keys, not about the request.
_NOT_FINAL_CODES = frozenset(
    "lock_timeout rate_limit idempotency_key_in_use api_key_expired".split()
)


def refusal(status: int, body: object, *, is_replayed: bool = False) -> Refused | Unknown:
    """What an answer other than a session says about a registration."""
    if status in _NOT_EXECUTED:
        return Unknown(_NOT_EXECUTED[status], executed=False)
    error = _error(body)
    if error is None:
        return Unknown(f"status {status} without Stripe's error object", is_kept=is_replayed)
    code = word(error.get("code")) or word(error.get("type")) or ""
    is_final = (
        status in _FINAL_STATUS
        and error.get("type") == "invalid_request_error"
        and code not in _NOT_FINAL_CODES
    )
    if not is_final:
        return Unknown(f"status {status}, {code or 'no code'}", is_kept=is_replayed)
    message = word(error.get("message"), 1_000) or "Stripe refused the request"
    param = word(error.get("param"), 200)
    return Refused(code, f"{message} ({param})" if param else message)


def _error(body: object) -> Mapping[str, Any] | None:
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else None
