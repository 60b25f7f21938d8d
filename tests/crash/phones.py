"""The telephones of everybody: an HTTP server that notes every page, in a thread of its own."""

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WEBHOOK_ID = re.compile(rb"\r\nwebhook-id: *(\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it arrived."""

    id: str
    user: str
    kind: str
    step: int
    attempt: int
    key: str | None
    reply: str


class Phones:
    """Notes a page, then answers it: at once, or when `answering` is set again."""

    def __init__(self) -> None:
        self.port = 0
        self.answering = threading.Event()
        self.answering.set()
        self._pages: list[Page] = []
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._ended: asyncio.Future[None] | None = None
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    @property
    def pages(self) -> list[Page]:
        """What arrived until now, in order."""
        return list(self._pages)

    def of(self, key: str, user: str | None = None) -> list[Page]:
        """The pages about the alert with this external id, to one person or to anybody."""
        return [p for p in self._pages if p.key == key and user in {None, p.user}]

    def times(self) -> Counter[str]:
        """How often each notification arrived."""
        return Counter(page.id for page in self._pages)

    def clear(self) -> None:
        """Forget all pages, and answer at once again."""
        self._pages.clear()
        self.answering.set()

    def start(self) -> None:
        """Listen on a free port of the loopback."""
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Let go of the port."""
        assert self._ended is not None
        self._loop.call_soon_threadsafe(self._ended.set_result, None)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        self._ended = self._loop.create_future()
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=1000)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._ended
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length, name = _LENGTH.search(head), _WEBHOOK_ID.search(head)
                assert length is not None
                assert name is not None
                body = msgspec.json.decode(await reader.readexactly(int(length[1])))
                self._pages.append(_page(name[1].decode(), body))
                while not self.answering.is_set():  # noqa: ASYNC110 - set by another thread
                    await asyncio.sleep(0.02)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the sender went away, as it may, or the test is over
        finally:
            writer.close()


def opened_phones() -> Iterator[Phones]:
    """The body of the fixture `everybodys_phones`."""
    phones = Phones()
    phones.start()
    yield phones
    phones.stop()


async def until(holds: Callable[[], bool], within: float = 30) -> float:
    """Wait until it holds; returns how many seconds that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within, "it never came to be"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


def _page(name: str, body: dict[str, Any]) -> Page:
    assert body["id"] == name
    return Page(
        id=name,
        user=body["user"],
        kind=body["kind"],
        step=body["step"],
        attempt=body["attempt"],
        key=body["alert"]["external_id"],
        reply=body["links"].get("reply", ""),
    )
