"""The official SDK as users hold it, with `requests` or with coroutines: the same calls on both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import reduce
from typing import Any

import stripe

from tests.sandbox.merchant import Merchant

KINDS = ("sync", "async")


class Sdk:
    """`await sdk("checkout.sessions.create", …)` makes one call of the client's, in its way."""

    def __init__(self, merchant: Merchant, kind: str, **options: Any) -> None:
        self.is_async = kind == "async"
        self._http: Any = (
            stripe.AIOHTTPClient(timeout=15, session=merchant.http)
            if self.is_async
            else stripe.RequestsClient(timeout=15)
        )
        settings = {"max_network_retries": 0, **options}
        self.client = stripe.StripeClient(
            settings.pop("key", merchant.key),
            http_client=self._http,
            base_addresses={"api": merchant.url},
            **settings,
        )

    async def __call__(self, name: str, *words: Any) -> Any:
        *path, verb = name.split(".")
        service = reduce(getattr, path, self.client.v1)
        if self.is_async:
            return await getattr(service, f"{verb}_async")(*words)
        return await asyncio.to_thread(getattr(service, verb), *words)

    async def all(self, listed: Any) -> list[Any]:
        """What a list holds on all its pages."""
        pages = listed.auto_paging_iter()
        if self.is_async:
            return [each async for each in pages]
        return await asyncio.to_thread(list, pages)

    async def close(self) -> None:
        """Sockets of `requests` belong to the thread that opened them."""
        if not self.is_async:
            await asyncio.to_thread(self._http.close)


@asynccontextmanager
async def opened(merchant: Merchant, kind: str, **options: Any) -> AsyncIterator[Sdk]:
    sdk = Sdk(merchant, kind, **options)
    try:
        yield sdk
    finally:
        await sdk.close()
