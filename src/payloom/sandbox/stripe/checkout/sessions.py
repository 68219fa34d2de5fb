"""Checkout sessions: one try of a merchant to be paid on the hosted page."""

from typing import Any

from payloom.sandbox import agenda
from payloom.sandbox.agenda import Timer
from payloom.sandbox.store import Tx
from payloom.sandbox.stripe.catalog import line_items
from payloom.sandbox.stripe.catalog.currencies import check_total
from payloom.sandbox.stripe.checkout import session_params, setup_mode
from payloom.sandbox.stripe.checkout.completion import EXPIRE
from payloom.sandbox.stripe.customers import kept as customers
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.methods import offers, options
from payloom.sandbox.stripe.protocol import lists, params, versions
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid, missing_parameter, no_such, wrong_state
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.resources import row_shown
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

KIND = "checkout.session"
LIFE_S_MIN, LIFE_S_MAX = 30 * 60, 24 * 3600

# given at creation, shown as they were given
_ECHOED = (
    "adaptive_pricing",
    "allowed_payment_method_types",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_creation",
    "customer_email",
    "excluded_payment_method_types",
    "integration_identifier",
    "locale",
    "origin_context",
    "redirect_on_completion",
    "return_url",
    "submit_type",
    "success_url",
)
_BRANDING = {
    "background_color": "#ffffff",
    "border_style": "rounded",
    "button_color": "#0074d4",
    "display_name": "Sandbox shop",
    "font_family": "default",
    "icon": None,
    "logo": None,
}


def create(call: Call) -> Json:
    asked = params.read(call.form, session_params.create(call.version), required=("mode",))
    _check_what_is_built(asked)
    ui_mode = asked.get("ui_mode", versions.ui_modes(call.version)[0])
    _check_urls(asked, hosted=ui_mode.startswith("hosted"))
    id_ = new_id("cs", livemode=call.tx.tenant.livemode)
    is_setup = asked["mode"] == "setup"
    about = setup_mode.begin(call, asked) if is_setup else _order(call, asked, id_)
    session = {"id": id_, **_session(call, asked), **about}
    session["ui_mode"] = ui_mode
    if ui_mode.startswith("hosted"):
        session["url"] = f"{call.base_url}/c/pay/{session['id']}"
    else:
        session["client_secret"] = f"{session['id']}_secret_{new_id('x')[2:]}"
    call.tx.insert(KIND, session)
    agenda.schedule(call.tx, EXPIRE, session["id"], session["expires_at"])
    call.expand = asked.get("expand", [])
    return render(KIND, session)


def retrieve(call: Call) -> Json:
    call.expand = params.read(call.form, session_params.RETRIEVE).get("expand", [])
    return render(KIND, _find(call))


def list_(call: Call) -> Json:
    asked = params.read(call.form, {**lists.PAGING, **lists.CREATED, **session_params.FILTERS})
    selection = lists.of_kind(call, KIND, asked)
    if "payment_intent" in asked:
        selection.add("parent = ?", asked["payment_intent"])
    if "status" in asked:
        selection.add("body ->> '$.status' = ?", asked["status"])
    if "customer_details" in asked:
        email = asked["customer_details"].get("email")
        selection.add("body ->> '$.customer_details.email' = ?", email)
    if "customer" in asked:
        selection.add("body ->> '$.customer' = ?", asked["customer"])
    for never in ("customer_account", "payment_link", "subscription"):
        if never in asked:
            selection.add("FALSE")
    call.expand = asked.get("expand", [])
    return lists.page(call, selection, asked, kind="checkout session", show=row_shown)


def update(call: Call) -> Json:
    asked = params.read(call.form, session_params.UPDATE)
    session = _find(call)
    if "metadata" in asked:
        session["metadata"] = params.merged(session["metadata"], asked["metadata"])
        call.tx.save(session)
    call.expand = asked.get("expand", [])
    return render(KIND, session)


def expire(call: Call) -> Json:
    asked = params.read(call.form, session_params.EXPIRE)
    session = _find(call)
    if session["status"] != "open":
        raise wrong_state(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout'
            f" Session has a status of {session['status']}."
        )
    agenda.cancel(call.tx, EXPIRE, session["id"])
    _end(call.tx, session)
    call.expand = asked.get("expand", [])
    return render(KIND, session)


def expire_due(tx: Tx, timer: Timer) -> None:
    """The agenda's turn: `expires_at` has come and nobody paid."""
    agenda.finish(tx, timer)
    session = tx.load(KIND, timer.ref)
    if session is not None and session["status"] == "open":
        _end(tx, session)


def list_line_items(call: Call) -> Json:
    asked = params.read(call.form, lists.PAGING)
    call.expand = asked.get("expand", [])
    return line_items.listed(
        call.tx,
        _find(call),
        limit=asked.get("limit", lists.LIMIT_USUAL),
        starting_after=asked.get("starting_after"),
        ending_before=asked.get("ending_before"),
    )


def first_items(tx: Tx, session: Json) -> Json:
    """The list that a session shows of its items when it is expanded."""
    kept = tx.load(KIND, session["id"])
    if kept is None:
        raise LookupError(f"session {session['id']} is shown, but not there")
    return line_items.listed(tx, kept, limit=lists.LIMIT_USUAL)


def _find(call: Call) -> Json:
    session = call.tx.load(KIND, call.ids[0])
    if session is None:
        raise no_such("checkout.session", call.ids[0], param="session")
    return session


def _end(tx: Tx, session: Json) -> None:
    session |= {"status": "expired", "url": None}
    tx.save(session)
    emit(tx, "checkout.session.expired", KIND, session)


def _check_what_is_built(asked: Json) -> None:
    """Refuse plainly what this stand-in does not play yet."""
    if asked["mode"] == "subscription":
        raise invalid("This sandbox has no `subscription` mode yet.", param="mode")
    other = "payment_intent_data" if asked["mode"] == "setup" else "setup_intent_data"
    if other in asked:
        raise invalid(f"You can not pass `{other}` in `{asked['mode']}` mode.", param=other)
    if asked.get("invoice_creation", {}).get("enabled"):
        message = "This sandbox makes no invoices of sessions yet."
        raise invalid(message, param="invoice_creation[enabled]")
    for name in ("discounts", "shipping_options"):
        if asked.get(name):
            raise invalid(f"This sandbox has no `{name}` yet: they change the total.", param=name)
    if asked.get("automatic_tax", {}).get("enabled"):
        raise invalid("This sandbox has no automatic tax yet.", param="automatic_tax[enabled]")
    for name in ("customer_email", "customer_creation"):
        if "customer" in asked and name in asked:
            raise invalid(
                f"You may only specify one of these parameters: customer, {name}.",
                param="customer",
                code="parameters_exclusive",
            )
    if "customer_update" in asked and "customer" not in asked:
        message = "`customer_update` can only be used with `customer`."
        raise invalid(message, param="customer_update")


def _check_urls(asked: Json, *, hosted: bool) -> None:
    wanted, refused = ("success_url", "return_url") if hosted else ("return_url", "success_url")
    if refused in asked:
        mode = "hosted" if hosted else "embedded"
        raise invalid(f"You can not pass `{refused}` in {mode} mode.", param=refused)
    if wanted not in asked:
        raise missing_parameter(wanted)


def _order(call: Call, asked: Json, id_: str) -> Json:
    """What a session says of the order that it is to be paid for."""
    if not asked.get("line_items"):
        raise missing_parameter("line_items")
    items = line_items.kept(call.tx, asked["line_items"], id_)
    total, currency = line_items.total(items), items[0]["currency"]
    check_total(total, currency)
    types = _method_types(asked, currency)
    return {
        "amount_subtotal": total,
        "amount_total": total,
        "currency": currency,
        "payment_intent": None,
        "payment_method_types": types,
        "payment_status": "unpaid" if total else "no_payment_required",
        "total_details": {
            "amount_discount": 0,
            "amount_shipping": 0,
            "amount_tax": 0,
            "breakdown": None,
        },
        "_items": items,
        "_intent": asked.get("payment_intent_data", {}),
        **options.of_session(types, asked.get("payment_method_options", {})),
    }


def _session(call: Call, asked: Json) -> Json:
    """What a session says in any mode."""
    session = {
        "created": call.now,
        "customer_details": _customer_details(asked.get("customer_email")),
        "expires_at": _expires_at(asked.get("expires_at"), call.now),
        "livemode": call.tx.tenant.livemode,
        "metadata": asked.get("metadata", {}),
        "mode": asked["mode"],
        "status": "open",
    }
    if "customer" in asked:
        session |= _of_customer(call, asked)
    if "branding_settings" in asked:
        session["branding_settings"] = _BRANDING | asked["branding_settings"]
    return session | {name: asked[name] for name in _ECHOED if name in asked}


def _of_customer(call: Call, asked: Json) -> Json:
    customer = customers.find(call.tx, asked["customer"])
    return {
        "customer": customer["id"],
        "customer_creation": None,
        "customer_details": _customer_details(customer.get("email")),
        "_customer_update": asked.get("customer_update", {}),
    }


def _expires_at(asked: int | None, now: int) -> int:
    expires_at = now + LIFE_S_MAX if asked is None else asked
    if expires_at < now + LIFE_S_MIN:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session"
            " creation.",
            param="expires_at",
        )
    if expires_at > now + LIFE_S_MAX:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return expires_at


def _method_types(asked: Json, currency: str) -> list[str]:
    """What the page will offer; filters that leave nothing are refused."""
    allowed = asked.get("allowed_payment_method_types") or asked.get("payment_method_types", [])
    excluded = asked.get("excluded_payment_method_types", [])
    manual = asked.get("payment_intent_data", {}).get("capture_method") == "manual"
    types = offers.offered(currency, allowed, excluded, manual=manual)
    if not types:
        raise invalid(
            "No valid payment method types for this Checkout Session. Please ensure that you have"
            " activated payment methods compatible with your chosen currency.",
            param="allowed_payment_method_types" if allowed else "excluded_payment_method_types",
        )
    return types


def _customer_details(email: str | None) -> Json | None:
    if email is None:
        return None
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }
