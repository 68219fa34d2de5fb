"""Every limit that somebody can run into, by the constant that sets it."""

import importlib
from datetime import timedelta
from typing import Any, NamedTuple


class Limit(NamedTuple):
    """What is limited, where its constant is, and in which unit."""

    what: str
    module: str
    name: str
    unit: str = ""

    @property
    def value(self) -> Any:
        """What the code has; a name may lead into a table."""
        module = importlib.import_module(f"payloom.{self.module}")
        return eval(self.name, vars(module).copy())


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
    Limit("Failed tries before an endpoint is switched off", "webhooks.schedule", "FAILURES_MIN"),
    Limit("Failing before an endpoint is switched off", "webhooks.schedule", "FAILING_MIN"),
    Limit("A replaced webhook secret signs on for", "webhooks.rotate", "OVERLAP"),
    Limit("Secrets of an endpoint that sign at once", "webhooks.rotate", "LIVE_MAX"),
    Limit("Registration, before 202", "payments.register", "ANSWER_WITHIN_S", "s"),
    Limit("A request, from its head to its answer", "core.web.admission", "REQUEST_S", "s"),
    Limit("Head of a request", "cli.bounded", "HEAD_BYTES_MAX", "bytes"),
    Limit("Time for the head of a request", "cli.bounded", "HEAD_WITHIN_S", "s"),
    Limit("Connections to one API process", "cli.serving", "CONNECTIONS_MAX"),
    Limit("Requests at once: then shops come again", "app", "ROOMS[''].at_once"),
    Limit("Requests at once: then PSPs do", "app", "ROOMS['/psp/'].at_once"),
    Limit("Requests at once: then shoppers do", "app", "ROOMS['/return/'].at_once"),
    Limit("Line for the database: then shops come again", "app", "ROOMS[''].db_wait_s", "s"),
    Limit("Line for the database: then PSPs do", "app", "ROOMS['/psp/'].db_wait_s", "s"),
    Limit("Line for the database: then shoppers do", "app", "ROOMS['/return/'].db_wait_s", "s"),
    Limit("One call to a PSP, its turn included", "connectors.gate", "DEADLINE_S", "s"),
    Limit("Answer of Stripe", "connectors.stripe.transport", "ANSWER_BYTES_MAX", "bytes"),
    Limit("Calls of one connection at once", "connectors.pace", "AT_ONCE_MAX"),
    Limit("The same, at least, however slow it is", "connectors.pace", "AT_ONCE_MIN"),
    Limit("Of these, calls that nobody waits for", "connectors.gate", "OTHERS_AT_ONCE"),
    Limit("Calls in line, of either kind", "connectors.line", "WAITING_MAX"),
    Limit("A shopper's call waits for its turn", "connectors.gate", "SHOPPERS_WAIT_S", "s"),
    Limit("Any other call does", "connectors.gate", "OTHERS_WAIT_S", "s"),
    Limit("Calls a second, all to Stripe", "connectors.stripe", "RATES['live'].account"),
    Limit("The same in test mode", "connectors.stripe", "RATES['test'].account"),
    Limit("Calls a second, one endpoint of Stripe", "connectors.stripe", "RATES['live'].endpoint"),
    Limit("Calls a second where none is published", "connectors.pace", "UNPUBLISHED_PER_S"),
    Limit("Unanswered calls, then the breaker opens", "connectors.breaker", "TRIP_AT"),
    Limit("Pause of an open breaker", "connectors.breaker", "PAUSE_S_MAX", "s"),
    Limit("Wait for a breaker's probe", "connectors.breaker", "PROBE_WAIT_S", "s"),
    Limit("Unanswered repetitions", "connectors.budget", "REPEATS_MAX"),
    Limit("Repetitions beyond these, per first try", "connectors.budget", "PER_FIRST"),
    Limit("Connections whose gate is remembered", "connectors.gates", "GATES_MAX"),
    Limit("Notices that one process takes in at once", "runtime", "NOTICES_AT_ONCE"),
    Limit("Jobs of one worker at once", "worker", "JOBS_AT_ONCE"),
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
    Limit("Wait for a database connection", "core.db", "ACQUIRE_TIMEOUT_S", "s"),
    Limit("Master keys held at once", "core.master_keys", "HELD_MAX"),
    Limit("Webhook secrets of a connection", "merchants.credentials", "WEBHOOK_SECRETS_MAX"),
    Limit("Length of a secret", "merchants.vault", "PLAINTEXT_BYTES_MAX", "bytes"),
    Limit("One SQL statement", "core.db", "STATEMENT_TIMEOUT_MS", "ms"),
    Limit("Wait for a lock", "core.db", "LOCK_TIMEOUT_MS", "ms"),
    Limit("Graceful shutdown", "runtime", "DRAIN_S", "s"),
)


def _told(value: timedelta) -> str:
    for size, unit in ((timedelta(days=1), "days"), (timedelta(hours=1), "h")):
        if value > size:
            return f"{value / size:g} {unit}"
    return f"{value.total_seconds() / 60:g} min"


def shown(limit: Limit) -> tuple[str, str, str]:
    value = limit.value
    if isinstance(value, timedelta):
        text = _told(value)
    else:
        text = f"{value:,g}" if isinstance(value, float) else f"{value:,}"
    return limit.what, f"{text} {limit.unit}".strip(), f"`{limit.module}.{limit.name}`"
