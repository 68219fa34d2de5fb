"""What the demo's shop needs: a merchant, a connection to the sandbox, webhooks both ways.

Each step looks at what is there and makes only what is missing, so a second run changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from payloom.connectors.stripe.mapping import VERSION
from payloom.connectors.stripe.notices import EVENT_TYPES
from payloom.core import ids
from payloom.core.errors import NotFound
from payloom.core.secret import Secret
from payloom.demo import DemoError
from payloom.demo.ports import Ports
from payloom.demo.state import State
from payloom.merchants.connections import add_connection, connector_of, replace_secret
from payloom.merchants.keys import random_text
from payloom.merchants.merchants import create_merchant
from payloom.merchants.queries import mode_of
from payloom.runtime import Runtime
from payloom.webhooks.endpoints import (
    create_endpoint,
    delete_endpoint,
    get_endpoint,
    signing_secrets,
)

PSP = "stripe"
MERCHANT = "Wrenfold"


@dataclass(frozen=True, slots=True)
class Setup:
    """Makes what is missing; `save` keeps the state after every step."""

    rt: Runtime
    http: aiohttp.ClientSession
    ports: Ports
    state: State
    save: Callable[[], None]

    async def merchant(self) -> bool:
        """A merchant in test mode with its keys; whether it had to be made."""
        state = self.state
        if state.merchant_id:
            async with self.rt.db.statement() as tx:
                if await mode_of(tx, ids.parse("mer", state.merchant_id)):
                    return False
            state.forget_merchant()
        made = await create_merchant(self.rt, MERCHANT, "test")
        state.merchant_id = ids.text("mer", made.merchant_id)
        state.api_key = made.api_key.reveal()
        state.return_secret = made.return_secret.reveal()
        state.psp_api_key = "sk_test_" + random_text(32)
        self.save()
        return True

    async def connection(self) -> bool:
        """Its account at the sandbox, reached where the sandbox is now."""
        state, base = self.state, self.ports.sandbox_url
        if state.connection_base == base and await self._knows(state.connection_id):
            return False
        secrets = {"api_key": Secret(state.psp_api_key)}
        if state.psp_webhook_secret:
            secrets["webhook_secret"] = Secret(state.psp_webhook_secret)
        made = await add_connection(self.rt, self._merchant_id, PSP, secrets, api_base=base)
        state.connection_id, state.connection_base = ids.text("con", made), base
        self.save()
        return True

    async def webhooks_to_us(self) -> bool:
        """The PSP's endpoint that leads to our door for notices."""
        state = self.state
        url = f"{self.ports.api_url}/psp/{PSP}/{state.connection_id}/notices"
        present = {each["id"]: each for each in (await self._psp("GET", ""))["data"]}
        wanted = {"url": url, **{f"enabled_events[{i}]": t for i, t in enumerate(EVENT_TYPES)}}
        if endpoint := present.get(state.psp_endpoint_id):
            if endpoint["url"] == url and endpoint["enabled_events"] == list(EVENT_TYPES):
                return False
            await self._psp("POST", f"/{state.psp_endpoint_id}", **wanted)
            return True
        for stray in present:  # made by a run that was killed before it could note the secret
            await self._psp("DELETE", f"/{stray}")
        made = await self._psp("POST", "", **wanted, api_version=VERSION)
        await replace_secret(
            self.rt,
            self._merchant_id,
            ids.parse("con", state.connection_id),
            field="webhook_secret",
            secret=Secret(made["secret"]),
        )
        state.psp_endpoint_id, state.psp_webhook_secret = made["id"], made["secret"]
        self.save()
        return True

    async def webhooks_to_shop(self) -> bool:
        """Our endpoint that leads to the shop."""
        state, url = self.state, f"{self.ports.shop_url}/webhooks"
        if state.shop_endpoint_id:
            known = ids.parse("whe", state.shop_endpoint_id)
            found = await get_endpoint(self.rt, self._merchant_id, known)
            if found.url == url and found.disabled_at is None:
                return False
            await delete_endpoint(self.rt, self._merchant_id, known)
        made = await create_endpoint(self.rt, self._merchant_id, "test", url, None)
        secrets = await signing_secrets(self.rt, self._merchant_id, made.id)
        state.shop_endpoint_id = ids.text("whe", made.id)
        state.shop_webhook_secret = secrets[0].reveal()
        self.save()
        return True

    @property
    def _merchant_id(self) -> Any:
        return ids.parse("mer", self.state.merchant_id)

    async def _knows(self, connection_id: str) -> bool:
        try:
            await connector_of(self.rt, ids.parse("con", connection_id))
        except NotFound:
            return False
        return True

    async def _psp(self, method: str, path: str, **form: str) -> Any:
        """The sandbox's webhook endpoints, as its tenant."""
        headers = {"Authorization": f"Bearer {self.state.psp_api_key}"}
        url = f"{self.ports.sandbox_url}/v1/webhook_endpoints{path}"
        async with self.http.request(method, url, headers=headers, data=form or None) as response:
            answer = await response.json()
        if response.status >= 300:
            raise DemoError(f"The sandbox refused {method} {url}: {answer}")
        return answer
