"""The verbs as all three fakes have them; a dialect says its words, and what it lacks."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from payloom.connectors.contract import (
    Approved,
    AttemptRef,
    Concerns,
    Decline,
    Expired,
    Failed,
    Ignored,
    Listed,
    Meaning,
    Notice,
    NotOurs,
    Outcome,
    Paid,
    Processing,
    Reading,
    Refunded,
    RefundFailed,
    RefundOutcome,
    RefundRef,
    RefundRequest,
    Refused,
    Registered,
    Registration,
    Rendered,
    StillOpen,
    Unknown,
)
from tests.connectors.fakes.wire import Json, Line, Refusing, asked, money_of, readable


class Fake(Line):
    """A whole connector for a PSP without peculiarities; the dialects change what theirs are."""

    signature_header = "x-signature"

    def render(self, registration: Registration, key: str) -> Rendered:
        return Rendered(asked(registration), "1", key)

    async def register(self, rendered: Rendered) -> Registered | Refused | Unknown:
        answer = await self.ask("register", rendered.body, rendered.key)
        if isinstance(answer, Refusing):
            return Refused(answer.code, "refused")
        if isinstance(answer, Unknown):
            return answer
        if not isinstance(answer.get("token"), str) or not isinstance(answer.get("page"), str):
            return Unknown("an answer without token or page")
        return Registered(answer["token"], answer["page"])

    async def look_up(self, ref: AttemptRef) -> Outcome:
        return await self._told("status", ref)

    async def find(self, ref: AttemptRef, sent_at: datetime) -> Outcome:
        answer = await self.ask("list", json.dumps({"around": sent_at.isoformat()}))
        listed = _listed(answer)
        if isinstance(listed, Unknown):
            return listed
        found = [each for each in listed if each["ours"] == ref.attempt]
        if not found:
            return Refused("never_registered", "there is no such payment")
        outcome = self.outcome(found[0])
        if isinstance(outcome, StillOpen):
            return Registered(found[0]["token"], f"{self._base}/page/{found[0]['token']}")
        return outcome

    async def expire(self, ref: AttemptRef) -> Outcome:
        return await self._told("end", ref)

    async def complete(self, ref: AttemptRef, key: str) -> Outcome:
        return await self._told("capture", ref, key)

    def render_refund(self, request: RefundRequest, key: str) -> Rendered:
        body = {"token": request.psp_payment, "ours": request.refund, "minor": request.amount.minor}
        return Rendered(json.dumps(body, sort_keys=True), "1", key)

    async def refund(self, rendered: Rendered) -> RefundOutcome:
        answer = await self.ask("refund", rendered.body, rendered.key)
        if isinstance(answer, Refusing):
            return RefundFailed(answer.code)
        return answer if isinstance(answer, Unknown) else _refund(answer)

    async def look_up_refund(self, ref: RefundRef) -> RefundOutcome:
        answer = await self.ask("refunds", json.dumps({"token": ref.psp_payment}))
        listed = _listed(answer)
        if isinstance(listed, Unknown):
            return listed
        found = [each for each in listed if each["ours"] == ref.refund]
        return _refund(found[0]) if found else RefundFailed("never_made")

    async def list_events(
        self, since: datetime, until: datetime, after: str | None
    ) -> Listed | Unknown:
        return Unknown("there is no list of events")

    def read_notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Reading:
        told = self.verified(headers, self.signature_header, body)
        return Reading((Notice(told["id"], str(told.get("type")), told.get("ours")),))

    def meaning(self, body: bytes) -> Meaning:
        told = readable(body)
        if told.get("type") != "payment":
            return Ignored("tells of no payment")
        if not isinstance(told.get("ours"), str):
            return NotOurs()
        return Concerns(told["ours"], self.outcome(told))

    def outcome(self, told: Json) -> Outcome:
        """What a payment's state says; what is not among these is not concluded from."""
        match told.get("state"):
            case "open":
                return StillOpen()
            case "approved":
                return Approved(told["token"])
            case "pending":
                return Processing(told["token"])
            case "paid":
                return Paid(money_of(told), told["token"], told.get("order"))
            case "failed":
                return Failed(Decline("declined"))
            case "over":
                return Expired()
        return Unknown(f"a payment in state {told.get('state')!r}")

    async def _told(self, verb: str, ref: AttemptRef, key: str | None = None) -> Outcome:
        if ref.token is None:
            return Unknown("there is no token yet")
        answer: Any = await self.ask(verb, json.dumps({"token": ref.token}), key)
        if isinstance(answer, Refusing):
            return Unknown(answer.code)
        if isinstance(answer, Unknown):
            return answer
        if answer.get("ours") != ref.attempt:
            return Unknown("a payment of another attempt")
        return self.outcome(answer)


def _listed(answer: Json | Refusing | Unknown) -> list[Json] | Unknown:
    if isinstance(answer, Unknown):
        return answer
    data = answer.get("data") if isinstance(answer, dict) else None
    return data if isinstance(data, list) else Unknown("an answer without a list")


def _refund(told: Json) -> RefundOutcome:
    if told.get("state") == "done" and isinstance(told.get("id"), str):
        return Refunded(told["id"])
    return Unknown("a refund that we do not understand")
