"""Disputes over the API: answered with evidence, or given up."""

from typing import Any

from payloom.sandbox.stripe.balance import quarrels
from payloom.sandbox.stripe.balance.quarrels import ANSWERABLE, CLOSED, KIND
from payloom.sandbox.stripe.protocol import params
from payloom.sandbox.stripe.protocol.call import Call
from payloom.sandbox.stripe.protocol.errors import StripeError, invalid, no_such, wrong_state
from payloom.sandbox.stripe.protocol.shapes import render
from payloom.sandbox.stripe.protocol.shapes.balance import EVIDENCE, EVIDENCE_FILES

Json = dict[str, Any]

EVIDENCE_MAX, TEXT_MAX = 150_000, 20_000
_NOT_BUILT = ("appeal", "enhanced_evidence", *EVIDENCE_FILES)
_TEXTS = [name for name in EVIDENCE if name not in _NOT_BUILT]


def _not_built(_: Any, name: str) -> None:
    raise invalid("This sandbox has no files, no appeals and no enhanced evidence yet.", param=name)


_UPDATE: dict[str, params.Check] = {
    "evidence": params.hash_of(
        {
            **dict.fromkeys(_TEXTS, params.text(TEXT_MAX, may_be_empty=True)),
            **dict.fromkeys(_NOT_BUILT, _not_built),
        }
    ),
    "expand": params.EXPAND,
    "intended_submission_method": params.one_of(
        "manual", "prefer_manual", "prefer_smart_disputes", "smart_disputes"
    ),
    "metadata": params.metadata,
    "submit": params.boolean,
}


def update(call: Call) -> Json:
    """Evidence is handed in at once, unless `submit=false` keeps it for later."""
    asked = params.read(call.form, _UPDATE)
    dispute = _open(call)
    before = render(KIND, dispute)
    dispute["metadata"] = params.merged(before["metadata"], asked.get("metadata", {}))
    if "intended_submission_method" in asked:
        dispute["intended_submission_method"] = asked["intended_submission_method"]
    dispute["evidence"] = _evidence(before, asked.get("evidence", {}))
    has_evidence = any(dispute["evidence"][name] for name in _TEXTS)
    dispute["evidence_details"] = {**before["evidence_details"], "has_evidence": has_evidence}
    if has_evidence and asked.get("submit", "evidence" in asked):
        if dispute["status"] not in ANSWERABLE:
            raise _already_submitted(dispute)
        quarrels.submit(call.tx, dispute)
    if was := _changes(before, render(KIND, dispute)):
        quarrels.update(call.tx, dispute, was)
    call.expand = asked.get("expand", [])
    return render(KIND, dispute)


def close(call: Call) -> Json:
    """The merchant gives up: the money is lost, an inquiry is only closed."""
    asked = params.read(call.form, {"expand": params.EXPAND})
    dispute = _open(call)
    inquiry = quarrels.is_inquiry(dispute)
    quarrels.close(call.tx, dispute, "warning_closed" if inquiry else "lost")
    call.expand = asked.get("expand", [])
    return render(KIND, dispute)


def _find(call: Call) -> Json:
    dispute = call.tx.load(KIND, call.ids[0])
    if dispute is None:
        raise no_such(KIND, call.ids[0], param="dispute")
    return dispute


def _open(call: Call) -> Json:
    dispute = _find(call)
    if dispute["status"] in CLOSED:
        raise wrong_state("This dispute is already closed")
    return dispute


def _evidence(before: Json, given: Json) -> Json:
    evidence = {**before["evidence"], **given}
    length = sum(len(evidence[name] or "") for name in _TEXTS)
    if length > EVIDENCE_MAX:
        raise invalid(
            f"Evidence can have up to {EVIDENCE_MAX} characters in all, but this dispute's would"
            f" have {length}.",
            param="evidence",
        )
    return evidence


def _already_submitted(dispute: Json) -> StripeError:
    return wrong_state(
        f"This dispute's evidence was already submitted: it has a status of {dispute['status']}.",
        param="evidence",
    )


def _changes(before: Json, after: Json) -> Json:
    """What was different: of nested objects only the fields that changed."""
    return {
        name: _changes(old, after[name]) if isinstance(old, dict) else old
        for name, old in before.items()
        if old != after[name]
    }
