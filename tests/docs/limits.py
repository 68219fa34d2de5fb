"""Every limit that somebody can run into, by the constant that sets it."""

import importlib
from datetime import timedelta
from typing import NamedTuple


class Limit(NamedTuple):
    """What is limited, where its constant is, and in which unit."""

    what: str
    module: str
    name: str
    unit: str = ""


LIMITS = (
    Limit("Request body", "core.strict_json", "BYTES_MAX", "bytes"),
    Limit("Depth of JSON", "core.strict_json", "DEPTH_MAX", "levels"),
    Limit("Mistakes named in one answer", "core.errors", "MISTAKES_MAX"),
    Limit("Amount", "core.money", "AMOUNT_MAX", "minor units"),
    Limit("Items in a list", "core.paging", "LIMIT_MAX"),
    Limit("Body of a notice", "notices.receive", "BODY_MAX", "bytes"),
    Limit("Webhook endpoints of a merchant", "webhooks.endpoints", "ENABLED_MAX"),
    Limit("URL of an endpoint", "webhooks.addresses", "URL_MAX", "characters"),
    Limit("One try to deliver", "webhooks.send", "TIMEOUT_S", "s"),
    Limit("Tries at once for one endpoint", "webhooks.deliver", "PER_ENDPOINT"),
    Limit("Registration, before 202", "payments.register", "ANSWER_WITHIN_S", "s"),
    Limit("One call to a PSP, its turn included", "connectors.gate", "DEADLINE_S", "s"),
    Limit("Look at the PSP when a shopper returns", "notices.returns", "LOOK_UP_WITHIN_S", "s"),
    Limit("Wait for the first request of a key", "core.idempotency", "WAIT_S", "s"),
    Limit("Answers kept for an Idempotency-Key", "upkeep", "KEEP_ANSWERS"),
    Limit("Pause between reads of a PSP's event list", "notices.pace", "PERIOD"),
    Limit("Overlap of what is read, once an hour", "notices.sweep", "DEEP_OVERLAP"),
    Limit("Advance of the test clock", "test_clock.api", "SECONDS_MAX", "s"),
    Limit("Questions about one attempt", "payments.recover", "KEEP_ASKING"),
    Limit("A notice waits for its attempt", "notices.effect", "PARK_FOR"),
    Limit("Tries of a notice before quarantine", "notices.apply", "TRIES_MAX"),
    Limit("Tries of a job before quarantine", "core.jobs", "TRIES_MAX"),
    Limit("Lease of a job", "core.jobs", "LEASE_S", "s"),
    Limit("Age of a notice's signature", "connectors.stripe.notices", "TOLERANCE_S", "s"),
    Limit("A revoked key still works elsewhere", "runtime", "CACHE_TTL_S", "s"),
    Limit("One SQL statement", "core.db", "STATEMENT_TIMEOUT_MS", "ms"),
    Limit("Wait for a lock", "core.db", "LOCK_TIMEOUT_MS", "ms"),
    Limit("Graceful shutdown", "runtime", "DRAIN_S", "s"),
)


def shown(limit: Limit) -> tuple[str, str, str]:
    value = getattr(importlib.import_module(f"payloom.{limit.module}"), limit.name)
    if isinstance(value, timedelta):
        days = value >= timedelta(days=1)
        text = f"{value.days} days" if days else f"{value.total_seconds() / 60:g} min"
    else:
        text = f"{value:,g}" if isinstance(value, float) else f"{value:,}"
    return limit.what, f"{text} {limit.unit}".strip(), f"`{limit.module}.{limit.name}`"
