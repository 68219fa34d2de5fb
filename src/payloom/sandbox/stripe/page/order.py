"""What every page says of the order: by whom, how much, and in which words."""

from typing import Any

from payloom.sandbox.stripe.page.visit import Visit

Json = dict[str, Any]

SHOP = "Sandbox shop"  # of a merchant who gave no name


def facts(visit: Visit) -> Json:
    subject = visit.subject
    total = subject.get("amount_total" if visit.is_session else "amount")
    return {
        "sum": "" if total is None else visit.language.money(total, subject["currency"]),
        "shop": (subject.get("branding_settings") or {}).get("display_name") or SHOP,
        "path": visit.path,
        "token": visit.token(),
        "saves": visit.saves,
        "livemode": subject["livemode"],
    }
