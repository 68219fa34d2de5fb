"""Where an endpoint may be: what can be said of a URL before anything is dialled.

The guard in core/egress.py has the last word at every connection; these rules are for telling a
merchant at once, in words.
"""

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from payloom.core.egress import forbidden, is_loopback
from payloom.core.masking import NOT_TAKEN, holds_card_or_secret

URL_MAX = 2000
HTTPS_PORTS = frozenset({443, 8443})
_VISIBLE = re.compile(r"[!-\[\]-~]+")  # ASCII without space and backslash
_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?"
)


def mistakes_in(url: str, *, allow_loopback: bool) -> list[str]:
    """What is wrong with an endpoint's URL, each a sentence that says what to do; none if fine."""
    if not 1 <= len(url) <= URL_MAX or not _VISIBLE.fullmatch(url):
        return [f"must be a URL of at most {URL_MAX} visible ASCII characters"]
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ["must be a URL like https://shop.example/webhooks"]
    host = parts.hostname or ""
    if not host:
        return ["must be a URL like https://shop.example/webhooks"]
    found = _mistakes_in_form(parts)
    if holds_card_or_secret(url):
        found.append(NOT_TAKEN)
    if _names_this_machine(host):
        if not allow_loopback:
            found.append(
                "must not lead to this machine; in test mode it may, where the operator sets"
                " PAYLOOM_WEBHOOKS_TO_LOOPBACK=yes"
            )
        return found
    if parts.scheme != "https":
        found.append("must start with https://")
    if port is not None and port not in HTTPS_PORTS:
        found.append(f"must have no port, or one of {', '.join(map(str, sorted(HTTPS_PORTS)))}")
    return found + _mistakes_in_host(host)


def _mistakes_in_form(parts: SplitResult) -> list[str]:
    found = []
    if parts.scheme not in ("https", "http"):
        found.append("must start with https://")
    if "@" in parts.netloc:
        found.append("must not hold a user name or password; check the signature instead")
    if parts.fragment:
        found.append("must not have a part after #, which would not be sent")
    return found


def _names_this_machine(host: str) -> bool:
    return is_loopback(host) or host == "localhost" or host.endswith(".localhost")


def _mistakes_in_host(host: str) -> list[str]:
    try:
        address = ip_address(host)
    except ValueError:
        # A last label that starts with a digit is how 0x7f.1 and 2130706433 pass for names.
        return [] if _NAME.fullmatch(host) else ["must name a host, such as shop.example"]
    if forbidden(host) or (isinstance(address, IPv6Address) and address.scope_id):
        return ["must lead to a public address"]
    return []
