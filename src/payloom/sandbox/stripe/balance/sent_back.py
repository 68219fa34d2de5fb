"""A payout that the bank sends back on command, also days after it was paid.

At Stripe a payout "might initially show as paid, then change to failed (within 5 business days)":
docs.stripe.com/api/payouts/object. No test account there does that.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payloom.sandbox.control import BadOrder, Routes, read_json, refuse
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant
from payloom.sandbox.stripe.balance import sending
from payloom.sandbox.stripe.balance.payout_accounts import FAILURES
from payloom.sandbox.stripe.protocol.shapes import render

EXAMPLE = '{"failure_code": "account_closed"}'
USUAL_CODE = "could_not_process"
WITH_THE_BANK = ("in_transit", "paid")


async def _send_back(rt: Runtime, tenant: Tenant, request: Request) -> Response:
    code = _code(await read_json(request, EXAMPLE))
    with rt.transaction(tenant) as tx:
        payout = tx.load(sending.KIND, request.path_params["id"])
        if payout is None:
            return refuse(404, "there is no such payout")
        if payout["status"] not in WITH_THE_BANK:
            raise BadOrder(
                f"the payout is {payout['status']}: a bank sends back what is"
                f" {' or '.join(WITH_THE_BANK)}"
            )
        sending.send_back(tx, payout, code)
        return JSONResponse(render(sending.KIND, payout))


def _code(order: Any) -> str:
    if not isinstance(order, dict) or set(order) - {"failure_code"}:
        raise BadOrder(f"the body must be such as {EXAMPLE}")
    code = order.get("failure_code", USUAL_CODE)
    if not isinstance(code, str) or code not in FAILURES:
        raise BadOrder(f"failure_code must be one of {', '.join(FAILURES)}")
    return code


ROUTES: Routes = (("payouts/{id}/fail", "POST", _send_back),)
