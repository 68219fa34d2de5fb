"""A pytest plugin for projects that talk to Stripe: the sandbox, ready in every test.

Name it in the `conftest.py` at the root of your tests:

    pytest_plugins = ["payloom.testing"]

Whoever does not pays nothing: payloom registers nothing with pytest, and runs without it. Imports
nothing of payloom's: the sandbox is started as a process and spoken to over HTTP, as by anyone.
"""

from collections.abc import Iterator

import pytest

from payloom.testing.control import Control, Refused
from payloom.testing.process import DidNotStart, SandboxProcess
from payloom.testing.sandbox import StripeSandbox
from payloom.testing.shopper import CHALLENGE, DECLINED, VISA, Paid, Shopper

__all__ = [
    "CHALLENGE",
    "DECLINED",
    "VISA",
    "Control",
    "DidNotStart",
    "Paid",
    "Refused",
    "SandboxProcess",
    "Shopper",
    "StripeSandbox",
    "stripe_sandbox",
    "stripe_sandbox_process",
]


@pytest.fixture(scope="session")
def stripe_sandbox_process() -> Iterator[SandboxProcess]:
    """One process for all tests, on a free port, its store in a temporary file."""
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def stripe_sandbox(stripe_sandbox_process: SandboxProcess) -> Iterator[StripeSandbox]:
    """A Stripe account of this test alone: its objects, webhooks, faults and clock are nobody
    else's."""
    with StripeSandbox.opened(stripe_sandbox_process.url) as sandbox:
        yield sandbox
