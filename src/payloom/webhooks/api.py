"""Webhook endpoints and events over HTTP."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.responses import Response

from payloom.core import ids, paging
from payloom.core.clock import rfc3339
from payloom.core.errors import invalid
from payloom.core.idempotency import Answer
from payloom.core.paging import Limit, StartingAfter
from payloom.core.web.idempotent import answer_once
from payloom.core.web.requests import Strict, StrictRoute
from payloom.merchants.auth import Caller, needs
from payloom.runtime import Runtime
from payloom.webhooks import endpoints, queries
from payloom.webhooks.event_types import EVENT_TYPES
from payloom.webhooks.redeliver import NoSuchEvent, redeliver
from payloom.webhooks.rotate import rotate_secret, secret_named
from payloom.webhooks.view import (
    DeliveryList,
    EndpointList,
    EndpointWithSecret,
    EventList,
    Redelivered,
    RotatedEndpoint,
    ShownEndpoint,
    ShownEvent,
    show_delivery,
    show_endpoint,
    show_event,
)

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["Webhooks"])

ManagesEndpoints = Annotated[Caller, Depends(needs("webhook_endpoints:write"))]
ReadsEvents = Annotated[Caller, Depends(needs("events:read"))]


class NewEndpoint(Strict):
    url: Annotated[
        str, Field(max_length=2000, description="https, on port 443 or 8443, without credentials")
    ]
    event_types: Annotated[
        list[str] | None,
        Field(max_length=len(EVENT_TYPES), description="Which events to tell; left out: all"),
    ] = None


class Nothing(Strict):
    """A request that its path says whole."""


class Redelivery(Strict):
    endpoint: Annotated[
        str | None, Field(description="Only to this one; left out: to all that want the type")
    ] = None


@router.post("/webhook-endpoints", status_code=201, response_model=EndpointWithSecret)
async def create_webhook_endpoint(
    request: Request, body: NewEndpoint, caller: ManagesEndpoints
) -> Response:
    """Register a URL to be told of events, each signed by the Standard Webhooks rules."""
    rt = _rt(request)

    async def work() -> Answer:
        made = await endpoints.create_endpoint(
            rt, caller.merchant_id, caller.mode, body.url, body.event_types
        )
        return _naming_secret(201, show_endpoint(made), endpoints.FIRST_FIELD)

    response = await answer_once(request, caller.merchant_id, body, work)
    return await _with_secret(rt, caller, response)


@router.post("/webhook-endpoints/{endpoint_id}/rotate-secret", response_model=RotatedEndpoint)
async def rotate_webhook_secret(
    request: Request, caller: ManagesEndpoints, endpoint_id: str, body: Nothing | None = None
) -> Response:
    """A new secret. The one before signs every delivery as well for 24 hours, then it is gone."""
    rt, which = _rt(request), ids.parse("whe", endpoint_id)

    async def work() -> Answer:
        made = await rotate_secret(rt, caller.merchant_id, which)
        shown = show_endpoint(made.endpoint)
        shown["old_secret_ends_at"] = rfc3339(made.old_ends_at)
        return _naming_secret(200, shown, made.field)

    response = await answer_once(request, caller.merchant_id, body or Nothing(), work)
    return await _with_secret(rt, caller, response)


@router.post("/webhook-endpoints/{endpoint_id}/enable", response_model=ShownEndpoint)
async def enable_webhook_endpoint(
    request: Request, caller: ManagesEndpoints, endpoint_id: str, body: Nothing | None = None
) -> Response:
    """Tell it of events again, after it was switched off for failing. What it missed: redeliver."""
    rt, which = _rt(request), ids.parse("whe", endpoint_id)

    async def work() -> Answer:
        enabled = await endpoints.enable_endpoint(rt, caller.merchant_id, which)
        return Answer(200, json.dumps(show_endpoint(enabled)).encode())

    return await answer_once(request, caller.merchant_id, body or Nothing(), work)


@router.get("/webhook-endpoints", response_model=EndpointList)
async def list_webhook_endpoints(
    request: Request,
    caller: ManagesEndpoints,
    limit: Limit = 20,
    starting_after: StartingAfter = None,
) -> Response:
    """All endpoints, newest first, also disabled ones."""
    page = paging.page("whe", limit, starting_after)
    async with _rt(request).db.statement() as tx:
        rows = await queries.list_endpoints(tx, caller.merchant_id, page)
    return JSONResponse(paging.envelope(rows, page, show_endpoint))


@router.get("/webhook-endpoints/{endpoint_id}", response_model=ShownEndpoint)
async def get_webhook_endpoint(
    request: Request, caller: ManagesEndpoints, endpoint_id: str
) -> Response:
    """One endpoint, without its secret."""
    which = ids.parse("whe", endpoint_id)
    found = await endpoints.get_endpoint(_rt(request), caller.merchant_id, which)
    return JSONResponse(show_endpoint(found))


@router.delete("/webhook-endpoints/{endpoint_id}", response_model=ShownEndpoint)
async def delete_webhook_endpoint(
    request: Request, caller: ManagesEndpoints, endpoint_id: str
) -> Response:
    """Tell it nothing more, for good. It stays readable, with the time in `disabled_at`."""
    which = ids.parse("whe", endpoint_id)
    found = await endpoints.delete_endpoint(_rt(request), caller.merchant_id, which)
    return JSONResponse(show_endpoint(found))


@router.get("/events", response_model=EventList)
async def list_events(
    request: Request,
    caller: ReadsEvents,
    limit: Limit = 20,
    starting_after: StartingAfter = None,
    kind: Annotated[str | None, Query(alias="type")] = None,
    payment_order: str | None = None,
) -> Response:
    """Everything that was told, or would have been, newest first."""
    page = paging.page("evt", limit, starting_after)
    if kind is not None and kind not in EVENT_TYPES:
        raise invalid("type", "there is no such event type")
    order = (
        ids.parse_query("po", payment_order, "payment_order") if payment_order is not None else None
    )
    async with _rt(request).db.statement() as tx:
        rows = await queries.list_events(
            tx, caller.merchant_id, page, kind=kind, payment_order_id=order
        )
    return JSONResponse(paging.envelope(rows, page, show_event))


@router.get("/events/{event_id}", response_model=ShownEvent)
async def get_event(request: Request, caller: ReadsEvents, event_id: str) -> Response:
    """One event: the very bytes that its deliveries carry."""
    async with _rt(request).db.statement() as tx:
        found = await queries.event(tx, caller.merchant_id, ids.parse("evt", event_id))
    if found is None:
        raise NoSuchEvent
    return Response(found.body, media_type="application/json")


@router.get("/events/{event_id}/deliveries", response_model=DeliveryList)
async def list_deliveries(
    request: Request,
    caller: ReadsEvents,
    event_id: str,
    limit: Limit = 20,
    starting_after: StartingAfter = None,
) -> Response:
    """How an event fares at each endpoint that it was for."""
    page, which = paging.page("dlv", limit, starting_after), ids.parse("evt", event_id)
    async with _rt(request).db.statement() as tx:
        if await queries.event(tx, caller.merchant_id, which) is None:
            raise NoSuchEvent
        rows = await queries.deliveries_of(tx, caller.merchant_id, which, page)
    return JSONResponse(paging.envelope(rows, page, show_delivery))


@router.post("/events/{event_id}/redeliver", status_code=202, response_model=Redelivered)
async def redeliver_event(
    request: Request, caller: ReadsEvents, event_id: str, body: Redelivery | None = None
) -> Response:
    """Send it once more, same id and same bytes, also if it was delivered or given up before."""
    rt, which, wanted = _rt(request), ids.parse("evt", event_id), body or Redelivery()

    async def work() -> Answer:
        begun = await redeliver(rt, caller.merchant_id, which, _only_to(wanted))
        shown = {"data": [show_delivery(each) for each in begun]}
        return Answer(202, json.dumps(shown).encode())

    return await answer_once(request, caller.merchant_id, wanted, work)


def _only_to(wanted: Redelivery) -> UUID | None:
    if wanted.endpoint is None:
        return None
    return ids.parse_query("whe", wanted.endpoint, "endpoint")


def _rt(request: Request) -> Runtime:
    rt: Runtime = request.app.state.rt
    return rt


def _naming_secret(status: int, shown: dict[str, Any], field: str) -> Answer:
    """An answer kept for repetitions lies in the database as it is: it must not hold a secret, so
    it holds the name of one."""
    return Answer(status, json.dumps({**shown, "secret": field}).encode())


async def _with_secret(rt: Runtime, caller: Caller, response: Response) -> Response:
    """The same answer with the secret in place of its name."""
    if response.status_code >= 300:
        return response
    shown = json.loads(bytes(response.body))
    endpoint_id = ids.parse("whe", shown["id"])
    secret = await secret_named(rt, caller.merchant_id, endpoint_id, shown["secret"])
    shown["secret"] = secret.reveal() if secret is not None else None
    return JSONResponse(shown, response.status_code)
