"""What a connector's folder exports as CONNECTOR: who it is, what it needs, what its PSP grants."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp

from payloom.connectors.contract import Connector
from payloom.connectors.gate import Gate
from payloom.connectors.pace import Rates
from payloom.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a connection needs, field by field; secrets are sealed at rest."""

    secrets: Mapping[str, Secret]
    api_base: str | None = None
    connection: str = ""  # its id, for log lines


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One secret a connection needs: where the CLI reads it, and what it must look like."""

    name: str
    env: str
    pattern: str
    hint: str


@dataclass(frozen=True, slots=True)
class ReadAllowance:
    """How many reads a PSP grants: so many a payment, but some in any case, over this time."""

    per_payment: int
    at_least: int
    over: timedelta


@dataclass(frozen=True, slots=True)
class Spec:
    """What a connector's folder exports as CONNECTOR; the catalog finds it by scanning."""

    name: str
    title: str
    credential_fields: tuple[CredentialField, ...]
    build: Callable[[Credentials, aiohttp.ClientSession, Gate], Connector]
    key_window: timedelta  # how long the PSP keeps an idempotency key; we use half of it
    money_may_come_after: timedelta = timedelta(0)  # a failure or expiry: some change their mind
    can_look_up: bool = True
    can_list_events: bool = False
    rates: Mapping[str, Rates] = field(default_factory=dict)  # published, by mode
    reads: ReadAllowance | None = None  # None: the PSP does not count them
    method_types: Mapping[str, Sequence[str]] = field(default_factory=dict)
