"""The HTTP way in: every route is listed here by hand."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from payloom import __version__
from payloom.books import api as books
from payloom.core.db import DatabaseAway
from payloom.core.errors import Unavailable
from payloom.core.idempotency import Keys
from payloom.core.web import problems
from payloom.core.web.admission import Admit, Room
from payloom.core.web.middleware import Correlate
from payloom.core.web.openapi import describe
from payloom.explain import api as explain
from payloom.merchants.auth import Authenticate
from payloom.merchants.vault import MasterKeyWrong, check_held
from payloom.notices import api as notices
from payloom.payments import api as payments
from payloom.refunds import api as refunds
from payloom.runtime import Runtime
from payloom.test_clock import api as test_clock
from payloom.webhooks import api as webhooks

# When there is too much to do, shops are told first to come again, whose software does; then PSPs,
# which repeat a notice after minutes; shoppers last, who do not come again.
ROOMS = {
    "/psp/": Room(at_once=2_000, db_wait_s=7.0),
    "/return/": Room(at_once=2_500, db_wait_s=9.0),
    "": Room(at_once=1_500, db_wait_s=5.0),
}
ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})  # most needed when there is too much


def create_app(
    open_runtime: Callable[[], AbstractAsyncContextManager[Runtime]],
    rooms: Mapping[str, Room] = ROOMS,
) -> FastAPI:
    """The API; its runtime is opened when it starts and closed when the last request is done."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime() as rt:
            app.state.rt = rt
            app.state.idempotency = Keys(rt.db)
            yield

    app = FastAPI(
        title="payloom",
        version=__version__,
        description="The payment backend behind a shop's checkout: one API over many PSPs.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,  # a redirect would go where the Host header says
    )
    app.router.routes.extend(notices.routes)  # asked in this order; these are quick to ask
    app.include_router(payments.router)
    app.include_router(refunds.router)
    app.include_router(explain.router)
    app.include_router(books.router)
    app.include_router(webhooks.router)
    app.include_router(test_clock.router)
    app.add_route("/", what_this_is, methods=["GET"], include_in_schema=False)
    app.add_route("/healthz", healthz, methods=["GET"], include_in_schema=False)
    app.add_route("/readyz", readyz, methods=["GET"], include_in_schema=False)
    app.add_route("/metrics", metrics, methods=["GET"], include_in_schema=False)
    problems.install(app)
    describe(app)
    app.add_middleware(Authenticate, rt_of=_runtime)
    app.add_middleware(problems.AnswerBugs)
    app.add_middleware(Correlate)
    app.add_middleware(Admit, rooms=rooms, always=ALWAYS, db_waited_s=_db_waited_s)
    return app


async def what_this_is(_request: Request) -> Response:
    """For whoever opens the bare address."""
    return JSONResponse({"name": "payloom", "version": __version__, "openapi": "/openapi.json"})


async def healthz(_request: Request) -> Response:
    """The process is alive."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Requests can be served: the database answers, and we can open what is sealed in it."""
    rt: Runtime = request.app.state.rt
    try:
        async with rt.db.statement() as tx:
            await check_held(tx, rt.master_keys)
    except DatabaseAway as away:
        return problems.problem_response(away)
    except MasterKeyWrong as wrong:
        return problems.problem_response(Unavailable(str(wrong)))
    return JSONResponse({"status": "ready"})


async def metrics(_request: Request) -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _db_waited_s(scope: Scope) -> float:
    return _runtime(scope).db.waited_s()


def _runtime(scope: Scope) -> Runtime:
    rt: Runtime = scope["app"].state.rt
    return rt
