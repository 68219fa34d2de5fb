"""What a connection's credentials must look like; every mistake is reported, no value repeated."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from payloom.connectors.spec import CredentialField, Spec
from payloom.core.errors import FieldError
from payloom.core.masking import holds_card_or_secret
from payloom.core.secret import Secret
from payloom.merchants.model import Mode
from payloom.merchants.vault import PLAINTEXT_BYTES_MAX

# What a PSP signs its notices with, for every connector that has such a field. It may come later
# than the rest, since PSPs tell it when their endpoint is made; and while it changes several live
# side by side (F40).
WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 – a field's name
WEBHOOK_SECRETS_MAX = 5
WEBHOOK_SECRETS = (
    WEBHOOK_SECRET,
    *(f"{WEBHOOK_SECRET}_{number}" for number in range(2, WEBHOOK_SECRETS_MAX + 1)),
)

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_PSP_ACCOUNT_MAX = 255


def mistakes_in(spec: Spec, mode: Mode, secrets: Mapping[str, Secret]) -> list[FieldError]:
    """What is wrong with a new connection's secrets."""
    mistakes = [
        FieldError(field.name, f"is missing: {_hint(field, mode)}")
        for field in spec.credential_fields
        if field.name not in secrets and field.name != WEBHOOK_SECRET
    ]
    for name, secret in secrets.items():
        mistakes += secret_mistakes(spec, mode, name, secret)
    return mistakes


def secret_mistakes(spec: Spec, mode: Mode, name: str, secret: Secret) -> list[FieldError]:
    """What is wrong with one secret."""
    wanted = WEBHOOK_SECRET if name in WEBHOOK_SECRETS else name
    field = next((field for field in spec.credential_fields if field.name == wanted), None)
    if field is None:
        known = ", ".join(field.name for field in spec.credential_fields)
        return [FieldError(name, f"{spec.title} has no such credential; it has {known}")]
    if not _is_storable(secret):
        return [FieldError(name, f"must be text of at most {PLAINTEXT_BYTES_MAX:,} bytes")]
    if not re.fullmatch(_for_mode(field.pattern, mode), secret.reveal()):
        return [FieldError(name, f"must be {_hint(field, mode)}")]
    return []


def address_mistakes(api_base: str | None, psp_account: str | None) -> list[FieldError]:
    """What is wrong with where the credentials are sent: they never travel in the clear (S14)."""
    mistakes = []
    if api_base is not None and not _is_safe(api_base):
        wanted = "must be a URL like https://psp.example; http only to this machine"
        mistakes.append(FieldError("api_base", wanted))
    if psp_account is not None and not (
        0 < len(psp_account) <= _PSP_ACCOUNT_MAX
        and psp_account.isprintable()
        and not holds_card_or_secret(psp_account)
    ):
        wanted = f"must be 1 to {_PSP_ACCOUNT_MAX} printable characters"
        mistakes.append(FieldError("psp_account", wanted))
    return mistakes


def is_here(api_base: str) -> bool:
    """Whether this address is this very machine: a stand-in, not a PSP."""
    return urlsplit(api_base).hostname in _LOOPBACK


def _hint(field: CredentialField, mode: Mode) -> str:
    return f"{_for_mode(field.hint, mode)} (this merchant is in {mode} mode)"


def _for_mode(text: str, mode: Mode) -> str:
    """Not str.format: patterns have braces of their own."""
    return text.replace("{mode}", mode)


def _is_storable(secret: Secret) -> bool:
    try:
        return len(secret.reveal().encode()) <= PLAINTEXT_BYTES_MAX
    except UnicodeEncodeError:  # bytes of the environment that were not UTF-8
        return False


def _is_safe(api_base: str) -> bool:
    try:
        parts = urlsplit(api_base)
        _ = parts.port  # raises when it is no number
    except ValueError:
        return False
    if not (api_base.isascii() and api_base.isprintable() and " " not in api_base):
        return False
    if holds_card_or_secret(api_base):
        return False
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
