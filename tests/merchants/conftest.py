"""Three merchants: a shop, its rival, and the shop in live mode."""

import pytest

from payloom.merchants.merchants import NewMerchant, create_merchant
from payloom.runtime import Runtime


@pytest.fixture
async def shop(rt: Runtime) -> NewMerchant:
    return await create_merchant(rt, "Corner Shop", "test")


@pytest.fixture
async def rival(rt: Runtime) -> NewMerchant:
    """Must never get at what is the shop's."""
    return await create_merchant(rt, "Rival Ltd", "test")


@pytest.fixture
async def live_shop(rt: Runtime) -> NewMerchant:
    return await create_merchant(rt, "Corner Shop", "live")
