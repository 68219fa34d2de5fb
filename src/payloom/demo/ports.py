"""Which ports the demo listens on: the ones it had, else the usual ones, else any."""

import socket
from dataclasses import dataclass

from payloom.demo import DemoError

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    api: int
    shop: int
    sandbox: int

    @property
    def api_url(self) -> str:
        return f"http://{HOST}:{self.api}"

    @property
    def shop_url(self) -> str:
        return f"http://{HOST}:{self.shop}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{HOST}:{self.sandbox}"


USUAL = Ports(8400, 8401, 8402)


def choose(base: int | None, before: Ports | None) -> Ports:
    """Free ports. Raises DemoError when a `base` was asked for and one of its ports is taken."""
    if base is None:
        had = before or USUAL
        api = _first_free(had.api, USUAL.api, taken=())
        shop = _first_free(had.shop, USUAL.shop, taken=(api,))
        return Ports(api, shop, _first_free(had.sandbox, USUAL.sandbox, taken=(api, shop)))
    wanted = Ports(base, base + 1, base + 2)
    for port in (wanted.api, wanted.shop, wanted.sandbox):
        if not _is_free(port):
            raise DemoError(f"PORT_BASE={base}: port {port} is taken; choose another, or none")
    return wanted


def any_free() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _first_free(*wanted: int, taken: tuple[int, ...]) -> int:
    for port in wanted:
        if port not in taken and _is_free(port):
            return port
    while (port := any_free()) in taken:
        continue
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
