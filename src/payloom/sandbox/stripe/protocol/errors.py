"""Errors as Stripe words them. `StripeError` is raised by any handler and undoes its writes."""

from dataclasses import dataclass
from typing import Any

DOCS = "https://stripe.com/docs/error-codes/"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a payment failed: an outcome of paying, not an answer to a bad request."""

    code: str
    message: str
    decline_code: str = ""  # of cards
    advice_code: str = ""


class StripeError(Exception):
    """An answer other than success.

    `executed` says that the request got past the check of its parameters: only such answers are
    remembered under an idempotency key.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        executed: bool = False,
        more: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.executed = executed
        self.headers = headers or {}
        self.error: dict[str, Any] = {"type": kind, "message": message}
        if code is not None:
            self.error |= {"code": code, "doc_url": DOCS + code.replace("_", "-")}
        if param is not None:
            self.error["param"] = param
        self.error |= more or {}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> StripeError:
    return StripeError(400, "invalid_request_error", message, code=code, param=param)


def unknown_parameters(names: list[str]) -> StripeError:
    word = "parameter" if len(names) == 1 else "parameters"
    message = f"Received unknown {word}: {', '.join(names)}"
    return invalid(message, param=names[0], code="parameter_unknown")


def missing_parameter(name: str) -> StripeError:
    message = f"Missing required param: {name}."
    return invalid(message, param=name, code="parameter_missing")


def empty_parameter(name: str) -> StripeError:
    message = (
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset"
        f" a parameter; however '{name}' cannot be unset. You should remove '{name}' from your"
        " request or supply a non-empty value."
    )
    return invalid(message, param=name, code="parameter_invalid_empty")


def no_such(kind: str, id_: str, *, param: str = "id", status: int = 404) -> StripeError:
    message = f"No such {kind}: '{id_[:200]}'"
    return StripeError(
        status, "invalid_request_error", message, code="resource_missing", param=param
    )


def wrong_state(message: str, *, param: str | None = None, code: str | None = None) -> StripeError:
    """Refused because of what the object has become, not because of the parameters."""
    return StripeError(400, "invalid_request_error", message, code=code, param=param, executed=True)


def card_error(failure: Failure, param: str | None = None) -> StripeError:
    more = {"decline_code": failure.decline_code} if failure.decline_code else {}
    if failure.advice_code:
        more["advice_code"] = failure.advice_code
    return StripeError(
        402, "card_error", failure.message, code=failure.code, param=param, more=more
    )


def unrecognized_url(method: str, path: str) -> StripeError:
    message = (
        f"Unrecognized request URL ({method}: {path[:200]}). Please see"
        " https://stripe.com/docs or we can help at https://support.stripe.com/."
    )
    return StripeError(404, "invalid_request_error", message)


def unauthorized(key: str, *, has_ended: bool = False) -> StripeError:
    code = None
    if has_ended:
        message, code = f"Expired API Key provided: {_masked(key)}", "api_key_expired"
    elif key.startswith(("pk_test_", "pk_live_")):
        message, code = _PUBLISHABLE, "secret_key_required"
    elif key:
        message = f"Invalid API Key provided: {_masked(key)}"
    else:
        message = _NO_KEY
    challenge = {"WWW-Authenticate": 'Basic realm="Stripe"'}
    return StripeError(401, "invalid_request_error", message, code=code, headers=challenge)


_NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization"
    " header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See"
    " https://stripe.com/docs/api#authentication for details."
)
_PUBLISHABLE = (
    "This API call cannot be made with a publishable API key. Please use a secret API key. You can"
    " find a list of your API keys at https://dashboard.stripe.com/account/apikeys."
)


def _masked(key: str) -> str:
    if len(key) < 12:
        return "*" * len(key)
    shown = key[:8] if key.startswith(("sk_", "rk_")) else ""
    return f"{shown}{'*' * min(20, len(key) - len(shown) - 4)}{key[-4:]}".encode(
        "ascii", "replace"
    ).decode()


def rate_limited(reason: str) -> StripeError:
    return StripeError(
        429,
        "invalid_request_error",
        "Request rate limit exceeded. Learn more about rate limits here"
        " https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        headers={"Stripe-Rate-Limited-Reason": reason, "Stripe-Should-Retry": "false"},
    )


def locked(status: int = 429) -> StripeError:
    """Another request holds the object: of the 429s the only one that the SDKs try again."""
    return StripeError(
        status,
        "invalid_request_error",
        "This object cannot be accessed right now because another API request or Stripe process is"
        " currently accessing it. If you see this error intermittently, retry the request. If you"
        " see this error frequently and are making multiple concurrent requests to a single object,"
        " make your requests serially or at a lower rate.",
        code="lock_timeout",
        headers={"Stripe-Should-Retry": "true"},
    )


def ordered(status: int) -> StripeError:
    """The answer of a `status` fault, worded as Stripe words that status."""
    if status == 429:
        return rate_limited("global-rate")
    if status == 409:
        return locked(409)
    if status == 401:
        return StripeError(401, "invalid_request_error", "Invalid API Key provided.")
    if status == 402:
        return StripeError(402, "card_error", "Your card was declined.", code="card_declined")
    if status == 403:
        message = "The provided key does not have the required permissions for this endpoint."
        return StripeError(403, "invalid_request_error", message)
    if status >= 500 or status == 424:
        message = "An unknown error occurred. (The sandbox was ordered to fail.)"
        return StripeError(status, "api_error", message, executed=status == 500)
    return StripeError(status, "invalid_request_error", "The sandbox was ordered to refuse this.")
