"""Webhook endpoints: where a merchant wants to be told, of what, in which version."""

import re
from typing import Any

from payloom.sandbox.stripe.events import endpoint_secrets
from payloom.sandbox.stripe.protocol import params, versions
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid, no_such
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "webhook_endpoint"
_TYPE = re.compile(r"\*|[a-z0-9_]+(\.[a-z0-9_]+)+")


def _event_type(value: Any, name: str) -> str:
    type_ = str(params.text(200)(value, name))
    if _TYPE.fullmatch(type_) is None:
        raise invalid(f"Invalid {name}: {type_[:100]} is not a type of event", param=name)
    return type_


def _api_version(value: Any, name: str) -> str:
    version = str(params.text(50)(value, name))
    if not versions.is_known(version):
        raise invalid(f"Invalid API version: {version}", param=name)
    return version


_COMMON: dict[str, params.Check] = {
    "url": params.url,
    "enabled_events": params.list_of(_event_type, most=400),
    "description": params.text(may_be_empty=True),
    "metadata": params.new_metadata,
    "expand": params.EXPAND,
}
_CREATE = {**_COMMON, "api_version": _api_version, "connect": params.boolean}
_UPDATE = {**_COMMON, "metadata": params.metadata, "disabled": params.boolean}


def create(call: Call) -> Json:
    """The only answer that shows the secret."""
    asked = params.read(call.form, _CREATE, required=("enabled_events", "url"))
    if not asked["enabled_events"]:
        message = "You must specify at least one event type."
        raise invalid(message, param="enabled_events")
    endpoint = {
        "id": new_id("we"),
        "api_version": asked.get("api_version"),
        "created": call.now,
        "description": asked.get("description"),
        "enabled_events": asked["enabled_events"],
        "livemode": call.tx.tenant.livemode,
        "metadata": asked.get("metadata", {}),
        "status": "enabled",
        "url": asked["url"],
        "_secret": endpoint_secrets.new(),
    }
    call.tx.insert(KIND, endpoint)
    return render(KIND, {**endpoint, "secret": endpoint["_secret"]})


def retrieve(call: Call) -> Json:
    params.read(call.form, {"expand": params.EXPAND})
    return render(KIND, _find(call))


def update(call: Call) -> Json:
    asked = params.read(call.form, _UPDATE)
    endpoint = _find(call)
    for name in ("url", "enabled_events", "description"):
        if name in asked:
            endpoint[name] = asked[name]
    if "disabled" in asked:
        endpoint["status"] = "disabled" if asked["disabled"] else "enabled"
    if "metadata" in asked:
        endpoint["metadata"] = params.merged(endpoint["metadata"], asked["metadata"])
    call.tx.save(endpoint)
    return render(KIND, endpoint)


def delete(call: Call) -> Json:
    endpoint = _find(call)
    call.tx.delete(endpoint["id"])
    return {"id": endpoint["id"], "object": KIND, "deleted": True}


def _find(call: Call) -> Json:
    endpoint = call.tx.load(KIND, call.ids[0])
    if endpoint is None:
        raise no_such("webhook endpoint", call.ids[0], param="webhook_endpoint")
    return endpoint
