"""The setup intent's calls: create, update, confirm, cancel, list."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from payloom.sandbox.stripe.customers import attaching
from payloom.sandbox.stripe.customers import kept as customers
from payloom.sandbox.stripe.methods import payment_methods
from payloom.sandbox.stripe.methods.options import METHOD_TYPES
from payloom.sandbox.stripe.payments import intent_params, setups
from payloom.sandbox.stripe.payments.confirm import How, Outcome, Tried
from payloom.sandbox.stripe.protocol import params, versions
from payloom.sandbox.stripe.protocol.call import Call, Reply
from payloom.sandbox.stripe.protocol.errors import (
    StripeError,
    card_error,
    invalid,
    no_such,
    wrong_state,
)
from payloom.sandbox.stripe.protocol.resources import lister, of_field
from payloom.sandbox.stripe.protocol.shapes import render
from payloom.sandbox.stripe.protocol.shapes.setups import setup_card_options

Json = dict[str, Any]

KIND = setups.KIND
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_CARD = params.hash_of(
    {
        **dict.fromkeys(setup_card_options()["card"], params.anything),
        "moto": params.anything,
        "request_three_d_secure": params.one_of("any", "automatic", "challenge"),
        "three_d_secure": params.anything,
    }
)
_OPTIONS = params.hash_of({**dict.fromkeys(METHOD_TYPES, params.anything), "card": _CARD})
_ACCEPTANCE = params.hash_of(
    {
        "accepted_at": params.integer(0),
        "offline": params.hash_of({}),
        "online": params.hash_of({"ip_address": params.text(), "user_agent": params.text()}),
        "type": params.one_of("offline", "online"),
    },
    required=("type",),
)
# Stripe's, and refused here
_NOT_BUILT = ("attach_to_self", "confirmation_token", "customer_account", "flow_directions",
              "single_use")  # fmt: skip
_METHOD: dict[str, params.Check] = {
    "expand": params.EXPAND,
    "payment_method": params.text(),
    "payment_method_data": params.anything,  # checked as a payment method that is made
    "payment_method_options": _OPTIONS,
    "allowed_payment_method_types": intent_params.METHODS,
    "confirmation_token": params.text(),
}
_CONFIRMING: dict[str, params.Check] = {
    "mandate_data": params.hash_of(
        {"customer_acceptance": _ACCEPTANCE}, required=("customer_acceptance",)
    ),
    "return_url": params.url,
    "use_stripe_sdk": params.boolean,
}
_BEING: dict[str, params.Check] = {
    **dict.fromkeys(_NOT_BUILT, params.anything),
    "customer": params.text(),
    "description": params.text(1000, may_be_empty=True),
    "excluded_payment_method_types": intent_params.METHODS,
    "metadata": params.metadata,
    "payment_method_configuration": params.text(),
}
_GIVEN = ("customer", "description", "usage")
list_ = lister(
    KIND,
    never=("attach_to_self", "customer_account"),
    filters={
        "customer": of_field("customer", params.text()),
        "payment_method": of_field("payment_method", params.text()),
    },
)


@cache
def _fields(version: str) -> Mapping[str, params.Check]:
    if versions.takes_payment_method_types(version):
        return {"payment_method_types": intent_params.METHODS}
    return {"payment_method_types": params.no_longer("payment_method_types")}


@cache
def _create(version: str) -> Mapping[str, params.Check]:
    return {
        **_BEING,
        **_METHOD,
        **_CONFIRMING,
        **_fields(version),
        "automatic_payment_methods": intent_params.AUTOMATIC,
        "confirm": params.boolean,
        "metadata": params.new_metadata,
        "on_behalf_of": params.text(),
        "usage": params.one_of(*intent_params.USAGES),
    }


def create(call: Call) -> Json | Reply:
    asked = params.read(call.form, _create(call.version))
    _check_what_is_built(asked)
    if not asked.get("confirm"):
        for name in ("mandate_data", "return_url"):
            if name in asked:
                message = f"You can only use `{name}` when `confirm` is set to true."
                raise invalid(message, param=name)
    given = _given(call, asked)
    types = given["payment_method_types"] = types_of(asked) or ["card"]
    if "payment_method_types" not in asked:
        redirects = asked.get("automatic_payment_methods", {}).get("allow_redirects", "always")
        given["automatic_payment_methods"] = {"allow_redirects": redirects, "enabled": True}
    method = payment_methods.of_call(call, asked)
    if method is not None:
        _check_method(method, types, given.get("customer"))
        given |= {"payment_method": method["id"], "status": "requires_confirmation"}
    elif asked.get("confirm"):
        raise _missing_method()
    setup = setups.make(call.tx, given)
    call.expand = asked.get("expand", [])
    if asked.get("confirm") and method is not None:
        return _confirm(call, setup, method, asked)
    return render(KIND, setup)


def retrieve(call: Call) -> Json:
    asked = params.read(call.form, {"client_secret": params.text(), "expand": params.EXPAND})
    call.expand = asked.get("expand", [])
    return render(KIND, _find(call))


def update(call: Call) -> Json:
    asked = params.read(call.form, {**_BEING, **_METHOD, **_fields(call.version)})
    _check_what_is_built(asked)
    setup = _find(call)
    _check_status(setup, OPEN, "updated")
    metadata = params.merged(setup["metadata"], asked.get("metadata", {}))
    setup |= {**_given(call, asked), "metadata": metadata}
    if method := payment_methods.of_call(call, asked):
        _check_method(method, setup["payment_method_types"], setup.get("customer"))
        setup["payment_method"] = method["id"]
        if setup["status"] == "requires_payment_method":
            setup["status"] = "requires_confirmation"
    call.tx.save(setup)
    call.expand = asked.get("expand", [])
    return render(KIND, setup)


def confirm(call: Call) -> Json | Reply:
    asked = params.read(call.form, {**_METHOD, **_CONFIRMING, **_fields(call.version)})
    _check_what_is_built(asked)
    setup = _find(call)
    _check_status(setup, OPEN, "confirmed")
    _check_has_no_page(setup, "confirm")
    setup |= _given(call, asked)
    method = payment_methods.of_call(call, asked)
    if method is None and setup.get("payment_method"):
        method = call.tx.load("payment_method", setup["payment_method"])
    if method is None:
        raise _missing_method()
    _check_method(method, setup["payment_method_types"], setup.get("customer"))
    call.expand = asked.get("expand", [])
    return _confirm(call, setup, method, asked)


def cancel(call: Call) -> Json:
    reasons = params.one_of("abandoned", "duplicate", "requested_by_customer")
    asked = params.read(call.form, {"cancellation_reason": reasons, "expand": params.EXPAND})
    setup = _find(call)
    _check_status(setup, OPEN, "canceled")
    _check_has_no_page(setup, "cancel")
    setups.cancel(call.tx, setup, asked.get("cancellation_reason"))
    call.expand = asked.get("expand", [])
    return render(KIND, setup)


def answer(tried: Tried, method: Json) -> Json | Reply:
    """What a client is answered after a try: the setup intent, or why it was declined."""
    shown = render(KIND, tried.intent)
    if tried.outcome is not Outcome.DECLINED or tried.failure is None:
        return shown
    error = card_error(tried.failure).error
    more = {"payment_method": render("payment_method", method), "setup_intent": shown}
    return Reply(402, {"error": {**error, **more}})


def types_of(asked: Json) -> list[str]:
    """What can be set up: what a customer can keep, less what is ruled out; maybe nothing."""
    if named := asked.get("payment_method_types"):
        if wrong := [type_ for type_ in named if type_ not in attaching.SAVABLE]:
            message = f"The payment method type `{wrong[0]}` cannot be set up for later payments."
            raise invalid(message, param="payment_method_types")
        return list(named)
    allowed = asked.get("allowed_payment_method_types") or attaching.SAVABLE
    excluded = asked.get("excluded_payment_method_types", [])
    return [t for t in attaching.SAVABLE if t in allowed and t not in excluded]


def _confirm(call: Call, setup: Json, method: Json, asked: Json) -> Json | Reply:
    if "mandate_data" in asked:
        setup["_acceptance"] = asked["mandate_data"]["customer_acceptance"]
    how = How(
        call.secret,
        action_url=f"{call.base_url}/c/authorize/{setup['id']}",
        voucher_url="",
        return_url=asked.get("return_url"),
    )
    return answer(setups.attempt(call.tx, setup, method, how), method)


def _given(call: Call, asked: Json) -> Json:
    if "customer" in asked:
        customers.find(call.tx, asked["customer"])
    given = {name: asked[name] for name in _GIVEN if name in asked}
    if "metadata" in asked:
        given["metadata"] = asked["metadata"]
    if card := asked.get("payment_method_options", {}).get("card"):
        usual = setup_card_options()["card"]
        options = {name: card.get(name, value) for name, value in usual.items()}
        given["payment_method_options"] = {"card": options}
    return given


def _find(call: Call) -> Json:
    setup = call.tx.load(KIND, call.ids[0])
    if setup is None:
        raise no_such("setupintent", call.ids[0], param="intent")
    return setup


def _check_method(method: Json, types: list[str], customer: str | None) -> None:
    attaching.check_is_usable(method)
    if method["type"] not in types:
        raise invalid(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this SetupIntent."
            f" Please attach a PaymentMethod of one of the following types: {', '.join(types)}.",
            param="payment_method",
        )
    if method.get("customer") not in (None, customer):
        raise invalid(
            f"The provided PaymentMethod {method['id']} belongs to another Customer than the"
            " SetupIntent.",
            param="payment_method",
        )


def _missing_method() -> StripeError:
    return invalid(
        "You cannot confirm this SetupIntent because it's missing a payment method. Update the"
        " SetupIntent with a payment method and then confirm it again.",
        code="setup_intent_unexpected_state",
    )


def _check_what_is_built(asked: Json) -> None:
    for name in _NOT_BUILT:
        if name in asked:
            raise invalid(f"This sandbox has no `{name}` of setup intents.", param=name)


def _check_status(setup: Json, allowed: tuple[str, ...], done: str) -> None:
    if setup["status"] not in allowed:
        raise _unexpected(
            setup,
            f"This SetupIntent could not be {done} because it has a status of {setup['status']}."
            f" Only a SetupIntent with one of the following statuses may be {done}:"
            f" {', '.join(allowed)}.",
        )


def _check_has_no_page(setup: Json, verb: str) -> None:
    if setup.get("_owner"):
        raise _unexpected(
            setup,
            f"You cannot {verb} this SetupIntent because it was created by a Checkout Session.",
        )


def _unexpected(setup: Json, message: str) -> StripeError:
    error = wrong_state(message, code="setup_intent_unexpected_state")
    error.error["setup_intent"] = render(KIND, setup)
    return error
