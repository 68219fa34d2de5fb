"""Steers one account at the sandbox: what goes wrong, what time it is, what really happened."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

TIMEOUT_S = 60.0
SETTLE_S = 25.0  # longer than an endpoint may take to answer


class Refused(ValueError):
    """The sandbox did not do it; the message says why."""


class Control:
    def __init__(self, url: str, key: str) -> None:
        self._address = urlsplit(url).netloc
        self._key = key

    def fault(
        self,
        effect: str,
        path: str = "/*",
        *,
        method: str | None = None,
        count: int = 1,
        status: int | None = None,
        delay_s: float | None = None,
        event_type: str | None = None,
    ) -> None:
        """Let the next `count` calls go wrong that fit; −1 is for ever.

        `path` may end in `*`; it is the API's, and for effects that begin with `hook_` that of your
        webhook endpoint. What the effects do: docs/reference/sandbox.md.
        """
        order = {"effect": effect, "path": path, "method": method, "count": count}
        more = {"status": status, "delay_s": delay_s, "event_type": event_type}
        given = {name: value for name, value in {**order, **more}.items() if value is not None}
        self._call("POST", "faults", given)

    def faults(self) -> list[Json]:
        """What is ordered and not used up."""
        return list(self._call("GET", "faults"))

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        """Move the account's clock. What became due has happened when this returns, and every
        webhook that was sent because of it has been answered, or given up for now."""
        self._call("POST", "clock/advance", {"seconds": seconds})
        self.settle()

    def now(self) -> int:
        """The account's time, in seconds since 1970."""
        return int(self._call("GET", "clock")["now"])

    def log(self) -> list[Json]:
        """Every request of the account, oldest first."""
        return list(self._call("GET", "log"))

    def deliveries(self) -> list[Json]:
        """Each try to deliver a webhook, oldest first."""
        return list(self._call("GET", "deliveries"))

    def settle(self) -> list[Json]:
        """Wait until no webhook is under way; then as `deliveries`."""
        return list(self._call("GET", f"deliveries?wait_s={SETTLE_S:g}"))

    def reset(self) -> None:
        """Forget everything of the account, its clock included."""
        self._call("POST", "reset")

    def _call(self, method: str, path: str, body: Json | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        connection = HTTPConnection(self._address, timeout=TIMEOUT_S)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, f"/_sandbox/{path}", text, headers)
            with connection.getresponse() as answer:
                found = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(found["error"]["message"])
        return found
