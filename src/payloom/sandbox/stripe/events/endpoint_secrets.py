"""The secrets of a webhook endpoint: one, and for a while the one it took the place of.

At Stripe a secret is rolled in the Dashboard, where the old one may stay valid for up to 24 hours;
here by `POST /_sandbox/webhook_endpoints/{id}/roll`.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payloom.sandbox.control import BadOrder, Routes, read_json, refuse
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant
from payloom.sandbox.stripe.protocol.ids import new_id

Json = dict[str, Any]

OVERLAP_S_MAX = 24 * 3600
ROLL_EXAMPLE = '{"expires_in_s": 3600}'


def new() -> str:
    return new_id("whsec", length=32)


def valid(endpoint: Json, now: float) -> list[str]:
    """What a webhook is signed with: the newest secret first."""
    old = [key for key, ends_at in endpoint.get("_old_secrets", ()) if now < ends_at]
    return [endpoint["_secret"], *old]


def roll(endpoint: Json, now: float, overlap_s: float) -> None:
    """A new secret; the old ones stay valid no longer than that."""
    until = now + overlap_s
    before = [(key, min(end, until)) for key, end in endpoint.get("_old_secrets", ()) if now < end]
    endpoint["_old_secrets"] = [(endpoint["_secret"], until), *before] if overlap_s else []
    endpoint["_secret"] = new()


async def roll_by_control(rt: Runtime, tenant: Tenant, request: Request) -> Response:
    body = await read_json(request, ROLL_EXAMPLE)
    overlap_s = body.get("expires_in_s", 0) if isinstance(body, dict) else None
    if not isinstance(overlap_s, int | float) or isinstance(overlap_s, bool):
        raise BadOrder(f"expires_in_s must be a number: {ROLL_EXAMPLE}")
    if not 0 <= overlap_s <= OVERLAP_S_MAX:
        raise BadOrder(f"expires_in_s must be from 0 to {OVERLAP_S_MAX}")
    with rt.transaction(tenant) as tx:
        endpoint = tx.load("webhook_endpoint", request.path_params["id"])
        if endpoint is None:
            return refuse(404, "there is no such webhook endpoint")
        roll(endpoint, tx.now, overlap_s)
        tx.save(endpoint)
    return JSONResponse({"id": endpoint["id"], "secret": endpoint["_secret"]})


ROUTES: Routes = (("webhook_endpoints/{id}/roll", "POST", roll_by_control),)
