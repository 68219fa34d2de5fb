"""Whose console this is: a cookie that stands for one key of one account."""

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from payloom.sandbox import forms
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant
from payloom.sandbox.tenants import digest

FORM_MAX = 64 * 1024
PATH = "/_sandbox"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who knows a key of this tenant."""

    rt: Runtime
    tenant: Tenant
    token: str  # proves that a form came from a page of ours


def recognize(rt: Runtime, request: Request) -> Visitor | None:
    """Who the cookie says this is; None where it says nothing, or its key has ended."""
    key_digest, _, proof = request.cookies.get(_name(request), "").partition(".")
    if not hmac.compare_digest(proof.encode(), _proof(rt, "cookie", key_digest).encode()):
        return None
    tenant = rt.tenants.of_digest(key_digest)
    return Visitor(rt, tenant, _proof(rt, "form", key_digest)) if tenant else None


def remember(rt: Runtime, request: Request, response: Response, key: str) -> None:
    """Gone when the browser is closed; sent to these pages alone, and never from other sites."""
    key_digest = digest(key)
    value = f"{key_digest}.{_proof(rt, 'cookie', key_digest)}"
    response.set_cookie(_name(request), value, path=PATH, httponly=True, samesite="strict")


def forget(request: Request, response: Response) -> None:
    response.delete_cookie(_name(request), path=PATH, httponly=True, samesite="strict")


async def read_form(request: Request) -> dict[str, str] | None:
    """The fields that are filled in; None: not a form, too large, or from another site."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_MAX:
            return None
    try:
        form = forms.decode(bytes(body))
    except forms.BadForm:
        return None
    given = {name: text.strip() for name, text in form.items() if isinstance(text, str)}
    return {name: text for name, text in given.items() if text}


def _name(request: Request) -> str:
    """Cookies know no ports: without one in its name, another sandbox would take this one's."""
    return f"payloom_sandbox_{request.url.port or 80}"


def _proof(rt: Runtime, purpose: str, key_digest: str) -> str:
    message = f"console {purpose}:{key_digest}".encode()
    return hmac.new(rt.store.secret, message, hashlib.sha256).hexdigest()
