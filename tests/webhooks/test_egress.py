"""No delivery reaches this machine or a private network, however the address is written."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from payloom.core.egress import EgressRefused, forbidden
from payloom.webhooks.addresses import mistakes_in
from payloom.webhooks.send import new_session
from tests.webhooks.addresses import ODD, PUBLIC, REFUSED, THIS_MACHINE, URLS


@dataclass
class Listener:
    """Counts who gets through, on every address of this machine."""

    port: int = 0
    count: int = 0

    async def accept(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    everywhere = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    listener.port = everywhere.getsockname()[1]
    server = await asyncio.start_server(listener.accept, sock=everywhere)
    yield listener
    server.close()
    await server.wait_closed()


class Zone(AbstractResolver):
    """A name server of a stranger: answers every name with the addresses it is given."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self.addresses
        ]

    async def close(self) -> None:
        pass


async def how_it_ends(session: aiohttp.ClientSession, url: str) -> str:
    """`refused` by the guard, `unreadable` as a URL or name, or anything else."""
    try:
        async with session.post(url, data=b"{}", allow_redirects=False) as response:
            return f"answered {response.status}"
    except (
        aiohttp.InvalidURL,
        aiohttp.NonHttpUrlClientError,
        aiohttp.ClientConnectorDNSError,
        ValueError,
    ):
        return "unreadable"
    except aiohttp.ClientConnectorError as error:
        return "refused" if isinstance(error.os_error, EgressRefused) else repr(error)


def test_the_corpus_is_as_large_as_it_claims() -> None:
    assert len(set(URLS)) >= 200


async def test_no_spelling_of_a_private_address_opens_a_connection(listener: Listener) -> None:
    async with new_session(allow_loopback=False, timeout_s=2) as session:
        ends = {url: await how_it_ends(session, url.format(listener.port)) for url in URLS}
    assert {url: end for url, end in ends.items() if end not in ("refused", "unreadable")} == {}
    assert listener.count == 0


async def test_no_name_that_resolves_to_a_private_address_opens_a_connection(
    listener: Listener,
) -> None:
    for address in REFUSED:
        zone = Zone(address, "127.0.0.1", "::1")
        async with new_session(allow_loopback=False, timeout_s=2, resolver=zone) as session:
            url = f"http://shop.example:{listener.port}/"
            assert await how_it_ends(session, url) != "answered 200", address
    assert listener.count == 0


async def test_a_name_that_changes_its_mind_opens_no_connection(listener: Listener) -> None:
    zone = Zone("10.0.0.1")
    async with new_session(allow_loopback=False, timeout_s=2, resolver=zone) as session:
        assert session.connector is not None
        for address in ("10.0.0.1", "127.0.0.1", "::ffff:127.0.0.1", "::1"):
            zone.addresses = (address,)
            session.connector.clear_dns_cache()  # type: ignore[attr-defined] # a TCPConnector's
            assert await how_it_ends(session, f"http://shop.example:{listener.port}/") == "refused"
    assert listener.count == 0


async def test_the_same_spellings_do_reach_this_machine_without_the_guard(
    listener: Listener,
) -> None:
    """Else the tests above would be green because the listener is deaf."""
    async with aiohttp.ClientSession() as session:
        for url in THIS_MACHINE:
            await how_it_ends(session, url.format(listener.port))
    assert listener.count >= 15


async def test_loopback_opens_in_test_mode_and_nothing_else_does(listener: Listener) -> None:
    async with new_session(allow_loopback=True, timeout_s=2) as session:
        for host in ("127.0.0.1", "[::1]", "localhost"):
            url = f"http://{host}:{listener.port}/"
            assert await how_it_ends(session, url) == "answered 200"
        for host in ("10.0.0.1", "169.254.169.254", "0.0.0.0", "[fd00:ec2::254]", "[::]"):
            assert await how_it_ends(session, f"http://{host}:{listener.port}/") == "refused"
    assert listener.count == 3


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert not forbidden(address)


def test_private_addresses_and_nonsense_are_forbidden() -> None:
    assert [address for address in REFUSED if not forbidden(address)] == []
    assert forbidden("shop.example")
    assert forbidden("")


def test_an_endpoint_at_any_of_these_is_refused_when_it_is_made() -> None:
    urls = [url.format(443).replace("http:", "https:") for url in (*URLS, *ODD)]
    assert [url for url in urls if not mistakes_in(url, allow_loopback=False)] == []
