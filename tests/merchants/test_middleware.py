"""Authentication as requests meet it: an app with the middleware, called over ASGI."""

import json
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.types import Message

from payloom.core.secret import Secret
from payloom.core.web import problems
from payloom.merchants.auth import Authenticate, Caller, needs
from payloom.merchants.merchants import NewMerchant, create_key
from payloom.runtime import Runtime

Header = tuple[bytes, bytes]


def an_app() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.post("/v1/orders")
    async def order(
        caller: Annotated[Caller, Depends(needs("payment_orders:write"))],
    ) -> dict[str, str]:
        return {"merchant": str(caller.merchant_id)}

    @app.post("/return")
    async def back() -> dict[str, str]:
        return {}

    return app


@pytest.fixture
def app(rt: Runtime) -> FastAPI:
    app = an_app()
    app.add_middleware(Authenticate, rt_of=lambda scope: rt)
    return app


async def post(app: FastAPI, path: str, *headers: Header) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body of the answer; whoever reads the request's body fails."""
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("the body was read")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "headers": headers,
    }
    await app(scope, receive, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, json.loads(sent[1]["body"])


def authorization(key: Secret) -> Header:
    return b"authorization", f"Bearer {key.reveal()}".encode()


async def test_a_route_gets_the_merchant_behind_the_key(app: FastAPI, shop: NewMerchant) -> None:
    status, _, body = await post(app, "/v1/orders", authorization(shop.api_key))
    assert (status, body) == (200, {"merchant": str(shop.merchant_id)})


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/", "/v1/no/such/route"])
async def test_without_a_key_the_answer_is_a_401_problem(app: FastAPI, path: str) -> None:
    status, headers, body = await post(app, path)
    assert status == 401
    assert headers["content-type"] == "application/problem+json"
    assert headers["www-authenticate"] == "Bearer"
    assert body["code"] == "unauthorized"


async def test_two_authorization_headers_are_refused(app: FastAPI, shop: NewMerchant) -> None:
    header = authorization(shop.api_key)
    status, _, body = await post(app, "/v1/orders", header, header)
    assert (status, body["detail"]) == (401, "Send one Authorization header, not several")


async def test_other_paths_need_no_key(app: FastAPI) -> None:
    status, _, _ = await post(app, "/return")
    assert status == 200


async def test_a_key_without_the_scope_is_told_which_one(
    app: FastAPI, rt: Runtime, shop: NewMerchant
) -> None:
    _, key = await create_key(rt, shop.merchant_id, "reader", ["payment_orders:read"])
    status, _, body = await post(app, "/v1/orders", authorization(key))
    assert (status, body["code"]) == (403, "forbidden")
    assert "payment_orders:write" in body["detail"]


async def test_a_route_reached_around_the_middleware_refuses(shop: NewMerchant) -> None:
    status, _, _ = await post(an_app(), "/v1/orders", authorization(shop.api_key))
    assert status == 401


async def test_a_database_that_is_away_is_503_and_not_401(
    app: FastAPI, rt: Runtime, shop: NewMerchant
) -> None:
    await rt.db.close()
    status, _, body = await post(app, "/v1/orders", authorization(shop.api_key))
    assert (status, body["code"]) == (503, "database_unavailable")


def test_a_route_cannot_ask_for_a_scope_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="orders:wriet"):
        needs("orders:wriet")
