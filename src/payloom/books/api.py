"""Ledger accounts and postings, as the API shows them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.responses import Response

from payloom.core import ids, paging
from payloom.core.clock import rfc3339
from payloom.core.errors import NotFound
from payloom.core.paging import Limit, StartingAfter
from payloom.core.web.requests import StrictRoute
from payloom.ledger import queries
from payloom.ledger.queries import Posted
from payloom.merchants.auth import Caller, needs
from payloom.runtime import Runtime

router = APIRouter(prefix="/v1/ledger", route_class=StrictRoute, tags=["Ledger"])

Reads = Annotated[Caller, Depends(needs("ledger:read"))]
DebitPositive = Annotated[int, Field(description="Minor units; debit is positive")]


class ShownAccount(BaseModel):
    id: str
    code: str
    connection: str | None
    currency: str
    balance: DebitPositive


class AccountList(BaseModel):
    data: list[ShownAccount]
    has_more: bool
    next_cursor: str | None


class ShownLeg(BaseModel):
    ledger_account: str
    code: Annotated[str, Field(description="The account's name in the chart of accounts")]
    amount: DebitPositive
    currency: str


class ShownPosting(BaseModel):
    id: str
    kind: Annotated[str, Field(description="The recipe: captured, suspense, money_returned")]
    payment_order: str | None
    source: Annotated[str, Field(description="The fact: posted once per kind and source")]
    at: datetime
    effective_at: datetime
    entries: list[ShownLeg]


class PostingList(BaseModel):
    data: list[ShownPosting]
    has_more: bool
    next_cursor: str | None


@router.get("/accounts", response_model=AccountList)
async def list_accounts(request: Request, caller: Reads) -> Response:
    """Every ledger account of the merchant with its balance."""
    rt: Runtime = request.app.state.rt
    async with rt.db.statement() as tx:
        found = await queries.balances(tx, caller.merchant_id)
    data = [
        {
            "id": ids.text("acc", account.id),
            "code": account.code,
            "connection": ids.text("con", account.owner) if account.owner else None,
            "currency": account.currency,
            "balance": account.balance,
        }
        for account in found
    ]
    return JSONResponse({"data": data, "has_more": False, "next_cursor": None})


@router.get("/postings", response_model=PostingList)
async def list_postings(
    request: Request,
    caller: Reads,
    limit: Limit = 10,
    starting_after: StartingAfter = None,
    payment_order: str | None = None,
) -> Response:
    """Postings, newest first."""
    rt: Runtime = request.app.state.rt
    asked = paging.page("pst", limit, starting_after)
    order_id = ids.parse_query("po", payment_order, "payment_order") if payment_order else None
    async with rt.db.statement() as tx:
        found = await queries.list_postings(tx, caller.merchant_id, asked, order_id)
    return JSONResponse(paging.envelope(found, asked, _show))


@router.get("/postings/{posting_id}", response_model=ShownPosting)
async def get_posting(request: Request, posting_id: str, caller: Reads) -> Response:
    """One posting with its entries."""
    rt: Runtime = request.app.state.rt
    wanted = ids.parse("pst", posting_id)
    async with rt.db.statement() as tx:
        found = await queries.posting(tx, caller.merchant_id, wanted)
    if found is None:
        raise NotFound("There is no posting with this id")
    return JSONResponse(_show(found))


def _show(posted: Posted) -> dict[str, Any]:
    order_id = posted.payment_order_id
    return {
        "id": ids.text("pst", posted.id),
        "kind": posted.kind,
        "payment_order": ids.text("po", order_id) if order_id else None,
        "source": posted.source,
        "at": rfc3339(posted.at),
        "effective_at": rfc3339(posted.effective_at),
        "entries": [
            {
                "ledger_account": ids.text("acc", entry.account_id),
                "code": entry.code,
                "amount": entry.amount,
                "currency": entry.currency,
            }
            for entry in posted.entries
        ],
    }
