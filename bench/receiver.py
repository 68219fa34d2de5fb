"""`python -m bench.receiver PORT FD`: the shop's webhook endpoint. Takes every event, answers 200.

Whenever an order is paid it writes the order's id to FD, where the load generator reads it.
`GET /count` says how many calls came, and how many different events were in them.
"""

import json
import os
import sys

import uvloop
from aiohttp import web


class Receiver:
    def __init__(self, paid: int) -> None:
        self._paid = paid
        self._calls = 0
        self._events: set[str] = set()

    async def take(self, request: web.Request) -> web.Response:
        event = json.loads(await request.read())
        self._calls += 1
        if event["id"] not in self._events:
            self._events.add(event["id"])
            if event["type"] == "payment_order.succeeded":
                os.write(self._paid, event["data"]["id"].encode() + b"\n")
        return web.Response()

    async def count(self, _request: web.Request) -> web.Response:
        return web.json_response({"calls": self._calls, "events": len(self._events)})


def main() -> None:
    port, paid = int(sys.argv[1]), int(sys.argv[2])
    receiver = Receiver(paid)
    app = web.Application()
    app.router.add_post("/hooks", receiver.take)
    app.router.add_get("/count", receiver.count)
    web.run_app(
        app, host="127.0.0.1", port=port, access_log=None, print=None, loop=uvloop.new_event_loop()
    )


if __name__ == "__main__":
    main()
