"""The path of a shopper's request: whose page it is, which fault, then the action in one commit."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from payloom.sandbox import forms
from payloom.sandbox.log import Entry
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant, Tx
from payloom.sandbox.stripe.page.render import page
from payloom.sandbox.wire import Dropped, broken

Json = dict[str, Any]

ANSWER_WAIT_S = 10  # for the merchant's answer to checkout.session.completed
FORM_MAX = 64 * 1024
LATE_S = 5.0  # a `late` fault that names no delay


@dataclass(slots=True)
class Visit:
    """One request of a shopper, inside its transaction."""

    tx: Tx
    session: Json
    form: Json
    query: Json
    secret: bytes
    awaited_event: str | None = None  # to be answered before the shopper is sent on

    @property
    def path(self) -> str:
        return f"/c/pay/{self.session['id']}"

    @property
    def today(self) -> datetime:
        return datetime.fromtimestamp(self.tx.now, UTC)

    def token(self) -> str:
        """Proves that a form came from this session's page."""
        message = f"form:{self.session['id']}".encode()
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()


Action = Callable[[Visit], Response]


async def answer(rt: Runtime, request: Request, action: Action) -> Response:
    session_id = request.path_params["id"]
    owner = rt.store.owner(session_id)
    if owner is None:
        return _missing()
    tenant = rt.tenants.get(owner)
    entry = Entry(time.time(), request.method, request.scope["path"], object=session_id)
    form = await _form(request) if request.method == "POST" else {}
    fault = rt.faults.take_for_request(tenant, request.method, entry.path)
    entry.effect = fault.effect if fault else None
    if fault and fault.effect == "late":
        await asyncio.sleep(LATE_S if fault.delay_s is None else fault.delay_s)
    if fault and fault.effect in ("drop", "status"):
        entry.status = fault.status
        _write(rt, tenant, entry)
        return Dropped() if fault.status is None else _failing(fault.status)
    query = dict(request.query_params)
    response = await _visit(rt, tenant, entry, action, form=form, query=query)
    return broken(response, entry.effect)


async def _visit(
    rt: Runtime, tenant: Tenant, entry: Entry, action: Action, *, form: Json, query: Json
) -> Response:
    with rt.transaction(tenant) as tx:
        session = tx.load("checkout.session", entry.object or "")
        if session is None or not (session.get("ui_mode") or "").startswith("hosted"):
            return _missing()
        visit = Visit(tx, session, form, query, rt.store.secret)
        response = action(visit)
        entry.status = response.status_code
        rt.log.write(tx, entry)
    if visit.awaited_event:
        await rt.deliveries.first_try(visit.awaited_event, ANSWER_WAIT_S)
    return response


async def _form(request: Request) -> Json:
    """The form, empty if it is not one: an empty form is refused by its missing token."""
    if not _same_origin(request):
        return {}
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_MAX:
            return {}
    try:
        return forms.decode(bytes(body))
    except forms.BadForm:
        return {}


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _write(rt: Runtime, tenant: Tenant, entry: Entry) -> None:
    with rt.transaction(tenant) as tx:
        rt.log.write(tx, entry)


def _missing() -> Response:
    notice = {
        "title": "Page not found",
        "text": "There is no checkout under this address. Check the link, or go back to the shop.",
    }
    return page("notice.html", 404, _nothing_known() | notice)


def _failing(status: int) -> Response:
    notice = {"title": "Something went wrong", "text": "Please try again in a moment."}
    return page("notice.html", status, _nothing_known() | notice)


def _nothing_known() -> Json:
    return {"session": None, "livemode": False, "shop": "", "link": None, "tone": "over"}
