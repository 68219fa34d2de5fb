"""The rig of the three fakes: one small PSP in the test's own loop, with a dialect.

Not one to copy: it signs with what is inside the fakes, and knows their one address and method.
"""

import json
from dataclasses import dataclass
from typing import Any

from payloom.connectors.contract import Registration
from payloom.connectors.spec import Credentials, Spec
from payloom.core import ids
from payloom.core.secret import Secret
from tests.connectors.conformance.rig import Told
from tests.connectors.fakes.base import Fake
from tests.connectors.fakes.psp import FakePsp

VERBS = {"register": "register", "look_up": "status", "complete": "capture", "refund": "refund"}


@dataclass
class FakeRig:
    spec: Spec
    psp: FakePsp
    pages_can_be_ended: bool = True
    shoppers_approve: bool = False
    currency_not_taken: str = "GBP"
    method_type_not_offered: str = "netbanking"
    notices_are_dated: bool = False

    @property
    def credentials(self) -> Credentials:
        return Credentials({"api_key": Secret(self.psp.secret)}, self.psp.url)

    async def fault(self, verb: str, effect: str, count: int = 1) -> None:
        for _ in range(count):
            self.psp.fault(VERBS[verb], effect)

    async def executed(self) -> list[str]:
        return list(self.psp.executed)

    async def approve(self, token: str) -> None:
        self.psp.move(token, "approved" if self.shoppers_approve else "paid")

    async def tell(self, registration: Registration, token: str) -> Told:
        told = self.psp.told(self.psp.payments[token])
        return self._told({"id": ids.text("evt", ids.new()), "type": "payment", **told})

    def sign(self, body: bytes) -> Told:
        held = self.credentials
        connector: Any = self.spec.build(held, None, None)  # type: ignore[arg-type] # asks nothing
        assert isinstance(connector, Fake)
        return Told({connector.signature_header: connector.sign(body)}, body)

    def foreign(self) -> bytes:
        return json.dumps({"id": "evt_1", "type": "payment", "state": "paid"}).encode()

    def of_unknown_type(self) -> bytes:
        return json.dumps({"id": "evt_1", "type": "weather", "ours": "att_1"}).encode()

    def _told(self, what: dict[str, Any]) -> Told:
        return self.sign(json.dumps(what).encode())
