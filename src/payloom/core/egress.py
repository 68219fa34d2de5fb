"""The guard on the way out to addresses that strangers chose (F58, S13).

It looks at the address that is about to be dialled, not at the URL: literals in odd forms, DNS
answers and names that change their mind between check and use all end in one address. Python's
`ipaddress.is_global` alone would let several of these through, and differs between versions, so
the refused networks are a table of ours, after the IANA special-purpose registries.
"""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


class EgressRefused(OSError):
    """The address is not on the public internet; no socket was opened."""


def guard(*, allow_loopback: bool) -> Callable[[AddressInfo], socket.socket]:
    """A `socket_factory` for aiohttp that opens sockets to public addresses only.

    `allow_loopback` also lets through 127.0.0.0/8 and ::1: for merchants in test mode, where the
    operator wants it.
    """

    def open_socket(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        host = str(address[0])
        if forbidden(host) and not (allow_loopback and is_loopback(host)):
            raise EgressRefused(f"{host} is not a public address")
        return socket.socket(family, kind, protocol)

    return open_socket


def forbidden(addr: str) -> bool:
    """Whether a literal address is anything but public unicast. What cannot be read is."""
    address = _read(addr)
    if address is None:
        return True
    if isinstance(address, IPv4Address):
        return any(address in network for network in _REFUSED_V4)
    # Global unicast is 2000::/3 and nothing else, whatever other blocks may be tried for.
    return address not in _PUBLIC_V6 or any(address in network for network in _REFUSED_V6)


def is_loopback(addr: str) -> bool:
    """Whether the address is this machine, in any spelling that the system would dial."""
    address = _read(addr)
    return address is not None and address.is_loopback


def _read(addr: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(addr.split("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped  # ::ffff:127.0.0.1 is dialled as 127.0.0.1
    return address


_REFUSED_V4 = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this host: Linux dials itself
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; cloud metadata at 100.100.100.200
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # public by number, but inside Azure the host's own service
        "169.254.0.0/16",  # link-local; cloud metadata at 169.254.169.254
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; cloud metadata at 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]

_PUBLIC_V6 = ip_network("2000::/3")
_REFUSED_V6 = [
    ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address inside
        "3fff::/20",  # documentation
    )
]
