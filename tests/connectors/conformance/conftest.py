"""Every connector that is tried, with its rig. This list is all there is to extend."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import pytest

from payloom.connectors.http import new_session
from tests.connectors.conformance.fake_rig import FakeRig
from tests.connectors.conformance.rig import Bench, Rig
from tests.connectors.conformance.stripe_rig import StripeRig
from tests.connectors.fakes import paypal_like, razorpay_like, trustly_like
from tests.connectors.fakes.psp import FakePsp, open_psp

Opening = Callable[[str, aiohttp.ClientSession], AbstractAsyncContextManager[Rig]]


@asynccontextmanager
async def stripe(sandbox_url: str, http: aiohttp.ClientSession) -> AsyncIterator[Rig]:
    yield StripeRig(sandbox_url, http)


@asynccontextmanager
async def trustly(_sandbox_url: str, _http: aiohttp.ClientSession) -> AsyncIterator[Rig]:
    async with open_psp() as psp:
        yield FakeRig(trustly_like.SPEC, psp, pages_can_be_ended=False)


@asynccontextmanager
async def paypal(_sandbox_url: str, _http: aiohttp.ClientSession) -> AsyncIterator[Rig]:
    async with open_psp(lambda: FakePsp(words=paypal_like.WORDS)) as psp:
        yield FakeRig(paypal_like.SPEC, psp, shoppers_approve=True)


@asynccontextmanager
async def razorpay(_sandbox_url: str, _http: aiohttp.ClientSession) -> AsyncIterator[Rig]:
    async with open_psp() as psp:
        yield FakeRig(razorpay_like.SPEC, psp)


RIGS: tuple[Opening, ...] = (stripe, trustly, paypal, razorpay)


@pytest.fixture(params=RIGS, ids=lambda opening: opening.__name__)
async def bench(request: pytest.FixtureRequest, sandbox_url: str) -> AsyncIterator[Bench]:
    async with new_session() as http, request.param(sandbox_url, http) as rig:
        yield Bench(rig, http)
