"""The path of every API request: who, which fault, which key, then the handler in one commit."""

import asyncio
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from payloom.sandbox import forms
from payloom.sandbox.faults import Fault
from payloom.sandbox.log import Entry
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant, Tx
from payloom.sandbox.stripe.protocol import idempotency, versions
from payloom.sandbox.stripe.protocol.call import Call, Handler, Reply
from payloom.sandbox.stripe.protocol.errors import (
    StripeError,
    invalid,
    locked,
    ordered,
    unauthorized,
    unrecognized_url,
)
from payloom.sandbox.stripe.protocol.expand import Openers, expand
from payloom.sandbox.stripe.protocol.idempotency import Answer, Keyed
from payloom.sandbox.stripe.protocol.ids import new_id
from payloom.sandbox.stripe.protocol.rate_limits import RateLimits
from payloom.sandbox.stripe.protocol.routing import Router
from payloom.sandbox.tenants import key_in
from payloom.sandbox.wire import Dropped, ProxyPage, broken

log = logging.getLogger(__name__)

BODY_MAX = 1024 * 1024
# the API has no part in it
_UNANSWERED: dict[str, Callable[[], Response]] = {"drop": Dropped, "proxy_page": ProxyPage}
LATE_S = 5.0  # a `late` fault that names no delay
_dump = json.JSONEncoder(separators=(",", ":")).encode
_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")


@dataclass(slots=True)
class Incoming:
    """A request on its way to its handler."""

    tenant: Tenant
    request_id: str
    entry: Entry
    version: str
    base_url: str
    raw: bytes  # body or query string
    content_type: str

    @property
    def key(self) -> str | None:
        return self.entry.idempotency_key


@dataclass(frozen=True, slots=True)
class Understood:
    """A request that has a handler and a form."""

    handler: Handler
    ids: tuple[str, ...]
    form: dict[str, Any]
    keyed: Keyed | None  # if it came under an idempotency key


class Api:
    def __init__(
        self, rt: Runtime, router: Router, openers: Openers, rate_limits: RateLimits
    ) -> None:
        self._rt = rt
        self._rate_limits = rate_limits
        self._router = router
        self._openers = openers
        self._in_flight = idempotency.InFlight()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        key = key_in(request.headers.get("authorization", ""))
        tenant = self._rt.tenants.of_key(key)
        request_id = new_id("req", length=14)
        if tenant is None:
            refusal = unauthorized(key, has_ended=self._rt.tenants.has_ended(key))
            return _response(_refused(refusal, request_id), request_id, versions.DEFAULT)
        incoming = await _incoming(request, tenant, request_id)
        if (limited := self._limited(incoming)) is not None:
            return _response(limited, request_id, incoming.version, incoming.key)
        fault = self._rt.faults.take_for_request(tenant, request.method, request.scope["path"])
        if fault is not None:
            incoming.entry.effect = fault.effect
            if fault.effect in _UNANSWERED:
                with self._rt.transaction(tenant) as tx:
                    self._rt.log.write(tx, incoming.entry)
                return _UNANSWERED[fault.effect]()
        answer = await self._answer(incoming, fault)
        response = _response(answer, request_id, incoming.version, incoming.key)
        return broken(response, incoming.entry.effect)

    def _limited(self, incoming: Incoming) -> Answer | None:
        """The answer of a request that is one too many: nothing of it is looked at."""
        if self._rate_limits.ordered(incoming.tenant) is None:
            return None
        found = self._router.find(incoming.entry.method, incoming.entry.path)
        refusal = self._rate_limits.refusal(incoming.tenant, found and found[0])
        return self._refuse(incoming, refusal) if refusal is not None else None

    async def _answer(self, incoming: Incoming, fault: Fault | None) -> Answer:
        try:
            with self._in_flight.claim(incoming.tenant.id, incoming.key):
                if fault is not None and fault.effect == "late":
                    await asyncio.sleep(LATE_S if fault.delay_s is None else fault.delay_s)
                if fault is not None and fault.effect == "lock_timeout":
                    return self._refuse(incoming, locked())
                if fault is not None and fault.status is not None:
                    return self._refuse(incoming, ordered(fault.status))
                return self._execute(incoming)
        except StripeError as error:
            return self._refuse(incoming, error)

    def _execute(self, incoming: Incoming) -> Answer:
        try:
            request = _understood(incoming, self._router)
            with self._rt.transaction(incoming.tenant) as tx:
                answer = _replayed(tx, request) or self._handled(tx, incoming, request)
                self._log(tx, incoming, answer)
            return answer
        except StripeError as error:
            return self._refuse(incoming, error)
        except Exception:
            log.exception("%s %s failed", incoming.entry.method, incoming.entry.path)
            message = "An error occurred in the sandbox itself: see its log."
            return self._refuse(incoming, StripeError(500, "api_error", message, executed=True))

    def _handled(self, tx: Tx, incoming: Incoming, request: Understood) -> Answer:
        tx.cause = {"id": incoming.request_id, "idempotency_key": incoming.key}
        call = Call(
            tx=tx,
            form=request.form,
            ids=request.ids,
            path=incoming.entry.path,
            version=incoming.version,
            base_url=incoming.base_url,
            secret=self._rt.store.secret,
        )
        result = request.handler(call)
        if isinstance(result, Reply):
            status, body = result.status, result.body
        else:
            status, body = 200, result
            if call.expand:
                body = expand(tx, result, call.expand, self._openers)
        answer = Answer(status, _json(body), incoming.request_id)
        answer.object = request.ids[0] if request.ids else body.get("id")
        if request.keyed is not None:
            idempotency.remember(tx, request.keyed, answer)
        return answer

    def _refuse(self, incoming: Incoming, error: StripeError) -> Answer:
        """Answer an error; what had begun to execute is kept under the key, unless one is."""
        answer = _refused(error, incoming.request_id)
        with self._rt.transaction(incoming.tenant) as tx:
            if error.executed:
                _keep(tx, incoming, answer, self._router)
            self._log(tx, incoming, answer)
        return answer

    def _log(self, tx: Tx, incoming: Incoming, answer: Answer) -> None:
        entry = incoming.entry
        entry.status, entry.replayed, entry.object = answer.status, answer.replayed, answer.object
        self._rt.log.write(tx, entry)


def _replayed(tx: Tx, request: Understood) -> Answer | None:
    answer = idempotency.recall(tx, request.keyed) if request.keyed else None
    if answer is not None:
        answer.object = request.ids[0] if request.ids else json.loads(answer.body).get("id")
    return answer


def _keep(tx: Tx, incoming: Incoming, answer: Answer, router: Router) -> None:
    try:
        keyed = _understood(incoming, router).keyed
        if keyed is not None and idempotency.recall(tx, keyed) is None:
            idempotency.remember(tx, keyed, answer)
    except StripeError:
        return  # what cannot be read, or uses the key of another request, is not kept


def base_url(request: Request) -> str:
    """How the client reached us: links to hosted pages lead back the same way."""
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        address, port = request.scope["server"]
        host = f"{address}:{port}"
    return f"{request.scope['scheme']}://{host}"


async def _incoming(request: Request, tenant: Tenant, request_id: str) -> Incoming:
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    # its path, masked, is the request's from here on: what is kept or answered names no other
    entry = Entry.begin(request.method, request.scope["path"], idempotency_key=key or None)
    raw = await _body(request) if request.method == "POST" else request.scope["query_string"]
    return Incoming(
        tenant=tenant,
        request_id=request_id,
        entry=entry,
        version=request.headers.get("stripe-version") or versions.DEFAULT,
        base_url=base_url(request),
        raw=raw,
        content_type=request.headers.get("content-type", ""),
    )


async def _body(request: Request) -> bytes:
    """The body, or more than may be: what is too much is refused without reading on."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            break
    return bytes(body)


def _understood(incoming: Incoming, router: Router) -> Understood:
    """The request, if it makes sense at all; what its handler wants is the handler's to check."""
    entry = incoming.entry
    if not versions.is_known(incoming.version):
        raise invalid(f"Invalid Stripe API version: {incoming.version[:50]}")
    found = router.find(entry.method, entry.path)
    if found is None:
        raise unrecognized_url(entry.method, entry.path)
    if len(incoming.raw) > BODY_MAX:
        message = f"Request body too large: the most is {BODY_MAX} bytes."
        raise StripeError(413, "invalid_request_error", message)
    if incoming.raw and "json" in incoming.content_type:
        raise invalid(
            "Invalid request (check that your POST content type is"
            " application/x-www-form-urlencoded)."
        )
    try:
        form = forms.decode(incoming.raw)
    except forms.BadForm as error:
        raise invalid(f"Invalid request: {error}") from None
    keyed = Keyed.of(incoming.key, entry.path, form) if incoming.key else None
    return Understood(*found, form, keyed)


def _refused(error: StripeError, request_id: str) -> Answer:
    url = f"https://dashboard.stripe.com/test/logs/{request_id}"
    body = _json({"error": {**error.error, "request_log_url": url}})
    return Answer(error.status, body, request_id, headers=error.headers)


def _response(answer: Answer, request_id: str, version: str, key: str | None = None) -> Response:
    headers = {
        "Request-Id": request_id,
        "Original-Request": answer.original_request,
        "Stripe-Version": version if versions.is_known(version) else versions.DEFAULT,
        "Cache-Control": "no-cache, no-store",
        **answer.headers,
    }
    if key is not None and len(key) <= idempotency.KEY_MAX:
        headers["Idempotency-Key"] = key
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type="application/json")


def _json(body: dict[str, Any]) -> bytes:
    return _dump(body).encode()
