"""Whether an account is paid out by itself, and to which bank account: a choice of the tenant.

Stripe pays out daily unless told otherwise. Here nothing is paid out before somebody asks for it
at `/_sandbox/payouts`: whoever moves the clock for another reason keeps their balance.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payloom.sandbox import agenda, control
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant, Tx
from payloom.sandbox.stripe.balance.payout_accounts import ACCOUNTS, USUAL_NUMBER

Json = dict[str, Any]

KIND = "payout_settings"
DAILY = "stripe.automatic_payouts"
DAY = 86_400
EXAMPLE = f'{{"automatic": true, "account": "{USUAL_NUMBER}"}}'


def load(tx: Tx) -> Json:
    """`automatic`, `account`, and up to where the transactions of a currency are paid out."""
    usual = {"automatic": False, "account": USUAL_NUMBER, "paid_up_to": {}}
    return {**usual, **(tx.load(KIND, _id(tx)) or {})}


def save(tx: Tx, settings: Json) -> None:
    tx.put(KIND, {"id": _id(tx), "created": int(tx.now), **settings})


def schedule(tx: Tx) -> None:
    """Payouts are made at midnight UTC."""
    now = int(tx.now)
    agenda.schedule(tx, DAILY, KIND, now - now % DAY + DAY)


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
        agenda.cancel(tx, DAILY, KIND)
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
