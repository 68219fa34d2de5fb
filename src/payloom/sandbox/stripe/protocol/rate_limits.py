"""Rate limits as Stripe has them, off until they are ordered by `POST /_sandbox/rate_limits`.

docs.stripe.com/rate-limits: so many requests a second of one account, and so many of one endpoint
(a method and a path, whatever the ids in it). A bucket of tokens holds one second's worth, or one
token where the limit is lower, and fills by the sandbox's clock.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payloom.sandbox.control import BadOrder, Routes, read_json
from payloom.sandbox.runtime import Runtime
from payloom.sandbox.store import Tenant
from payloom.sandbox.stripe.protocol.errors import StripeError, rate_limited

PER_S_MAX = 100_000
EXAMPLE = '{"account_per_s": 25, "endpoint_per_s": 25}'
_KIND = "rate_limits"
_NAMES = ("account_per_s", "endpoint_per_s")


@dataclass(frozen=True, slots=True)
class Limits:
    account_per_s: float
    endpoint_per_s: float

    @classmethod
    def usual(cls, *, livemode: bool) -> "Limits":
        return cls(100 if livemode else 25, 25)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float

    def take(self, per_s: float, now: float) -> bool:
        most = max(1.0, per_s)
        self.tokens = min(most, self.tokens + max(0.0, now - self.filled_at) * per_s)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class _Account:
    limits: Limits | None
    buckets: dict[object, _Bucket] = field(default_factory=dict)

    def take(self, what: object, per_s: float, now: float) -> bool:
        bucket = self.buckets.get(what)
        if bucket is None:
            bucket = self.buckets[what] = _Bucket(max(1.0, per_s), now)
        return bucket.take(per_s, now)


class RateLimits:
    """What was ordered is an object of the account's; how full its buckets are is forgotten."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._accounts: dict[int, _Account] = {}
        rt.forgetters.append(self._forget)

    def refusal(self, tenant: Tenant, endpoint: object) -> StripeError | None:
        """Why this request may not be made now; `endpoint` is anything that stands for its own."""
        account = self._account(tenant)
        if account.limits is None:
            return None
        now = self._rt.now(tenant)
        if not account.take(None, account.limits.account_per_s, now):
            return rate_limited("global-rate")
        if not account.take(endpoint, account.limits.endpoint_per_s, now):
            return rate_limited("endpoint-rate")
        return None

    def ordered(self, tenant: Tenant) -> Limits | None:
        return self._account(tenant).limits

    def order(self, tenant: Tenant, limits: Limits | None) -> None:
        with self._rt.transaction(tenant) as tx:
            id_ = f"{_KIND}_{tenant.id}"
            tx.delete(id_)
            if limits is not None:
                tx.insert(_KIND, {"id": id_, "created": int(tx.now), **asdict(limits)})
        self._forget(tenant)

    def _forget(self, tenant: Tenant) -> None:
        self._accounts.pop(tenant.id, None)

    def _account(self, tenant: Tenant) -> _Account:
        account = self._accounts.get(tenant.id)
        if account is None:
            tx = self._rt.open_tx(tenant, self._rt.now(tenant))
            kept = tx.load(_KIND, f"{_KIND}_{tenant.id}")
            limits = Limits(**{name: kept[name] for name in _NAMES}) if kept else None
            account = self._accounts[tenant.id] = _Account(limits)
        return account


class RateLimitControl:
    """`/_sandbox/rate_limits`: read them, order them, lift them."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    async def read(self, _: Runtime, tenant: Tenant, __: Request) -> Response:
        return self._shown(tenant)

    async def order(self, _: Runtime, tenant: Tenant, request: Request) -> Response:
        wanted = await read_json(request, EXAMPLE)
        if not isinstance(wanted, dict) or set(wanted) - set(_NAMES):
            raise BadOrder(f"the body may hold {' and '.join(_NAMES)}: {EXAMPLE}")
        limits = {**asdict(Limits.usual(livemode=tenant.livemode)), **wanted}
        if not all(_is_rate(value) for value in limits.values()):
            raise BadOrder(f"a limit is a number above 0, at most {PER_S_MAX}")
        self._limits.order(tenant, Limits(**limits))
        return self._shown(tenant)

    async def lift(self, _: Runtime, tenant: Tenant, __: Request) -> Response:
        self._limits.order(tenant, None)
        return self._shown(tenant)

    def _shown(self, tenant: Tenant) -> Response:
        limits = self._limits.ordered(tenant)
        return JSONResponse({} if limits is None else asdict(limits))


def _is_rate(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value <= PER_S_MAX


def controls(limits: RateLimits) -> Routes:
    """The routes under `/_sandbox/`."""
    control = RateLimitControl(limits)
    return (
        ("rate_limits", "GET", control.read),
        ("rate_limits", "POST", control.order),
        ("rate_limits", "DELETE", control.lift),
    )
