"""A merchant, its receiver, and the worker's way out to it."""

from collections.abc import AsyncIterator
from uuid import UUID

import aiohttp
import pytest

from payloom.merchants.merchants import NewMerchant, create_merchant
from payloom.runtime import Runtime
from payloom.webhooks.deliver import Outlet, open_outlet
from tests.webhooks.calling import Api, serving
from tests.webhooks.receiver import Receiver, open_receiver


@pytest.fixture
async def shop(rt: Runtime) -> NewMerchant:
    """In test mode, so its receivers may be on this machine."""
    return await create_merchant(rt, "Tea and Cups", "test")


@pytest.fixture
def merchant(shop: NewMerchant) -> UUID:
    return shop.merchant_id


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as receiver:
        yield receiver


@pytest.fixture
async def outlet(rt: Runtime) -> AsyncIterator[Outlet]:
    """Retries come at exactly the pauses of the table."""
    async with open_outlet(rt, chance=lambda: 0.5) as outlet:
        yield outlet


@pytest.fixture
async def api(rt: Runtime, shop: NewMerchant) -> AsyncIterator[Api]:
    """Calls as the merchant."""
    async with serving(rt) as url, aiohttp.ClientSession(url) as session:
        yield Api(session, shop.api_key.reveal())
