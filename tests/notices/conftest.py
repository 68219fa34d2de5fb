"""A merchant who is told of payments, on a database of the test's own."""

import pytest

from payloom.runtime import Runtime
from tests.notices import given as givens
from tests.notices.given import Given


@pytest.fixture
async def given(rt: Runtime) -> Given:
    return await givens.given(rt)
