"""Our side of the payment API: four calls, whose every outcome is a value."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from payloom.shop.model import Record, Sighting, parse_time
from payloom.shop.settings import Settings

CALL = aiohttp.ClientTimeout(total=15, connect=3)  # the API itself gives its PSP 10 s
GLANCE = aiohttp.ClientTimeout(total=2)  # somebody waits for a page
ORDERS = "v1/payment-orders"
# Where an answer with a list may keep it.
LIST_FIELDS = ("entries", "data", "timeline")


@dataclass(frozen=True, slots=True)
class Refused:
    """The API understood us and said no."""

    status: int
    code: str


@dataclass(frozen=True, slots=True)
class Away:
    """No answer, or none we can use: asking again later is safe."""

    why: str


class PaymentApi:
    """The payment API under one key."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def register(self, body: Mapping[str, Any], key: str) -> Sighting | Refused | Away:
        """Ask for a payment. The same body under the same key is always the same payment."""
        headers = {"Idempotency-Key": key}
        answer = await self._ask(
            "POST", "/v1/payment-orders", timeout=CALL, json=body, headers=headers
        )
        return answer if isinstance(answer, Refused | Away) else _sighting_or_away(answer)

    async def look_up(self, payment_order_id: str) -> Sighting | Refused | Away:
        answer = await self._ask("GET", f"{ORDERS}/{payment_order_id}", timeout=GLANCE)
        return answer if isinstance(answer, Refused | Away) else _sighting_or_away(answer)

    async def cancel(self, payment_order_id: str) -> Sighting | Refused | Away:
        """End the payment page. Refused when the shopper was faster; doing it again is harmless."""
        answer = await self._ask("POST", f"{ORDERS}/{payment_order_id}/cancel", timeout=CALL)
        return answer if isinstance(answer, Refused | Away) else _sighting_or_away(answer)

    async def timeline(self, payment_order_id: str) -> list[Record]:
        """What the API tells of a payment; empty when it tells nothing just now."""
        answer = await self._ask("GET", f"{ORDERS}/{payment_order_id}/timeline", timeout=GLANCE)
        if isinstance(answer, Refused | Away):
            return []
        entries = answer
        if isinstance(answer, dict):
            entries = next((answer[name] for name in LIST_FIELDS if name in answer), [])
        if not isinstance(entries, list):
            return []
        return [record for entry in entries if (record := _read_entry(entry))]

    async def _ask(self, method: str, path: str, **request: Any) -> Any:
        """The decoded body of a 2xx, else Refused or Away."""
        try:
            async with self._session.request(
                method, path, allow_redirects=False, **request
            ) as answer:
                status, body = answer.status, json.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Away(type(error).__name__)
        except ValueError:
            return Away("the answer was not JSON")
        if status < 300:
            return body
        if status == 429 or status >= 500:
            return Away(f"status {status}")
        return Refused(status, str(body.get("code", "")) if isinstance(body, dict) else "")


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[PaymentApi]:
    headers = {"Authorization": f"Bearer {settings.api_key}"}
    async with aiohttp.ClientSession(settings.api_url + "/", headers=headers) as session:
        yield PaymentApi(session)


def read_payment_order(body: Any, sequence: int | None = None) -> Sighting | None:
    """A payment order as the API shows it; None when it is not one."""
    match body:
        case {
            "id": str(payment_order_id),
            "payment_order_status": str(status),
            "amount": int(amount),
            "currency": str(currency),
        }:
            url = body.get("redirect_url")
            return Sighting(
                payment_order_id=payment_order_id,
                status=status,
                amount=amount,
                currency=currency,
                redirect_url=url if _is_link(url) else None,
                sequence=sequence,
            )
    return None


def _sighting_or_away(body: object) -> Sighting | Away:
    return read_payment_order(body) or Away("the answer was not a payment order")


def _is_link(url: object) -> bool:
    return isinstance(url, str) and url.startswith(("https://", "http://"))


def _read_entry(entry: object) -> Record | None:
    if not isinstance(entry, dict) or not (at := parse_time(entry.get("at"))):
        return None
    data = entry.get("data")
    return Record(
        at=at,
        kind=str(entry.get("kind") or ""),
        summary=str(entry.get("summary") or ""),
        cause=str(entry.get("cause") or ""),
        data=data if isinstance(data, dict) else {},
    )
