"""Sessions in setup mode: nothing is sold, a payment method is saved for later."""

from typing import Any

from payloom.sandbox.stripe.methods import options
from payloom.sandbox.stripe.methods.offers import CURRENCIES
from payloom.sandbox.stripe.payments import setup_intents, setups
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid, missing_parameter

Json = dict[str, Any]

KIND = "checkout.session"


def begin(call: Call, asked: Json) -> Json:
    """What such a session says of itself; its setup intent is there from the beginning."""
    if "line_items" in asked:
        raise invalid("You can not pass `line_items` in `setup` mode.", param="line_items")
    types = _types(asked)
    data = asked.get("setup_intent_data", {})
    setup = setups.make(
        call.tx,
        {
            "customer": asked.get("customer"),
            "description": data.get("description"),
            "metadata": data.get("metadata", {}),
            "payment_method_types": types,
            "_owner": KIND,
        },
    )
    return {
        "amount_subtotal": None,
        "amount_total": None,
        "currency": asked.get("currency"),
        "payment_method_types": types,
        "payment_status": "no_payment_required",
        "setup_intent": setup["id"],
        "_items": [],
        "_intent": {},
        **options.of_session(types, asked.get("payment_method_options", {})),
    }


def _types(asked: Json) -> list[str]:
    """Methods that can be saved, in the currency that they shall pay in later."""
    named = asked.get("allowed_payment_method_types") or asked.get("payment_method_types")
    if not named and "currency" not in asked:
        raise missing_parameter("currency")
    types = setup_intents.types_of(asked)
    if currency := asked.get("currency"):
        types = [t for t in types if not CURRENCIES[t] or currency in CURRENCIES[t]]
    if not types:
        raise invalid(
            "No valid payment method types for this Checkout Session. Please ensure that you have"
            " activated payment methods compatible with your chosen currency.",
            param="allowed_payment_method_types" if named else "excluded_payment_method_types",
        )
    return types
