"""What is answered of events and webhook endpoints."""

from payloom.sandbox.stripe.events import cli_sessions, event_list, resend, webhook_endpoints
from payloom.sandbox.stripe.protocol.resources import lister
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

ROUTES: Routes = (
    ("GET", "/v1/events", event_list.list_),
    ("GET", "/v1/events/{}", event_list.retrieve),
    ("POST", "/v1/events/{}/retry", resend.resend),
    ("POST", "/v1/stripecli/sessions", cli_sessions.create),
    ("POST", "/v1/webhook_endpoints", webhook_endpoints.create),
    ("GET", "/v1/webhook_endpoints", lister("webhook_endpoint")),
    ("GET", "/v1/webhook_endpoints/{}", webhook_endpoints.retrieve),
    ("POST", "/v1/webhook_endpoints/{}", webhook_endpoints.update),
    ("DELETE", "/v1/webhook_endpoints/{}", webhook_endpoints.delete),
)
TIMERS: Timers = {}
OPENERS: Openers = {}
