"""Runs the shop as a process of its own."""

import socket
import sys
from dataclasses import replace

import structlog
import uvicorn

from payloom.shop.app import create_app
from payloom.shop.settings import Settings

GRACE_S = 5


def serve(host: str, port: int, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight. Port 0 takes a free one.

    Says `shop ready at URL` on stdout once it answers; logs go to stderr.
    """
    _log_to_stderr()
    listener = socket.create_server((host, port), backlog=128)
    url = f"http://{host}:{listener.getsockname()[1]}"
    settings = replace(settings, public_url=settings.public_url or url)
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_S,
    )
    _Server(config, url).run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self.url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"shop ready at {self.url}\n")
        sys.stdout.flush()


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
