"""`stripe listen` signs in: where its WebSocket is, and which secret signs what it will hear.

The form and the answer are the ones that the CLI sends and reads (stripe-cli 1.52, stripeauth).
"""

import hashlib
import hmac
from typing import Any

from payloom.sandbox.stripe.protocol import params, versions
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

KIND = "stripecli.session"
SOCKET = "/stripecli/subscribe"
FEATURE = "webhooks"
RECONNECT_S = 300
_URL = params.text(may_be_empty=True)
_FIELDS: dict[str, params.Check] = {
    "device_name": params.text(may_be_empty=True),
    "filters": params.text(may_be_empty=True),
    "forward_connect_to_url": _URL,
    "forward_thin_connect_to_url": _URL,
    "forward_thin_to_url": _URL,
    "forward_to_url": _URL,
    "websocket_features": params.list_of(params.text()),
}


def create(call: Call) -> Json:
    asked = params.read(call.form, _FIELDS, required=("websocket_features",))
    for at, feature in enumerate(asked["websocket_features"]):
        if feature != FEATURE:
            message = f"This sandbox streams webhooks only: {feature[:50]} is not available."
            raise invalid(message, param=f"websocket_features[{at}]")
    session = {"id": new_id("cliws"), "created": call.now}
    call.tx.insert(KIND, session)
    return {
        "default_version": versions.DEFAULT,
        "device_token": new_id("clidt"),
        "display_connect_filter_warning": False,
        "latest_version": versions.LATEST,
        "reconnect_delay": RECONNECT_S,
        "secret": secret(call.secret, call.tx.tenant.id),
        "websocket_authorized_feature": FEATURE,
        "websocket_id": session["id"],
        "websocket_url": f"ws{call.base_url.removeprefix('http')}{SOCKET}",
    }


def secret(store_secret: bytes, tenant: int) -> str:
    """The same for every listener of an account, for as long as the sandbox keeps its store."""
    digest = hmac.new(store_secret, f"stripecli {tenant}".encode(), hashlib.sha256)
    return f"whsec_{digest.hexdigest()}"
