"""Whether an account is paid out by itself, and to which bank account: a choice of the tenant.

As at Stripe all that is available is paid out daily unless `/_sandbox/payouts` says otherwise. A
midnight is on the agenda only if money became available before it, once for all of that day.
"""

import math
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payloom.sandbox import agenda, control
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant, Tx
from payloom.sandbox.stripe.balance import payout_accounts
from payloom.sandbox.stripe.balance.payout_accounts import ACCOUNTS, USUAL_NUMBER

Json = dict[str, Any]

KIND = "payout_settings"
DAILY = "stripe.automatic_payouts"
DAY = 86_400
EXAMPLE = f'{{"automatic": true, "account": "{USUAL_NUMBER}"}}'


def load(tx: Tx) -> Json:
    """`automatic`, `account`, and up to where the transactions of a currency are paid out."""
    usual = {"automatic": True, "account": USUAL_NUMBER, "paid_up_to": {}}
    return {**usual, **(tx.load(KIND, _id(tx)) or {})}


def save(tx: Tx, settings: Json) -> None:
    tx.put(KIND, {"id": _id(tx), "created": int(tx.now), **settings})


def schedule(tx: Tx) -> None:
    """There is something to pay out at the next midnight UTC, or now if it is midnight."""
    midnight = math.ceil(tx.now / DAY) * DAY
    # one that is late has a turn of its own: it does not pay out what came after it
    agenda.schedule_once(tx, DAILY, f"{tx.tenant.id} {midnight}", midnight)


async def _read(rt: Runtime, tenant: Tenant, _: Request) -> Response:
    with rt.transaction(tenant) as tx:
        return JSONResponse(_shown(load(tx)))


async def _write(rt: Runtime, tenant: Tenant, request: Request) -> Response:
    change = await control.read_json(request, EXAMPLE)
    if flaw := _flaw(change):
        raise control.BadOrder(flaw)
    with rt.transaction(tenant) as tx:
        settings = load(tx) | change
        save(tx, settings)
        if "account" in change:
            payout_accounts.renew(tx, change["account"])
        if settings["automatic"]:
            schedule(tx)
        return JSONResponse(_shown(settings))


def _flaw(change: Any) -> str | None:
    if not isinstance(change, dict) or not change:
        return f"the body must be such as {EXAMPLE}"
    if unknown := set(change) - {"automatic", "account"}:
        return f"there is no {sorted(unknown)[0]} here"
    if not isinstance(change.get("automatic", False), bool):
        return "automatic must be true or false"
    if change.get("account", USUAL_NUMBER) not in ACCOUNTS:
        return f"account must be one of {', '.join(ACCOUNTS)}"
    return None


def _shown(settings: Json) -> Json:
    return {name: settings[name] for name in ("automatic", "account")}


def _id(tx: Tx) -> str:
    return f"payout_settings_{tx.tenant.id}"


ROUTES: control.Routes = (("payouts", "GET", _read), ("payouts", "POST", _write))
