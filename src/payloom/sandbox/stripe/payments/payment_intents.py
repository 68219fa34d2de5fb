"""The payment intent's calls: create, update, confirm, capture, cancel, list."""

from typing import Any

from payloom.sandbox.stripe.catalog.currencies import MAXIMUM, check_payment
from payloom.sandbox.stripe.catalog.money import money
from payloom.sandbox.stripe.customers import attaching
from payloom.sandbox.stripe.customers import kept as customers
from payloom.sandbox.stripe.methods import offers, options, payment_methods
from payloom.sandbox.stripe.payments import (
    approvals,
    captures,
    confirm,
    delayed,
    intent_params,
    intents,
)
from payloom.sandbox.stripe.payments.confirm import How, Outcome, Tried
from payloom.sandbox.stripe.protocol import lists, params
from payloom.sandbox.stripe.protocol.call import Call, Reply
from payloom.sandbox.stripe.protocol.errors import (
    StripeError,
    card_error,
    invalid,
    missing_parameter,
    no_such,
    wrong_state,
)
from payloom.sandbox.stripe.protocol.resources import row_shown
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = intents.KIND
PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)
_GIVEN = (
    *intents.BLANK,
    "amount",
    "capture_method",
    "confirmation_method",
    "currency",
    "customer",
    "metadata",
)
_LIST: dict[str, params.Check] = {
    **lists.PAGING,
    **lists.CREATED,
    "customer": params.text(),
    "customer_account": params.text(),
}


def create(call: Call) -> Json | Reply:
    fields = intent_params.create(call.version)
    asked = params.read(call.form, fields, required=("amount", "currency"))
    if not asked.get("confirm"):
        for name in ("off_session", "return_url", "mandate_data", "error_on_requires_action"):
            if name in asked:
                message = f"You can only use `{name}` when `confirm` is set to true."
                raise invalid(message, param=name)
    check_payment(asked["amount"], asked["currency"])
    _check_customer(call, asked)
    types = _types(asked)
    given = {name: asked[name] for name in _GIVEN if name in asked}
    given |= {"payment_method_types": types, **_automatic(asked)}
    given |= options.of_intent(types, asked.get("payment_method_options", {}))
    method = payment_methods.of_call(call, asked)
    if method is not None:
        _check_method(method, types, given.get("customer"))
        given |= {"payment_method": method["id"], "status": "requires_confirmation"}
    if asked.get("confirm"):
        _check_confirmation(given, asked, method)
    intent = intents.make(call.tx, given)
    call.expand = asked.get("expand", [])
    if asked.get("confirm") and method is not None:
        return _confirm(call, intent, method, asked)
    return render(KIND, intent)


def list_(call: Call) -> Json:
    asked = params.read(call.form, _LIST)
    selection = lists.of_kind(call, KIND, asked)
    if "customer" in asked:
        selection.add("body ->> '$.customer' = ?", asked["customer"])
    if "customer_account" in asked:
        selection.add("FALSE")
    call.expand = asked.get("expand", [])
    return lists.page(call, selection, asked, kind=KIND, show=row_shown)


def update(call: Call) -> Json:
    asked = params.read(call.form, intent_params.update(call.version))
    intent = _find(call)
    _check_may_change(intent, asked)
    wanted = intent | asked
    check_payment(wanted["amount"], wanted["currency"])
    _check_customer(call, asked)
    merged = params.merged(intent["metadata"], asked.pop("metadata", {}))
    intent |= {name: asked[name] for name in _GIVEN if name in asked} | {"metadata": merged}
    if method := payment_methods.of_call(call, asked):
        _check_method(method, intent["payment_method_types"], intent.get("customer"))
        intent["payment_method"] = method["id"]
        if intent["status"] == "requires_payment_method":
            intent["status"] = "requires_confirmation"
    if "payment_method_options" in asked:
        types = intent["payment_method_types"]
        intent |= options.of_intent(types, asked["payment_method_options"])
    call.tx.save(intent)
    call.expand = asked.get("expand", [])
    return render(KIND, intent)


def confirm_(call: Call) -> Json | Reply:
    asked = params.read(call.form, intent_params.confirm(call.version))
    intent = _find(call)
    if intent["status"] == "succeeded":
        raise _unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being"
            " previously confirmed.",
        )
    _check_status(intent, PAYABLE, "confirmed")
    _check_has_no_page(intent, "confirm")
    intent |= {name: asked[name] for name in _GIVEN if name in asked}
    if "payment_method_options" in asked:
        types = intent["payment_method_types"]
        intent |= options.of_intent(types, asked["payment_method_options"])
    method = payment_methods.of_call(call, asked)
    if method is None and intent.get("payment_method"):
        method = call.tx.load("payment_method", intent["payment_method"])
    if method is not None:
        _check_method(method, intent["payment_method_types"], intent.get("customer"))
    _check_confirmation(intent, asked, method)
    call.expand = asked.get("expand", [])
    assert method is not None  # a confirmation without one was refused
    return _confirm(call, intent, method, asked)


def capture(call: Call) -> Json:
    asked = params.read(call.form, intent_params.CAPTURE)
    intent = _find(call)
    _check_status(intent, ("requires_capture",), "captured")
    held: int = intent["amount_capturable"]
    amount: int = asked.get("amount_to_capture", held)
    if amount > held:
        most = money(held, intent["currency"])
        raise wrong_state(
            f"The amount_to_capture ({money(min(amount, MAXIMUM), intent['currency'])}) is greater"
            f" than the amount that can be captured for this PaymentIntent ({most}).",
            param="amount_to_capture",
            code="amount_too_large",
        )
    if asked.get("final_capture") is False:
        message = "This PaymentIntent is not eligible for multicapture."
        raise invalid(message, param="final_capture")
    merged = params.merged(intent["metadata"], asked.get("metadata", {}))
    names = ("statement_descriptor", "statement_descriptor_suffix")
    intent |= {name: asked[name] for name in names if name in asked} | {"metadata": merged}
    captures.capture(call.tx, intent, amount)
    call.expand = asked.get("expand", [])
    return render(KIND, intent)


def cancel(call: Call) -> Json:
    asked = params.read(call.form, intent_params.CANCEL)
    intent = _find(call)
    _check_status(intent, CANCELABLE, "canceled")
    _check_has_no_page(intent, "cancel")
    captures.cancel(call.tx, intent, asked.get("cancellation_reason"))
    call.expand = asked.get("expand", [])
    return render(KIND, intent)


def _confirm(call: Call, intent: Json, method: Json, asked: Json) -> Json | Reply:
    off_session = asked.get("off_session") not in (None, "false")
    if intent["status"] == "requires_action" and not confirm.is_waiting(intent):
        delayed.forget(call.tx, intent)  # the voucher that it waited for is void
    how = How(
        call.secret,
        action_url=f"{call.base_url}/c/authorize/{intent['id']}",
        voucher_url=f"{call.base_url}/c/authorize/{intent['id']}/voucher",
        return_url=asked.get("return_url"),
        off_session=off_session,
        no_action=off_session or asked.get("error_on_requires_action", False),
    )
    return answer(confirm.attempt(call.tx, intent, method, how), method)


def answer(tried: Tried, method: Json) -> Json | Reply:
    """What a client is answered after a try: the intent, or why it was declined."""
    shown = render(KIND, tried.intent)
    if tried.outcome is not Outcome.DECLINED or tried.failure is None:
        return shown
    error = card_error(tried.failure).error
    charge = tried.intent.get("latest_charge")
    more = {"charge": charge} if charge else {}
    more |= {"payment_intent": shown, "payment_method": render("payment_method", method)}
    return Reply(402, {"error": {**error, **more}})


def _find(call: Call) -> Json:
    intent = call.tx.load(KIND, call.ids[0])
    if intent is None:
        raise no_such(KIND, call.ids[0], param="intent")
    return intent


def _types(asked: Json) -> list[str]:
    """What the payment can be made with."""
    if named := asked.get("payment_method_types"):
        for type_ in named:
            if not offers.offered(asked["currency"], [type_], []):
                raise invalid(
                    f'The payment method type "{type_}" is invalid. Please ensure the provided'
                    " type is activated in your dashboard and that it supports"
                    f" {asked['currency']}.",
                    param="payment_method_types",
                )
        return list(named)
    allowed = asked.get("allowed_payment_method_types", [])
    excluded = asked.get("excluded_payment_method_types", [])
    types = offers.offered(
        asked["currency"],
        allowed,
        excluded,
        manual=asked.get("capture_method") == "manual",
        redirects=_may_lead_away(asked),
    )
    return types or ["card"]


def _automatic(asked: Json) -> Json:
    if asked.get("payment_method_types"):
        return {}
    redirects = "always" if _may_lead_away(asked) else "never"
    return {"automatic_payment_methods": {"allow_redirects": redirects, "enabled": True}}


def _may_lead_away(asked: Json) -> bool:
    automatic = asked.get("automatic_payment_methods", {})
    return bool(automatic.get("allow_redirects", "always") == "always")


def _check_method(method: Json, types: list[str], customer: str | None) -> None:
    attaching.check_is_usable(method)
    if method["type"] not in types:
        listed = ", ".join(types)
        raise invalid(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent."
            f" Please attach a PaymentMethod of one of the following types: {listed}.",
            param="payment_method",
            code="payment_intent_incompatible_payment_method",
        )
    if method.get("customer") not in (None, customer):
        raise invalid(
            f"The provided PaymentMethod {method['id']} belongs to another Customer than the"
            " PaymentIntent.",
            param="payment_method",
        )


def _check_confirmation(intent: Json, asked: Json, method: Json | None) -> None:
    """A confirmation has a method, and leads the shopper back where it may lead them away."""
    if method is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can"
            " either update the PaymentIntent with a payment method and then confirm it again, or"
            " confirm it again directly with a payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
        )
    automatic = intent.get("automatic_payment_methods") or {}
    leads_away = offers.leads_away(intent["payment_method_types"])
    if automatic.get("allow_redirects") == "always" and leads_away and "return_url" not in asked:
        raise invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard."
            " Because some of these payment methods might redirect your customer off of your page,"
            " you must provide a `return_url`. If you don't want to accept redirect-based payment"
            " methods, set `automatic_payment_methods[enabled]` to `true` and"
            " `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents"
            " and Payment Intents."
        )
    by_device = method["type"] in approvals.BY_DEVICE
    if offers.leads_away([method["type"]]) and not by_device and "return_url" not in asked:
        raise missing_parameter("return_url")


def _check_customer(call: Call, asked: Json) -> None:
    if "customer" in asked:
        customers.find(call.tx, asked["customer"])


def _check_may_change(intent: Json, asked: Json) -> None:
    """What is paid or ended keeps all but its words."""
    frozen = [name for name in asked if name not in ("description", "expand", "metadata")]
    if frozen and intent["status"] not in PAYABLE:
        raise _unexpected(
            intent,
            f"This PaymentIntent's {frozen[0]} could not be updated because it has a status of"
            f" {intent['status']}. You may only update the {frozen[0]} of a PaymentIntent with one"
            f" of the following statuses: {', '.join(PAYABLE)}.",
        )


def _check_has_no_page(intent: Json, verb: str) -> None:
    """As long as its page is open, only the page can pay it, and only its expiry end it."""
    if intent.get("_owner") == "checkout.session" and intent["status"] in PAYABLE:
        raise _unexpected(
            intent,
            f"You cannot {verb} this PaymentIntent because it was created by a Checkout Session.",
        )


def _check_status(intent: Json, allowed: tuple[str, ...], done: str) -> None:
    if intent["status"] not in allowed:
        raise _unexpected(
            intent,
            f"This PaymentIntent could not be {done} because it has a status of"
            f" {intent['status']}. Only a PaymentIntent with one of the following statuses may be"
            f" {done}: {', '.join(allowed)}.",
        )


def _unexpected(intent: Json, message: str) -> StripeError:
    error = wrong_state(message, code="payment_intent_unexpected_state")
    error.error["payment_intent"] = render(KIND, intent)
    return error
