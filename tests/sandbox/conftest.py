import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import stripe
from playwright.async_api import Browser, async_playwright

from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant
from payloom.sandbox.stripe.routes import TIMERS
from tests.sandbox.merchant import Merchant
from tests.sandbox.process import SandboxProcess, Start
from tests.sandbox.receiver import Receiver

stripe.enable_telemetry = False
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One process for all tests: each test is a tenant of its own."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox") / "store.sqlite")
    yield process
    process.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
async def merchant(sandbox: SandboxProcess, http: aiohttp.ClientSession) -> Merchant:
    return Merchant(sandbox.url, http)


@pytest.fixture
async def new_day(merchant: Merchant) -> None:
    """The merchant's day has just begun: none ends by chance in the middle of the test."""
    await merchant.to_midnight()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        path = shutil.which("chromium")  # else Playwright's own
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a sandbox of one's own; none is left running after the test."""
    started: list[SandboxProcess] = []

    def start(store: Path, port: int = 0) -> SandboxProcess:
        started.append(SandboxProcess(store, port))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def rt(store: Path) -> Iterator[Runtime]:
    """A sandbox without a process: whoever moves a clock lets the agenda fire."""
    rt = Runtime(store)
    rt.agenda.handlers |= TIMERS
    yield rt
    rt.store.close()


@pytest.fixture
def tenant(rt: Runtime) -> Tenant:
    tenant = rt.tenants.of_key("sk_test_tenant000001")
    assert tenant is not None
    return tenant


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.sqlite"
