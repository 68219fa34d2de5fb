"""uvicorn's fast parser bounds neither the size of a request's head nor its time; this does.

What follows the head is bounded where requests are read and admitted.
"""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 64 * 1024
HEAD_WITHIN_S = 10.0
_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-length: 0\r\n\r\n"
)


class BoundedProtocol(HttpToolsProtocol):
    """Hangs up on a head that does not end (F09): before it costs memory, and before long."""

    head_within_s: ClassVar[float] = HEAD_WITHIN_S
    _has_begun = False
    _is_in_head = False
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    # The override is uvicorn's own.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_expecting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_head = self._is_in_head
        super().data_received(data)
        if not self._is_in_head:
            return
        # What came with the end of an earlier request is not counted: it may have been its body.
        self._head_bytes += len(data) if was_in_head else 0
        if self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()
        elif self._head_timer is None:
            self._expect_head()

    def on_message_begin(self) -> None:
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._has_begun, self._is_in_head = True, False
        self._stop_expecting()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_within_s, self._hang_up)

    def _hang_up(self) -> None:
        self._head_timer = None
        if self._has_begun and not self.cycle.response_complete:
            self._expect_head()  # what came before this head is still being answered
        else:
            self.transport.close()

    def _stop_expecting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
