"""What the Stripe stand-in answers: every method and path, and the function behind it."""

from payloom.sandbox.stripe import (
    event_list,
    payment_methods,
    payment_pages,
    refunds,
    sessions,
    webhook_endpoints,
)
from payloom.sandbox.stripe.call import Handler
from payloom.sandbox.stripe.resources import lister, retriever

# {} stands for an id
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/v1/checkout/sessions", sessions.create),
    ("GET", "/v1/checkout/sessions", sessions.list_),
    ("GET", "/v1/checkout/sessions/{}", sessions.retrieve),
    ("POST", "/v1/checkout/sessions/{}", sessions.update),
    ("POST", "/v1/checkout/sessions/{}/expire", sessions.expire),
    ("GET", "/v1/checkout/sessions/{}/line_items", sessions.list_line_items),
    ("GET", "/v1/payment_pages/{}", payment_pages.retrieve),
    ("POST", "/v1/payment_pages/{}/confirm", payment_pages.confirm),
    ("POST", "/v1/payment_methods", payment_methods.create),
    ("GET", "/v1/payment_methods/{}", payment_methods.retrieve),
    (
        "GET",
        "/v1/payment_intents",
        lister("payment_intent", never=("customer", "customer_account")),
    ),
    ("GET", "/v1/payment_intents/{}", retriever("payment_intent", "intent")),
    (
        "GET",
        "/v1/charges",
        lister("charge", by_parent="payment_intent", never=("customer", "transfer_group")),
    ),
    ("GET", "/v1/charges/{}", retriever("charge", "charge")),
    ("GET", "/v1/charges/{}/refunds", refunds.list_of_charge),
    ("POST", "/v1/refunds", refunds.create),
    ("GET", "/v1/refunds", refunds.list_),
    ("GET", "/v1/refunds/{}", retriever("refund", "id")),
    ("POST", "/v1/refunds/{}", refunds.update),
    ("POST", "/v1/refunds/{}/cancel", refunds.cancel),
    (
        "GET",
        "/v1/balance_transactions",
        lister("balance_transaction", by_parent="source", never=("payout",)),
    ),
    ("GET", "/v1/balance_transactions/{}", retriever("balance_transaction", "id")),
    ("GET", "/v1/events", event_list.list_),
    ("GET", "/v1/events/{}", event_list.retrieve),
    ("POST", "/v1/webhook_endpoints", webhook_endpoints.create),
    ("GET", "/v1/webhook_endpoints", lister("webhook_endpoint")),
    ("GET", "/v1/webhook_endpoints/{}", webhook_endpoints.retrieve),
    ("POST", "/v1/webhook_endpoints/{}", webhook_endpoints.update),
    ("DELETE", "/v1/webhook_endpoints/{}", webhook_endpoints.delete),
)


def _tree() -> dict[tuple[str, int], list[tuple[list[str], Handler]]]:
    tree: dict[tuple[str, int], list[tuple[list[str], Handler]]] = {}
    for method, template, handler in ROUTES:
        steps = template.split("/")
        tree.setdefault((method, len(steps)), []).append((steps, handler))
    return tree


_TREE = _tree()


def find(method: str, path: str) -> tuple[Handler, tuple[str, ...]] | None:
    """The handler of a request and the ids in its path."""
    steps = path.split("/")
    for template, handler in _TREE.get((method, len(steps)), ()):
        if all(wanted in (step, "{}") for wanted, step in zip(template, steps, strict=True)):
            ids = tuple(
                step for wanted, step in zip(template, steps, strict=True) if wanted == "{}"
            )
            if all(ids):
                return handler, ids
    return None
