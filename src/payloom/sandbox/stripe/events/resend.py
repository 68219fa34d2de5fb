"""An event once more: to one endpoint, or to whoever listens with the CLI.

`POST /v1/events/{id}/retry` is in no reference of Stripe's; the CLI's `events resend` calls it,
and always names the one or the other.
"""

from typing import Any

from payloom.sandbox.stripe.events import event_list
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid, missing_parameter, no_such, wrong_state

Json = dict[str, Any]

RESENT = "stripe.webhook_resent"  # kind of the timers that deliver
_FIELDS: dict[str, params.Check] = {
    "account": params.text(),
    "expand": params.EXPAND,
    "for_stripecli": params.boolean,
    "webhook_endpoint": params.text(),
}


def resend(call: Call) -> Json:
    asked = params.read(call.form, _FIELDS)
    if "account" in asked:
        message = "Connected accounts are not available in this sandbox."
        raise invalid(message, param="account")
    event = event_list.find(call)
    if "webhook_endpoint" in asked:
        call.tx.deliver(call.tx, RESENT, f"{event['id']} {_endpoint(call, asked)}")
    elif asked.get("for_stripecli"):
        call.tx.announce(call.tx, event["id"])
    else:
        raise missing_parameter("webhook_endpoint")
    return event


def _endpoint(call: Call, asked: Json) -> str:
    id_: str = asked["webhook_endpoint"]
    endpoint = call.tx.load("webhook_endpoint", id_)
    if endpoint is None:
        raise no_such("webhook endpoint", id_, param="webhook_endpoint")
    if endpoint["status"] != "enabled":
        raise wrong_state(f"The webhook endpoint {id_} is disabled.", param="webhook_endpoint")
    return id_
