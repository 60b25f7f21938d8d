"""Live updates: one reader of the timeline per process, and many who are told (SSE)."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import msgspec
import structlog

from tocsin.actions.shown import instant, plain
from tocsin.core import ids
from tocsin.core.access import Caller, sees
from tocsin.store import alerts, names
from tocsin.store.db import Database, Row, listen
from tocsin.web.problems import is_unavailable

log = structlog.get_logger()

POLL_SECONDS = 0.5
PING_SECONDS = 15.0
CHECK_SECONDS = 1.5
"""How often each stream looks whether its caller may still listen, and to which teams."""
QUEUE = 1000
"""Events that a slow reader may be behind before it is told to load everything again."""
CATCH_UP = 5000
"""Events that a resumed stream repeats at most; more than that is a resync."""
_BATCH = 500

Place = tuple[int, int]
"""Where a timeline row stands: its transaction, then its id. On the wire as `123-456`."""

_START: Place = (0, 0)
_PLACE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Told:
    """One timeline row, ready to send."""

    place: Place
    team: int
    text: bytes


@dataclass(slots=True, eq=False)
class _Listener:
    """One open stream. `after` is the last row it has; `lost` when its queue overflowed.

    By the loop's clock its caller is looked up again at `check_at`, and something is said at
    `ping_at` at the latest.
    """

    caller: Caller
    after: Place
    check_at: float
    ping_at: float
    queue: asyncio.Queue[Told | None] = field(
        default_factory=lambda: asyncio.Queue[Told | None](QUEUE)
    )
    lost: bool = False


class Live:
    """Reads new timeline rows at a NOTIFY and every half second, while anybody listens.

    Rows are told in the order of their transactions, and only below every running one, so that
    none is passed over.
    """

    def __init__(
        self,
        database: Database,
        *,
        ping_seconds: float = PING_SECONDS,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._database = database
        self._ping_seconds, self._check_seconds = ping_seconds, check_seconds
        self._listeners: set[_Listener] = set()
        self._reader: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()
        self._position = _START
        self._teams: dict[int, str] = {}
        self._starting = asyncio.Lock()
        self._closed = False

    async def stream(
        self, caller: Caller, last: str | None, still: Callable[[], Awaitable[Caller | None]]
    ) -> AsyncGenerator[bytes]:
        """The bytes of one event stream, from after the event `last` where it is given.

        A `last` that is no place in this timeline is answered with a resync.
        `still` is asked every `CHECK_SECONDS` who the caller is by now, however much happens; None
        ends the stream.
        """
        resumed = None if last is None else await self._known(last)
        listener, position = await self._join(caller, resumed)
        try:
            yield b"retry: 2000\n\n" + _event("hello", position if last is None else None)
            if resumed is not None:
                async for text in self._caught_up(listener, resumed, position):
                    yield text
            elif last is not None:
                yield _event("resync", position)
            while True:
                more = await self._next(listener, still)
                if more is None:
                    return
                yield more
        finally:
            self._leave(listener)

    def close(self) -> None:
        """End every stream, so that a stopping server need not wait for them."""
        self._closed = True
        for listener in tuple(self._listeners):
            _put(listener, None)
        if self._reader is not None:
            self._reader.cancel()

    async def _known(self, last: str) -> Place | None:
        """The place that `last` names; None when it names none or one that is not reached yet.

        The latter comes from before a backup was restored, perhaps into another cluster: nothing
        would be above it for a long time.
        """
        found = _PLACE.fullmatch(last)
        if found is None:
            return None
        place = (int(found[1]), int(found[2]))
        return place if place <= await self._newest() else None

    async def _newest(self) -> Place:
        async with self._database.transaction() as connection:
            return await names.newest_entry(connection)

    async def _join(self, caller: Caller, resumed: Place | None) -> tuple[_Listener, Place]:
        async with self._starting:
            if self._reader is None or self._reader.done():
                self._position = await self._newest()
                self._reader = asyncio.create_task(self._read())
        position = self._position
        # Another process may have told more than ours has by now.
        now = asyncio.get_running_loop().time()
        after = max(position, resumed or position)
        listener = _Listener(caller, after, now + self._check_seconds, now + self._ping_seconds)
        if self._closed:
            _put(listener, None)
        self._listeners.add(listener)
        return listener, position

    def _leave(self, listener: _Listener) -> None:
        self._listeners.discard(listener)
        if not self._listeners and self._reader is not None:
            self._reader.cancel()
            self._reader = None

    async def _caught_up(
        self, listener: _Listener, after: Place, position: Place
    ) -> AsyncGenerator[bytes]:
        """What happened after `after` up to `position`, from where the queue goes on."""
        count = 0
        while after < position:
            found = await self._rows(listener.caller, after)
            for told in found:
                if told.place <= position:
                    yield told.text
            count += len(found)
            if len(found) < _BATCH:
                return
            after = found[-1].place
            if count >= CATCH_UP:
                yield _event("resync", position)
                return

    async def _rows(self, caller: Caller, after: Place) -> list[Told]:
        async with self._database.transaction() as connection:
            self._teams = await names.all_teams(connection)
            mine = [team for team in self._teams if sees(caller, team)]
            found = await alerts.live_rows(connection, mine, after, _BATCH)
        return [_told(row, self._teams) for row in found]

    async def _next(
        self, listener: _Listener, still: Callable[[], Awaitable[Caller | None]]
    ) -> bytes | None:
        loop = asyncio.get_running_loop()
        while True:
            if loop.time() >= listener.check_at:
                if not await _may_listen(listener, still):
                    return None
                listener.check_at = loop.time() + self._check_seconds
            try:
                async with asyncio.timeout_at(min(listener.check_at, listener.ping_at)):
                    told = await listener.queue.get()
                if told is None or not told.team or sees(listener.caller, told.team):
                    break
            except TimeoutError:
                if loop.time() >= listener.ping_at:
                    listener.ping_at = loop.time() + self._ping_seconds
                    return b": ping\n\n"
        listener.ping_at = loop.time() + self._ping_seconds
        if listener.lost:
            listener.lost = False
            while not listener.queue.empty():
                told = listener.queue.get_nowait()
            position = listener.after = self._position
            return None if told is None else _event("resync", position)
        return None if told is None else told.text

    async def _read(self) -> None:
        while True:
            try:
                async with listen(self._database.dsn, self._heard.set) as cut:
                    await self._begin_again_when_lost()
                    while not cut.is_set():
                        await self._tell()
                        await self._wait(POLL_SECONDS)
            except Exception as error:
                if not is_unavailable(error):
                    log.error("live updates failed; going on", exc_info=error)  # noqa: TRY400 - in one place for both
                await self._wait(POLL_SECONDS)

    async def _begin_again_when_lost(self) -> None:
        """Resync everybody when our place is above the newest row: another backup was restored."""
        newest = await self._newest()
        if self._position <= newest:
            return
        log.warning("the timeline is behind what was told; live updates begin again")
        self._position = newest
        for listener in self._listeners:
            listener.after = newest
            _put(listener, Told(newest, 0, _event("resync", newest)))

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        self._heard.clear()

    async def _tell(self) -> None:
        """Read what is new and hand it to those who may see it."""
        while True:
            async with self._database.transaction() as connection:
                found = await alerts.live_rows(connection, None, self._position, _BATCH)
                self._teams = await names.all_teams(connection)
            for row in found:
                told = _told(row, self._teams)
                self._position = told.place
                for listener in self._listeners:
                    if told.place > listener.after and sees(listener.caller, told.team):
                        listener.after = told.place
                        _put(listener, told)
            if len(found) < _BATCH:
                return


async def _may_listen(listener: _Listener, still: Callable[[], Awaitable[Caller | None]]) -> bool:
    """Look the caller up again; an absent database tells no news either, so it ends no stream."""
    try:
        caller = await still()
    except Exception as error:
        if not is_unavailable(error):
            raise
    else:
        if caller is None:
            return False
        listener.caller = caller
    return True


def _put(listener: _Listener, told: Told | None) -> None:
    try:
        listener.queue.put_nowait(told)
    except asyncio.QueueFull:
        listener.lost = True
        if told is None:
            listener.queue.get_nowait()
            listener.queue.put_nowait(None)


def _told(row: Row, teams: Mapping[int, str]) -> Told:
    team: int = row["team_id"]
    data = {
        "alert": ids.encode(team, row["alert_id"]),
        "team": teams.get(team),
        "at": instant(row["at"]),
        "kind": row["kind"],
        "by": row["by_name"],
        "via": row["via"],
        "data": plain(row["data"]),
    }
    place = (row["xid"], row["id"])
    return Told(place, team, _event("timeline", place, data))


def _event(kind: str, place: Place | None, data: Mapping[str, object] | None = None) -> bytes:
    name = b"" if place is None else b"id: %d-%d\n" % place
    return name + b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(data or {}))
