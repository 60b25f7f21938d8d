"""Just enough HTTP/1.1 over raw sockets to cost the machine little while it measures."""

import asyncio
import re
from collections.abc import Callable
from typing import cast

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Messages(asyncio.Protocol):
    """Hands each whole request or answer, head and body, to `arrived`."""

    def __init__(self, arrived: Callable[[bytes, bytes], None]) -> None:
        self._arrived = arrived
        self._buffer = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # so for every TCP connection

    def write(self, data: bytes) -> None:
        """Send to the other end."""
        assert self._transport is not None
        self._transport.write(data)

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._buffer, 0, end + 2)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < size:
                return
            head, body = self._buffer[:end], self._buffer[end + 4 : size]
            self._buffer = self._buffer[size:]
            self._arrived(head, body)


class Line(Messages):
    """A keep-alive connection to a server, one request at a time."""

    def __init__(self, answered: Callable[["Line", int], None]) -> None:
        super().__init__(lambda head, _: answered(self, int(head[9:12])))


class Phone(Messages):
    """A receiver of pages that hands the body of each on and accepts it, after some seconds."""

    def __init__(self, rang: Callable[[bytes], None], answers_after: float = 0.0) -> None:
        super().__init__(lambda _, body: self._accept(body))
        self._rang = rang
        self._answers_after = answers_after

    def _accept(self, body: bytes) -> None:
        self._rang(body)
        if self._answers_after:
            asyncio.get_running_loop().call_later(self._answers_after, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        self.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def post(path: str, body: bytes) -> bytes:
    """A POST of JSON, ready to be sent."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
