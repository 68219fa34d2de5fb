"""What an API key may do: every scope with the sentence that explains it."""

from payloom.merchants.model import Mode

SCOPES: dict[str, str] = {
    "payment_orders:read": "Read payment orders, their timelines and what belongs to them",
    "payment_orders:write": "Create payment orders and attempts, and cancel them",
    "refunds:write": "Give money back to shoppers",
    "events:read": "Read events and ask for their redelivery",
    "webhook_endpoints:write": "Manage webhook endpoints and read their secrets once",
    "ledger:read": "Read ledger accounts and postings",
    "test:write": "Move the business clock; keys in test mode only",
}
ALL = frozenset(SCOPES)
TEST_ONLY = frozenset({"test:write"})


def allowed(mode: Mode) -> frozenset[str]:
    """Every scope that a key of this mode can have."""
    return ALL if mode == "test" else ALL - TEST_ONLY
