"""What one run of the demo leaves for the next: ids, keys, ports."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from payloom.demo.home import write_private
from payloom.demo.ports import Ports


@dataclass(slots=True)
class State:
    """Empty texts are what does not exist yet; saved after every step, so nothing is made twice."""

    ports: Ports | None = None
    merchant_id: str = ""
    api_key: str = ""
    return_secret: str = ""
    psp_api_key: str = ""
    psp_webhook_secret: str = ""
    psp_endpoint_id: str = ""  # the PSP's endpoint that leads to us
    connection_id: str = ""
    connection_base: str = ""  # where the connection looks for the PSP
    shop_endpoint_id: str = ""  # our endpoint that leads to the shop
    shop_webhook_secret: str = ""

    @classmethod
    def load(cls, path: Path) -> Self:
        """What was saved; a fresh state if nothing was, or it cannot be read."""
        try:
            kept = json.loads(path.read_text())
            ports = Ports(**kept.pop("ports")) if kept.get("ports") else None
        except (OSError, ValueError, TypeError, AttributeError):
            return cls()
        known = {field.name for field in fields(cls)} - {"ports"}
        texts = {name: value for name, value in kept.items() if name in known}
        return cls(ports=ports, **texts)

    def save(self, path: Path) -> None:
        write_private(path, json.dumps(asdict(self), indent=2) + "\n")

    def forget_merchant(self) -> None:
        """Everything that belonged to a merchant is void, because its database is gone."""
        fresh = type(self)(ports=self.ports)
        for field in fields(self):
            setattr(self, field.name, getattr(fresh, field.name))
