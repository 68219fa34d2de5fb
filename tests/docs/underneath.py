"""For the curious: the books, the connectors, the limits, the layers."""

from payloom.connectors.catalog import discover
from payloom.connectors.stripe.mapping import VERSION
from payloom.connectors.stripe.methods import METHOD_TYPES
from payloom.connectors.stripe.notices import EVENT_TYPES
from payloom.ledger.chart import CHART
from payloom.webhooks.schedule import PAUSES
from tests.docs.limits import LIMITS, shown
from tests.docs.markdown import code, table
from tests.test_layers import LAYERS


def accounts() -> str:
    rows = ((code(name), side.value, text) for name, (side, text) in CHART.items())
    return table(["account", "side", "holds"], rows)


def connectors() -> str:
    rows = [
        (code(spec.name), spec.title, code(field.env), field.hint.replace("{mode}", "test"))
        for spec in discover().values()
        for field in spec.credential_fields
    ]
    return table(["connector", "is", "secret", "looks like"], rows)


def method_types() -> str:
    rows = (
        (
            code(kind),
            "<br>".join(
                f"{code(method)} {' '.join(sorted(currencies)) or 'any currency'}"
                for method, currencies in methods.items()
            )
            or "none at Stripe",
        )
        for kind, methods in METHOD_TYPES.items()
    )
    return table(["method type", "at Stripe, and for which currencies"], rows)


def stripe_events() -> str:
    """What a webhook endpoint at Stripe must send, and in which API version."""
    return "\n".join(["```text", f"API version {VERSION}", *EVENT_TYPES, "```"])


def limits() -> str:
    return table(["limit", "value", "in the code"], (shown(each) for each in LIMITS))


def retries() -> str:
    rows = [(number + 1, _told(pause.total_seconds())) for number, pause in enumerate(PAUSES, 1)]
    return table(["try", "pause before it"], rows)


def _told(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def layers() -> str:
    lines = ["```mermaid", "flowchart TD"]
    names = [" · ".join(sorted(row)) for row in LAYERS]
    lines += [f'    L{place}["{name}"]' for place, name in enumerate(names)]
    lines += [f"    L{place} --> L{place + 1}" for place in range(len(names) - 1)]
    return "\n".join([*lines, "```"])
