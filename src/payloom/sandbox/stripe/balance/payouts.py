"""Payouts over the API: found, made by hand, canceled while they are here."""

from typing import Any

from payloom.sandbox.stripe.balance import funds, payout_accounts, payout_settings, sending
from payloom.sandbox.stripe.balance.sending import KIND
from payloom.sandbox.stripe.catalog.currencies import check_currency
from payloom.sandbox.stripe.events.emit import emit
from payloom.sandbox.stripe.protocol import lists, params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import invalid, no_such, wrong_state
from payloom.sandbox.stripe.protocol.resources import row_shown
from payloom.sandbox.stripe.protocol.shapes import render

Json = dict[str, Any]

_STATUSES = ("pending", "in_transit", "paid", "failed", "canceled")
_LIST: dict[str, params.Check] = {
    **lists.PAGING,
    **lists.CREATED,
    "arrival_date": params.time_range,
    "destination": params.text(),
    "status": params.one_of(*_STATUSES),
}
_CREATE: dict[str, params.Check] = {
    "amount": params.integer(1),
    "currency": check_currency,
    "description": params.text(),
    "destination": params.text(),
    "expand": params.EXPAND,
    "metadata": params.new_metadata,
    "method": params.one_of("instant", "standard"),
    "payout_method": params.text(),
    "source_type": params.one_of("bank_account", "card", "fpx"),
    "statement_descriptor": params.text(22),
}
_UPDATE: dict[str, params.Check] = {"expand": params.EXPAND, "metadata": params.metadata}


def create(call: Call) -> Json:
    asked = params.read(call.form, _CREATE, required=("amount", "currency"))
    _check_what_is_built(asked)
    account = _account(call, asked)
    _check_funds(call, asked)
    given: Json = {"metadata": asked.get("metadata", {})}
    names = ("description", "statement_descriptor")
    given |= {name: asked[name] for name in names if name in asked}
    payout = sending.make(call.tx, asked["amount"], account, given)
    call.expand = asked.get("expand", [])
    return render(KIND, payout)


def list_(call: Call) -> Json:
    asked = params.read(call.form, _LIST)
    selection = lists.of_kind(call, KIND, asked)
    selection.add_range("body ->> '$.arrival_date'", asked.get("arrival_date", {}))
    if "destination" in asked:
        selection.add("parent = ?", asked["destination"])
    if "status" in asked:
        selection.add("body ->> '$.status' = ?", asked["status"])
    call.expand = asked.get("expand", [])
    return lists.page(call, selection, asked, kind=KIND, show=row_shown)


def update(call: Call) -> Json:
    asked = params.read(call.form, _UPDATE)
    payout = _find(call)
    was = payout["metadata"]
    payout["metadata"] = params.merged(was, asked.get("metadata", {}))
    if payout["metadata"] != was:
        call.tx.save(payout)
        emit(call.tx, "payout.updated", KIND, payout, previous={"metadata": was})
    call.expand = asked.get("expand", [])
    return render(KIND, payout)


def cancel(call: Call) -> Json:
    asked = params.read(call.form, {"expand": params.EXPAND})
    payout = _find(call)
    if payout.get("automatic"):
        raise wrong_state("You cannot cancel an automatic payout.")
    if payout["status"] != "pending":
        raise wrong_state(
            f"Payouts can be canceled only while they are pending: {payout['id']} has a status of"
            f" {payout['status']}."
        )
    sending.cancel(call.tx, payout)
    call.expand = asked.get("expand", [])
    return render(KIND, payout)


def _find(call: Call) -> Json:
    payout = call.tx.load(KIND, call.ids[0])
    if payout is None:
        raise no_such(KIND, call.ids[0], param="payout")
    return payout


def _check_what_is_built(asked: Json) -> None:
    if asked.get("method") == "instant":
        message = "This sandbox has no instant payouts."
        raise invalid(message, param="method", code="instant_payouts_unsupported")
    if "payout_method" in asked:
        raise invalid("This sandbox has no financial accounts.", param="payout_method")


def _account(call: Call, asked: Json) -> Json:
    """The account that was named, or the one that the tenant is paid out to."""
    if "destination" not in asked:
        number = payout_settings.load(call.tx)["account"]
        return payout_accounts.account(call.tx, number, asked["currency"])
    account = call.tx.load(payout_accounts.KIND, asked["destination"])
    if account is None:
        raise no_such("external account", asked["destination"], param="destination", status=400)
    if account["currency"] != asked["currency"]:
        message = f"The external account {account['id']} does not take {asked['currency']}."
        raise invalid(message, param="destination")
    return account


def _check_funds(call: Call, asked: Json) -> None:
    """All money here is of the source type `card`."""
    source = asked.get("source_type", "card")
    has = funds.available_now(call.tx).get(asked["currency"], 0) if source == "card" else 0
    if asked["amount"] > has:
        raise wrong_state(
            "You have insufficient funds in your Stripe account for this transfer. Your"
            f" {source} balance is too low. You can use the /v1/balance endpoint to view your"
            " Stripe balance (for more details, see stripe.com/docs/api#balance).",
            code="balance_insufficient",
        )
