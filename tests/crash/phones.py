"""The telephones of everybody: an HTTP server that notes every page, in a thread of its own."""

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from tocsin.clock import SystemClock

_PATH = re.compile(rb"POST /([^/? ]*)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WEBHOOK_ID = re.compile(rb"\r\nwebhook-id: *(\S+)", re.IGNORECASE)

_ACCEPTED = b"HTTP/1.1 204 No Content\r\n\r\n"
_REFUSED = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"
_HANGING = 12.0
"""Seconds that a phone hangs: longer than the channel waits for an answer."""


class Fault(StrEnum):
    """What a phone may do to a page, after it noted it."""

    REFUSES = "refuses"  # says that it cannot just now
    HANGS = "hangs"  # says nothing for longer than anybody waits
    DROPS = "drops"  # takes it, and cuts the connection instead of saying so
    TWICE = "twice"  # says twice that it took it


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it arrived. `taken` when the phone said that it took it.

    `key` is the external id of the alert that it is about, None for a notice; `others` those of
    the alerts that it carries beside it. `alerts` are the public ids of all of them.
    """

    id: str
    user: str
    method: str
    kind: str
    step: int
    attempt: int
    key: str | None
    reply: str
    others: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    taken: bool = True
    at: datetime = field(default_factory=SystemClock().now)

    def is_about(self, key: str) -> bool:
        """Whether it tells of the alert with this external id, alone or among others."""
        return key == self.key or key in self.others


class Phones:
    """Notes a page, then answers it: at once, or when `answering` is set again.

    `faults` holds what the phone at the path `/NAME` does instead. `told` counts pages, one that
    carries several alerts once for each.
    """

    def __init__(self) -> None:
        self.port = 0
        self.faults: dict[str, Fault] = {}
        self.answering = threading.Event()
        self.answering.set()
        self.told = 0
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
        return [p for p in self._pages if p.is_about(key) and user in {None, p.user}]

    def after(self, seen: int) -> list[Page]:
        """What arrived after the first `seen` pages."""
        return self._pages[seen:]

    def times(self) -> Counter[str]:
        """How often each notification arrived."""
        return Counter(page.id for page in self._pages)

    def clear(self) -> None:
        """Forget all pages, and answer at once again."""
        self._pages.clear()
        self.told = 0
        self.faults.clear()
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
                await self._one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the sender went away, as it may, or the test is over
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path, length, name = _PATH.match(head), _LENGTH.search(head), _WEBHOOK_ID.search(head)
        assert path is not None
        assert length is not None
        assert name is not None
        body = msgspec.json.decode(await reader.readexactly(int(length[1])))
        fault = self.faults.get(path[1].decode())
        page = _page(name[1].decode(), body, taken=fault in {None, Fault.TWICE})
        self._pages.append(page)
        self.told += len(page.alerts)
        while not self.answering.is_set():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.02)
        match fault:
            case Fault.HANGS:
                await asyncio.sleep(_HANGING)
                raise ConnectionAbortedError
            case Fault.DROPS:
                raise ConnectionAbortedError
            case Fault.REFUSES:
                writer.write(_REFUSED)
            case Fault.TWICE:
                writer.write(_ACCEPTED * 2)
            case None:
                writer.write(_ACCEPTED)
        await writer.drain()


def opened_phones() -> Generator[Phones]:
    """The body of the fixture `everybodys_phones`."""
    phones = Phones()
    phones.start()
    try:
        yield phones
    finally:
        phones.stop()


async def until(holds: Callable[[], bool], within: float = 30) -> float:
    """Wait until it holds; returns how many seconds that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within, "it never came to be"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


def _page(name: str, body: dict[str, Any], *, taken: bool) -> Page:
    assert body["id"] == name
    alert = body["alert"]
    told = [alert, *body.get("alerts", ())] if alert else list(body.get("alerts", ()))
    keys = dict.fromkeys(each.get("external_id") for each in told)
    key = next(iter(keys), None)
    return Page(
        id=name,
        user=body["user"],
        method=body["contact_method"],
        kind=body["kind"],
        step=body["step"],
        attempt=body["attempt"],
        key=key,
        reply=body["links"].get("reply", ""),
        others=tuple(each for each in keys if each is not None and each != key),
        alerts=tuple(dict.fromkeys(each["id"] for each in told)),
        taken=taken,
    )
