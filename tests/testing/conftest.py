import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe

from payloom.testing import SandboxProcess, StripeSandbox

stripe.enable_telemetry = False


@pytest.fixture(scope="session")
def stripe_sandbox_process() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def account(stripe_sandbox_process: SandboxProcess) -> Iterator[StripeSandbox]:
    with StripeSandbox.opened(stripe_sandbox_process.url) as sandbox:
        yield sandbox


class Endpoint(ThreadingHTTPServer):
    """A shop's webhook endpoint in a thread of its own."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Take(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever, args=(0.05,))
        thread.start()
        yield endpoint
        endpoint.shutdown()
        thread.join()
