"""The page of a voucher: what to tell at the counter, for as long as it can be paid there."""

from typing import Any

from starlette.responses import Response

from payloom.sandbox.stripe.methods import vouchers
from payloom.sandbox.stripe.methods.vouchers import VOUCHERS
from payloom.sandbox.stripe.page.order import facts
from payloom.sandbox.stripe.page.render import page
from payloom.sandbox.stripe.page.visit import Visit

Json = dict[str, Any]


def show(visit: Visit, intent: Json, *, link: str | None) -> Response | None:
    """None where no voucher waits to be paid."""
    action = intent.get("next_action") or {}
    type_ = action.get("type", "").removesuffix("_display_details")
    if type_ not in VOUCHERS:
        return None
    language, given = visit.language, action[action["type"]]
    more = {
        "title": VOUCHERS[type_].title,
        "counter": language.say(VOUCHERS[type_].counter),
        "facts": [(language.say(name), value) for name, value in vouchers.facts(action)],
        "until": language.day(given.get("expires_at") or given["expires_after"]),
        "link": link,
    }
    return page("voucher.html", 200, {**facts(visit), **more}, language)
