"""What the page's forms do. Each ends in a redirect, so that a reload repeats nothing."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from payloom.sandbox import control
from payloom.sandbox.console import views
from payloom.sandbox.console.visitor import PATH, Visitor
from payloom.sandbox.faults import BadFault

UNITS_S = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
NUMBERS = {"count": int, "status": int, "delay_s": float}


def order_fault(visitor: Visitor, request: Request, form: dict[str, str]) -> Response:
    try:
        visitor.rt.faults.order(visitor.tenant, _order(form))
    except BadFault as error:
        return views.overview(
            visitor, request, problem=f"No fault is ordered: {error}.", fault=form, status=422
        )
    return _back("fault")


def clear_faults(visitor: Visitor, _: Request, __: dict[str, str]) -> Response:
    visitor.rt.faults.clear(visitor.tenant)
    return _back("cleared")


def advance(visitor: Visitor, request: Request, form: dict[str, str]) -> Response:
    try:
        size = UNITS_S[form.get("unit", "seconds")]
        control.advance(visitor.rt, visitor.tenant, _number("by", form.get("by", ""), float) * size)
    except (KeyError, BadFault, control.BadOrder) as error:
        why = "choose a unit" if isinstance(error, KeyError) else str(error)
        problem = f"The clock stays as it is: {why}."
        return views.overview(visitor, request, problem=problem, status=422)
    return _back("advanced")


def reset(visitor: Visitor, _: Request, __: dict[str, str]) -> Response:
    control.reset(visitor.rt, visitor.tenant)
    return _back("reset")


def _order(form: dict[str, str]) -> dict[str, Any]:
    """The fields of a fault, numbers as numbers."""
    return {
        name: _number(name, text, NUMBERS[name]) if name in NUMBERS else text
        for name, text in form.items()
    }


def _number(name: str, text: str, type_: type[int] | type[float]) -> float:
    try:
        return type_(text)
    except ValueError:
        raise BadFault(f"{name} must be a number") from None


def _back(said: str) -> Response:
    return RedirectResponse(f"{PATH}?said={said}", 303)
