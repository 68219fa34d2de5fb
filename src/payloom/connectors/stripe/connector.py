"""Stripe Checkout: each verb is mapping, one HTTP call, mapping back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import aiohttp

from payloom.connectors.contract import (
    AttemptRef,
    Listed,
    Meaning,
    Outcome,
    Reading,
    RefundFailed,
    RefundOutcome,
    RefundRef,
    RefundRequest,
    Refused,
    Registered,
    Registration,
    Rendered,
    Unknown,
)
from payloom.connectors.errors import NoAnswer
from payloom.connectors.gate import Gate
from payloom.connectors.spec import Credentials
from payloom.connectors.stripe import mapping, notices, refunds
from payloom.connectors.stripe.errors import refusal
from payloom.connectors.stripe.transport import Answer, Api

SESSIONS = "/v1/checkout/sessions"
EVENTS = "/v1/events"
# Lists are not delayed at Stripe (search is); the window covers clocks that differ.
FIND_AROUND = timedelta(minutes=5)
FIND_PAGES_MAX = 200
_EXPAND = {"expand[0]": "payment_intent.latest_charge"}


class StripeConnector:
    """One Stripe account. Keeps no state; see contract.Connector for each verb."""

    def __init__(
        self, credentials: Credentials, session: aiohttp.ClientSession, gate: Gate
    ) -> None:
        self._api = Api(credentials, session, gate)
        key = credentials.secrets["api_key"].reveal()
        self._livemode = key.startswith(("sk_live_", "rk_live_"))
        self._webhook_secrets = tuple(
            secret
            for name, secret in credentials.secrets.items()
            if name.startswith("webhook_secret")
        )

    def render(self, registration: Registration, key: str) -> Rendered:
        params = mapping.to_session(registration)
        return Rendered(mapping.encode(params), mapping.VERSION, key)

    async def register(self, rendered: Rendered) -> Registered | Refused | Unknown:
        try:
            answer = await self._post("register", SESSIONS, rendered)
        except NoAnswer as nothing:
            return Unknown(str(nothing), nothing.executed)
        if answer.status == 200 and isinstance(answer.body, Mapping):
            return mapping.registered(answer.body)
        return refusal(answer.status, answer.body, is_replayed=answer.replayed)

    async def look_up(self, ref: AttemptRef) -> Outcome:
        if ref.token is None:
            return Unknown("Stripe finds no session by our id alone")
        return await self._read("look_up", "get", f"{SESSIONS}/{ref.token}", _EXPAND, ref)

    async def find(self, ref: AttemptRef, sent_at: datetime) -> Outcome:
        around = {
            "created[gte]": str(int((sent_at - FIND_AROUND).timestamp())),
            "created[lte]": str(int((sent_at + FIND_AROUND).timestamp())),
            "limit": "100",
        }
        after: dict[str, str] = {}
        for _ in range(FIND_PAGES_MAX):
            try:
                answer = await self._api.call("find", "get", SESSIONS, {**around, **after})
            except NoAnswer as nothing:
                return Unknown(str(nothing), nothing.executed)
            sessions = _listed(answer)
            if sessions is None:
                return Unknown(f"status {answer.status} to a list of sessions")
            for session in sessions:
                if mapping.attempt_of(session) == ref.attempt:
                    return mapping.found(session)
            if not sessions or not cast("Mapping[str, Any]", answer.body).get("has_more"):
                return Refused("never_registered", "Stripe has no session of this attempt")
            after = {"starting_after": str(sessions[-1].get("id"))}
        return Unknown("too many sessions to look through")

    async def expire(self, ref: AttemptRef) -> Outcome:
        if ref.token is None:
            return Unknown("there is no session to expire yet")
        path = f"{SESSIONS}/{ref.token}/expire"
        outcome = await self._read("expire", "post", path, _EXPAND, ref)
        if not isinstance(outcome, Unknown):
            return outcome
        # Only an open session can be expired: a refusal says that it ended some other way.
        seen = await self.look_up(ref)
        return outcome if isinstance(seen, Unknown) else seen

    async def complete(self, ref: AttemptRef, key: str) -> Outcome:
        return await self.look_up(ref)  # Stripe takes the money itself, and never asks for this

    def render_refund(self, request: RefundRequest, key: str) -> Rendered:
        return Rendered(mapping.encode(refunds.to_refund(request)), mapping.VERSION, key)

    async def refund(self, rendered: Rendered) -> RefundOutcome:
        try:
            answer = await self._post("refund", refunds.PATH, rendered)
        except NoAnswer as nothing:
            return Unknown(str(nothing), nothing.executed)
        if answer.status == 200 and isinstance(answer.body, Mapping):
            return refunds.outcome(answer.body)
        return refunds.refused(answer.status, answer.body, is_replayed=answer.replayed)

    async def look_up_refund(self, ref: RefundRef) -> RefundOutcome:
        wanted = {"payment_intent": ref.psp_payment, "limit": "100"}  # nobody has more of one
        try:
            answer = await self._api.call("look_up_refund", "get", refunds.PATH, wanted)
        except NoAnswer as nothing:
            return Unknown(str(nothing), nothing.executed)
        listed = _listed(answer)
        if listed is None:
            return Unknown(f"status {answer.status} to a list of refunds")
        found = refunds.found(listed, ref)
        return refunds.outcome(found) if found is not None else RefundFailed("never_made")

    def read_notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Reading:
        return notices.read(headers, body, self._webhook_secrets, now)

    async def list_events(
        self, since: datetime, until: datetime, after: str | None
    ) -> Listed | Unknown:
        wanted = notices.listing(since, until, after)
        try:
            answer = await self._api.call("list_events", "get", EVENTS, wanted)
        except NoAnswer as nothing:
            return Unknown(str(nothing), nothing.executed)
        page = notices.listed(answer.body) if answer.status == 200 else None
        return page or Unknown(f"status {answer.status} to a list of events")

    def meaning(self, body: bytes) -> Meaning:
        return notices.meaning(body, livemode=self._livemode)

    async def _post(self, verb: str, path: str, rendered: Rendered) -> Answer:
        """Send a stored request as it is. Raises NoAnswer."""
        options = {"idempotency_key": rendered.key, "stripe_version": rendered.version}
        return await self._api.send(verb, path, rendered.body, **options)

    async def _read(
        self, verb: str, method: str, path: str, params: Mapping[str, Any], ref: AttemptRef
    ) -> Outcome:
        try:
            answer = await self._api.call(verb, method, path, params)
        except NoAnswer as nothing:
            return Unknown(str(nothing), nothing.executed)
        return _session_outcome(answer, ref)


def _listed(answer: Answer) -> list[Mapping[str, Any]] | None:
    data = answer.body.get("data") if isinstance(answer.body, Mapping) else None
    if answer.status != 200 or not isinstance(data, list):
        return None
    return [item for item in data if isinstance(item, Mapping)]


def _session_outcome(answer: Answer, ref: AttemptRef) -> Outcome:
    if answer.status != 200 or not isinstance(answer.body, Mapping):
        return Unknown(f"status {answer.status}")
    if mapping.attempt_of(answer.body) != ref.attempt:
        return Unknown("the session does not carry our attempt's id")
    return mapping.outcome(answer.body)
