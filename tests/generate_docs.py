"""`make docs`: write the generated blocks of docs/ anew, and the OpenAPI document.

A page is written by hand; between `<!-- generated: NAME -->` and `<!-- end -->` stands what the
code says. `test_docs.py` fails when a page and the code disagree.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.docs import operating, paying, recipes, sandbox, underneath
from tests.docs.markdown import filled

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
OPENAPI = DOCS / "reference" / "openapi.json"

BLOCKS: dict[str, Callable[[], str]] = {
    each.__name__: each
    for each in (
        operating.commands,
        operating.log_lines,
        operating.make_targets,
        operating.metrics,
        operating.settings,
        operating.shop_settings,
        paying.customer_fields,
        paying.endpoint_fields,
        paying.errors,
        paying.events,
        paying.line_fields,
        paying.lists,
        paying.order_fields,
        paying.redelivery_fields,
        paying.routes,
        paying.scopes,
        paying.shown_account,
        paying.shown_attempt,
        paying.shown_delivery,
        paying.shown_endpoint,
        paying.shown_entry,
        paying.shown_error,
        paying.shown_method,
        paying.shown_order,
        paying.shown_posting,
        paying.state_diagram,
        paying.states,
        sandbox.card_fees,
        sandbox.fault_effects,
        sandbox.method_fees,
        sandbox.offered_methods,
        sandbox.payout_accounts,
        sandbox.payout_failures,
        sandbox.sandbox_routes,
        sandbox.test_accounts,
        sandbox.cards_abroad,
        sandbox.test_cards,
        sandbox.test_vouchers,
        sandbox.webhook_pauses,
        underneath.accounts,
        underneath.connectors,
        underneath.layers,
        underneath.limits,
        underneath.method_types,
        recipes.recipes,
        underneath.retries,
        underneath.stripe_events,
    )
}


def pages() -> list[Path]:
    """Every page of ours, the README and its siblings included."""
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


@cache
def wanted() -> dict[Path, str]:
    """What each file should hold."""
    blocks = {name: cache(make) for name, make in BLOCKS.items()}
    made = {page: filled(page.read_text(), blocks) for page in pages()}
    made[OPENAPI] = json.dumps(paying.openapi(), indent=2, ensure_ascii=False) + "\n"
    return made


def main() -> None:
    for path, text in wanted().items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
