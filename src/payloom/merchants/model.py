"""The nouns: what the tables of this feature hold, as values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from payloom.core.secret import Secret

Mode = Literal["test", "live"]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the database knows it: never its text."""

    merchant_id: UUID
    mode: Mode
    id: UUID
    scopes: frozenset[str]
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A master key as the database knows it: that data keys are sealed under it, or will be."""

    id: str
    is_sealing: bool


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key that seals one merchant's secrets, itself sealed under the master key."""

    merchant_id: UUID
    version: int
    master_key_id: str
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed secret and the data key that opens it."""

    owner: UUID
    field: str
    sealed: bytes
    data_key: DataKey
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A secret as it is used; `ends_at` None means that nobody has replaced it."""

    secret: Secret
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Connection:
    """A merchant's account at one PSP. `api_base` is None for the PSP's own address."""

    merchant_id: UUID
    id: UUID
    psp: str
    api_base: str | None
    psp_account: str | None
    mode: Mode
