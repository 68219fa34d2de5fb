"""The Stripe stand-in: its objects, events, webhooks and hosted page.

Read `routes.py` for what is answered, `protocol/api.py` for how, `payments/` for what a payment
does. Where Stripe's own behaviour could not be looked up, this stand-in decides and says so here:

- an ordered `status` 500 is kept under its idempotency key and replayed, as Stripe keeps 500s;
  502, 503 and 504 come from the edge in front of the API and are not kept;
- an object's lock that is not had is a 429 that says it should be repeated, a rate limit's says
  that it should not;
- who listens by the CLI is no endpoint: no event waits for it, and nothing is forwarded twice;
- a webhook lost by `hook_lose` is never tried again, and its event stays undelivered;
- bank debits and vouchers take days, by the sandbox's clock; why a bank refused stands as the
  code of `last_payment_error`, and one test account of our own fails first and pays later;
- of the methods that lead elsewhere few are on, and naming one that is off switches it on; what
  fails there is an authentication that failed, without a charge;
- the balance always covers a refund; a refund that fails may be asked for again;
- each payment settles in its own currency, at the fees of an account at home there;
- what is available is paid out at midnight UTC, and a payout arrives two days later,
  which is also when it is reconciled; what a bank sends back is part of the next payout;
- a session makes its customer at the first try to pay, also where that is declined;
- an invoice has no hosted page, and `auto_advance` finalizes it but does not collect;
- an expired session leaves its payment intent as it was; nothing can pay it any more.
"""

from starlette.routing import BaseRoute, Route

from payloom.sandbox import control
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.stripe.balance import payout_settings, sent_back
from payloom.sandbox.stripe.events import cli_socket, endpoint_secrets
from payloom.sandbox.stripe.events.emit import WEBHOOK
from payloom.sandbox.stripe.events.resend import RESENT
from payloom.sandbox.stripe.events.webhooks import ResentSender, StripeSender
from payloom.sandbox.stripe.page import views
from payloom.sandbox.stripe.payments import owners
from payloom.sandbox.stripe.protocol import rate_limits
from payloom.sandbox.stripe.protocol.api import Api
from payloom.sandbox.stripe.protocol.rate_limits import RateLimits
from payloom.sandbox.stripe.protocol.routing import Router
from payloom.sandbox.stripe.routes import FOLLOWERS, OPENERS, ROUTES, TIMERS


def routes(rt: Runtime) -> tuple[list[BaseRoute], control.Routes]:
    """The stand-in's routes, and how it is steered under `/_sandbox/`; what it does later is put on
    the agenda."""
    rt.agenda.handlers |= TIMERS
    owners.FOLLOWERS |= FOLLOWERS
    rt.deliveries.register(WEBHOOK, StripeSender())
    rt.deliveries.register(RESENT, ResentSender())
    limits = RateLimits(rt)
    answered = [
        Route("/v1/{path:path}", Api(rt, Router(ROUTES), OPENERS, limits)),
        *views.routes(rt),
        cli_socket.route(rt),
    ]
    steered = (
        *payout_settings.ROUTES,
        *sent_back.ROUTES,
        *endpoint_secrets.ROUTES,
        *rate_limits.controls(limits),
    )
    return answered, steered
