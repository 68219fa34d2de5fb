"""The path of a shopper's request: whose page it is, which fault, then the action in one commit."""

import asyncio
import hashlib
import hmac
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
from payloom.sandbox.stripe.checkout.pay import tried_of
from payloom.sandbox.stripe.page import language
from payloom.sandbox.stripe.page.language import Language
from payloom.sandbox.stripe.page.render import page
from payloom.sandbox.stripe.payments import intents, setups
from payloom.sandbox.stripe.protocol.api import base_url
from payloom.sandbox.wire import Dropped, broken

Json = dict[str, Any]

ANSWER_WAIT_S = 10  # for the merchant's answer to checkout.session.completed
FORM_MAX = 64 * 1024
LATE_S = 5.0  # a `late` fault that names no delay

SESSION = "checkout.session"
INTENTS = (intents.KIND, setups.KIND)


@dataclass(frozen=True, slots=True)
class Sent:
    """What the browser sent along."""

    form: Json
    query: Json
    base_url: str
    languages: str  # the header
    names: Json  # what else the path names


@dataclass(slots=True)
class Visit:
    """One request of a shopper, inside its transaction."""

    tx: Tx
    kind: str  # whose page it is: a session's, or an intent's without one
    subject: Json
    sent: Sent
    secret: bytes
    awaited_event: str | None = None  # to be answered before the shopper is sent on

    @property
    def is_session(self) -> bool:
        return self.kind == SESSION

    @property
    def session(self) -> Json:
        return self.subject

    @property
    def form(self) -> Json:
        return self.sent.form

    @property
    def path(self) -> str:
        return f"{'/c/pay' if self.is_session else '/c/authorize'}/{self.subject['id']}"

    @property
    def saves(self) -> bool:
        """Whether a method is set up here, and nothing is paid."""
        return self.kind == setups.KIND or self.subject.get("mode") == "setup"

    @property
    def language(self) -> Language:
        return language.chosen(self.subject.get("locale"), self.sent.languages)

    @property
    def today(self) -> datetime:
        return datetime.fromtimestamp(self.tx.now, UTC)

    def intent(self) -> Json:
        """The payment or setup intent behind the page; empty as long as nobody tried."""
        return tried_of(self.tx, self.session) if self.is_session else self.subject

    def token(self) -> str:
        """Proves that a form came from this page."""
        message = f"form:{self.subject['id']}".encode()
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()

    def is_ours(self) -> bool:
        """Whether the form that was sent came from this page."""
        token = self.form.get("token", "")
        return isinstance(token, str) and hmac.compare_digest(
            token.encode("utf-8", "replace"), self.token().encode()
        )


Action = Callable[[Visit], Response]


async def answer(rt: Runtime, request: Request, action: Action, kinds: tuple[str, ...]) -> Response:
    """What the action answers for the session or intent that the path names."""
    id_ = request.path_params["id"]
    sent = await _sent(request)
    owner = rt.store.owner(id_)
    if owner is None:
        return _missing(sent)
    tenant = rt.tenants.get(owner)
    entry = Entry.begin(request.method, request.scope["path"], object=id_)
    fault = rt.faults.take_for_request(tenant, request.method, entry.path)
    entry.effect = fault.effect if fault else None
    if fault and fault.effect == "late":
        await asyncio.sleep(LATE_S if fault.delay_s is None else fault.delay_s)
    if fault and fault.effect in ("drop", "status"):
        entry.status = fault.status
        with rt.transaction(tenant) as tx:
            rt.log.write(tx, entry)
        return Dropped() if fault.status is None else _failing(sent, fault.status)
    response = await _visit(rt, tenant, entry, action, kinds=kinds, sent=sent)
    return broken(response, entry.effect)


async def _visit(
    rt: Runtime, tenant: Tenant, entry: Entry, action: Action, *, kinds: tuple[str, ...], sent: Sent
) -> Response:
    with rt.transaction(tenant) as tx:
        kind, subject = _subject(tx, kinds, entry.object or "")
        if subject is None or not _has_page(kind, subject):
            return _missing(sent)
        visit = Visit(tx, kind, subject, sent, rt.store.secret)
        response = action(visit)
        entry.status = response.status_code
        rt.log.write(tx, entry)
    if visit.awaited_event:
        await rt.deliveries.first_try(visit.awaited_event, ANSWER_WAIT_S)
    return response


def _subject(tx: Tx, kinds: tuple[str, ...], id_: str) -> tuple[str, Json | None]:
    for kind in kinds:
        if subject := tx.load(kind, id_):
            return kind, subject
    return "", None


def _has_page(kind: str, subject: Json) -> bool:
    """A session that is hosted; an intent that has no such session."""
    if kind == SESSION:
        return (subject.get("ui_mode") or "").startswith("hosted")
    return subject.get("_owner") != SESSION


async def _sent(request: Request) -> Sent:
    names = {name: value for name, value in request.path_params.items() if name != "id"}
    return Sent(
        form=await _form(request) if request.method == "POST" else {},
        query=dict(request.query_params),
        base_url=base_url(request),
        languages=request.headers.get("accept-language", ""),
        names=names,
    )


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


def _missing(sent: Sent) -> Response:
    text = "There is no checkout under this address. Check the link, or go back to the shop."
    return _plain(sent, 404, "Page not found", text)


def _failing(sent: Sent, status: int) -> Response:
    return _plain(sent, status, "Something went wrong", "Please try again in a moment.")


def _plain(sent: Sent, status: int, title: str, text: str) -> Response:
    """A page of a merchant whom nobody knows."""
    theirs = language.chosen(None, sent.languages)
    said = {"title": theirs.say(title), "text": theirs.say(text)}
    rest = {"sum": None, "livemode": False, "shop": "", "link": None, "tone": "over"}
    return page("notice.html", status, {**rest, **said}, theirs)
