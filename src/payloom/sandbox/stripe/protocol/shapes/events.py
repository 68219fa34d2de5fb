"""Events and the endpoints they go to."""

from payloom.sandbox.stripe.protocol.shapes.kind import Expandable, Fields, Usual

FIELDS: Fields = {
    "event": """
        account api_version context created data livemode pending_webhooks request type""",
    "webhook_endpoint": """
        api_version application created description enabled_events livemode metadata secret status
        url""",
}
USUAL: Usual = {"webhook_endpoint": {"metadata": {}, "status": "enabled"}}
EXPANDABLE: Expandable = {}
