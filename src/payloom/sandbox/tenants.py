"""Who is calling: any well-formed secret key is a tenant of its own, with its own clock; a tenant
can have more keys, and end them. A restricted key is one too, and may do everything: what it may
not is chosen in a Dashboard, and there is none here."""

import base64
import binascii
import hashlib
import re
import secrets

from payloom.sandbox.store import TABLES_OF_A_TENANT, Store, Tenant

_KEY = re.compile(r"[sr]k_(test|live)_[A-Za-z0-9_]{12,240}")


def key_in(authorization: str) -> str:
    """The key of a bearer or basic `Authorization` header, '' where there is none."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


class Tenants:
    """All tenants are kept in memory; the store holds a digest of each key, never the key."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_key: dict[str, Tenant] = {}
        self._by_id: dict[int, Tenant] = {}
        self._by_digest: dict[str, Tenant] = {}
        self._ended: set[str] = set()  # digests
        for id_, key_digest, livemode, offset in store.db.execute(
            "SELECT id, key_digest, livemode, clock_offset FROM tenants"
        ):
            tenant = Tenant(id_, bool(livemode), offset)
            self._by_id[id_] = self._by_digest[key_digest] = tenant
        for key_digest, id_, has_ended in store.db.execute(
            "SELECT key_digest, tenant, has_ended FROM rolled_keys"
        ):
            self._by_digest[key_digest] = self._by_id[id_]
            if has_ended:
                self._ended.add(key_digest)

    def of_key(self, key: str) -> Tenant | None:
        """The tenant of this key, made at its first call; None for what is not a key, or is one
        no more."""
        if key in self._by_key:
            return self._by_key[key]
        key_digest = digest(key)
        if _KEY.fullmatch(key) is None or key_digest in self._ended:
            return None
        tenant = self._by_digest.get(key_digest) or self._create(key, key_digest)
        self._by_key[key] = tenant
        return tenant

    def of_digest(self, key_digest: str) -> Tenant | None:
        """The tenant of a key that was used before and has not ended."""
        return None if key_digest in self._ended else self._by_digest.get(key_digest)

    def has_ended(self, key: str) -> bool:
        return digest(key) in self._ended

    def roll(self, tenant: Tenant) -> str:
        """One more key of this tenant, as when an API key is rolled; the others go on."""
        key = f"sk_{'live' if tenant.livemode else 'test'}_{secrets.token_hex(16)}"
        self._keep_rolled(digest(key), tenant, has_ended=False)
        return key

    def end(self, key: str) -> None:
        """From now on this key of a tenant is refused."""
        tenant = self._by_key.pop(key)
        self._keep_rolled(digest(key), tenant, has_ended=True)
        self._ended.add(digest(key))

    def get(self, id_: int) -> Tenant:
        return self._by_id[id_]

    def all(self) -> list[Tenant]:
        return list(self._by_id.values())

    def _keep_rolled(self, key_digest: str, tenant: Tenant, *, has_ended: bool) -> None:
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO rolled_keys VALUES (?, ?, ?)",
                (key_digest, tenant.id, has_ended),
            )
        self._by_digest[key_digest] = tenant

    def _create(self, key: str, key_digest: str) -> Tenant:
        livemode = key[2:].startswith("_live_")
        with self._store.transaction() as db:
            id_ = db.execute(
                "INSERT INTO tenants (key_digest, livemode) VALUES (?, ?)", (key_digest, livemode)
            ).lastrowid
        if id_ is None:
            raise RuntimeError("SQLite gave the new tenant no id")
        tenant = Tenant(id_, livemode, 0.0)
        self._by_id[id_] = self._by_digest[key_digest] = tenant
        return tenant

    def advance(self, tenant: Tenant, seconds: float) -> None:
        with self._store.transaction() as db:
            db.execute(
                "UPDATE tenants SET clock_offset = clock_offset + ? WHERE id = ?",
                (seconds, tenant.id),
            )
        tenant.clock_offset += seconds

    def reset(self, tenant: Tenant) -> None:
        """Forget all that this key ever did, its clock included."""
        with self._store.transaction() as db:
            for table in TABLES_OF_A_TENANT:
                db.execute(f"DELETE FROM {table} WHERE tenant = ?", (tenant.id,))  # noqa: S608 names from our own list
            db.execute("UPDATE tenants SET clock_offset = 0 WHERE id = ?", (tenant.id,))
        tenant.clock_offset = 0.0


def digest(key: str) -> str:
    """What stands for a key wherever it is kept."""
    return hashlib.sha256(key.encode()).hexdigest()
