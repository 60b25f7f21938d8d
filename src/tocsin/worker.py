"""The one loop: lease what is due, run its action, settle it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from tocsin.actions import sync
from tocsin.actions.calendars import CALENDARS_EVERY, calendars_due
from tocsin.actions.clockset import CLOCK_EVERY, watch_clock
from tocsin.actions.deliver import Deliverer, late_receipts, storms_over
from tocsin.actions.dutywatch import DUTY_EVERY, watch_duty
from tocsin.actions.forewarn import forewarn
from tocsin.actions.handover import change_shifts
from tocsin.actions.heartbeat import HEARTBEATS_EVERY, heartbeats_due
from tocsin.actions.page import page_on
from tocsin.actions.publish import publications_due, publish
from tocsin.actions.remind import send_reminders
from tocsin.actions.upkeep import UPKEEP_EVERY, extend_shifts, upkeep
from tocsin.actions.world import World

log = structlog.get_logger()

POLL = timedelta(milliseconds=250)
"""How long anything due may lie when no wake-up arrives; nothing depends on wake-ups."""

NAP = timedelta(seconds=1)
"""The pause after a fault, for example while the database is away."""


@dataclass(slots=True)
class Bell:
    """Wakes every loop of this process, and lets other processes know, some 50 ms apart."""

    _sleepers: list[asyncio.Event] = field(default_factory=list[asyncio.Event])
    _outside: asyncio.Event = field(default_factory=asyncio.Event)

    def ring(self) -> None:
        """Something was committed here."""
        self.heard()
        self._outside.set()

    def heard(self) -> None:
        """Something was committed, here or in another process."""
        for sleeper in self._sleepers:
            sleeper.set()

    def sleeper(self) -> asyncio.Event:
        """An event that is set at each ring."""
        event = asyncio.Event()
        self._sleepers.append(event)
        return event

    async def tell_others(self, world: World) -> None:
        """NOTIFY after commits, coalesced; runs until cancelled."""
        while True:
            await self._outside.wait()
            self._outside.clear()
            try:
                await world.worker_database.notify()
            except Exception as fault:  # noqa: BLE001 - others find it by polling
                log.debug("others not told", fault=repr(fault))
            await asyncio.sleep(0.05)


_NOW_AND_THEN: tuple[tuple[str, Callable[[World], Awaitable[object]], timedelta], ...] = (
    ("upkeep", upkeep, UPKEEP_EVERY),
    ("shifts", extend_shifts, UPKEEP_EVERY),
    ("reminders", send_reminders, UPKEEP_EVERY),
    ("forewarn", forewarn, UPKEEP_EVERY),
    ("receipts", late_receipts, NAP),
    ("storms", storms_over, NAP),
    ("heartbeats", heartbeats_due, HEARTBEATS_EVERY),
    ("clock", watch_clock, CLOCK_EVERY),
    ("hand_over", change_shifts, NAP),
)
"""Each in a loop of its own, so that one that takes long keeps no other waiting."""

_WHILE_THERE_IS_MORE: tuple[tuple[str, Callable[[World], Awaitable[int]], timedelta], ...] = (
    ("duty", watch_duty, DUTY_EVERY),
    ("calendars", calendars_due, CALENDARS_EVERY),
)
"""Those that go on at once while there is more to do."""

_LOOPS = ("page", "deliver", "poll", "write", "publish", "duty")
_UNWATCHED = frozenset({"calendars", "shifts", "reminders", "forewarn", "hand_over"})
"""Loops whose turns may rightly last: as long as others' servers let them, or for all teams."""


class Worker:
    """Keeps promises until it is cancelled. A fault in one loop never stops another."""

    def __init__(self, world: World, bell: Bell) -> None:
        self._world = world
        self._bell = bell
        self._deliverer = Deliverer(world, roomy_again=bell.heard)
        self._sources = sync.Sources(world)
        self._busy: set[asyncio.Task[None]] = set()
        started = world.clock.now()
        self._turned: dict[str, datetime] = dict.fromkeys(_LOOPS, started)
        self._down: set[str] = set()
        self._more_due = False

    async def run(self) -> None:
        """Run every loop; on cancellation finish what is in the air and let go of connections."""
        loops: dict[str, Callable[[], Awaitable[bool]]] = {
            "page": self._page,
            "deliver": self._deliver,
            "poll": self._poll,
            "write": self._write,
            "publish": self._publish,
        }
        try:
            async with asyncio.TaskGroup() as group:
                for name, turn in loops.items():
                    group.create_task(self._loop(name, turn), name=name)
                for name, busy, pause in _WHILE_THERE_IS_MORE:
                    group.create_task(self._on_and_on(name, busy, pause), name=name)
                for name, work, pause in _NOW_AND_THEN:
                    group.create_task(self._every(name, work, pause), name=name)
                group.create_task(self._deliverer.settle_forever(), name="settle")
                group.create_task(self._bell.tell_others(self._world), name="notify")
        finally:
            await self._close()

    def stalled(self, now: datetime, patience: timedelta = timedelta(seconds=15)) -> list[str]:
        """Loops that have not turned for longer than `patience`, for readiness."""
        stalled = [name for name, at in self._turned.items() if now - at > patience]
        return [*stalled, "settle"] if self._deliverer.behind else stalled

    async def _loop(self, name: str, turn: Callable[[], Awaitable[bool]]) -> None:
        """Turn as long as there is work, then wait for a wake-up or the poll interval."""
        woken = self._bell.sleeper()
        while True:
            woken.clear()
            more = await self._guarded(name, turn)
            if not more:
                # Not wait_for: on Python 3.11 it loses a cancellation that comes with the bell.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL.total_seconds()):
                        await woken.wait()

    async def _guarded(self, name: str, turn: Callable[[], Awaitable[bool]]) -> bool:
        try:
            more = await turn()
        except Exception as fault:
            if name not in self._down:  # once when it goes down, once when it is back
                self._down.add(name)
                log.exception(
                    "loop failed; trying again every second", loop=name, fault=repr(fault)
                )
            await asyncio.sleep(NAP.total_seconds())
            return False
        if name in self._down:
            self._down.discard(name)
            log.info("loop is back", loop=name)
        if name not in _UNWATCHED:
            self._turned[name] = self._world.clock.now()
        return more

    async def _page(self) -> bool:
        self._more_due = await page_on(self._world, more=self._more_due)
        return self._more_due

    async def _deliver(self) -> bool:
        return await self._deliverer.launch() > 0

    async def _on_and_on(
        self, name: str, work: Callable[[World], Awaitable[int]], pause: timedelta
    ) -> None:
        """Once in each pause, and again at once while anything was to do."""

        async def turn() -> bool:
            return await work(self._world) > 0

        while True:
            more = await self._guarded(name, turn)
            await asyncio.sleep(0 if more else pause.total_seconds())

    async def _poll(self) -> bool:
        due = await sync.poll_due(self._world)
        for one in due:
            self._start(sync.poll(self._world, self._sources, one))
        return bool(due)

    async def _write(self) -> bool:
        due = await sync.writes_due(self._world)
        for one in due:
            self._start(sync.write(self._world, self._sources, one))
        return bool(due)

    async def _publish(self) -> bool:
        due = await publications_due(self._world)
        for one in due:
            self._start(publish(self._world, self._sources, one))
        return bool(due)

    def _start(self, work: Awaitable[None]) -> None:
        """Run beside the loops; a lease that is lost to a fault here runs out by itself."""

        async def guarded() -> None:
            try:
                await work
            except Exception:
                log.exception("work failed; it is claimed again when its lease has run out")

        task = asyncio.create_task(guarded())
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _every(
        self, name: str, work: Callable[[World], Awaitable[object]], pause: timedelta
    ) -> None:
        async def turn() -> bool:
            await work(self._world)
            return False

        while True:
            await self._guarded(name, turn)
            await asyncio.sleep(pause.total_seconds())

    async def _close(self) -> None:
        await asyncio.sleep(0)  # what was claimed just now begins, so that it can give it back
        for task in set(self._busy):
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)
        await self._deliverer.close()
        await self._sources.close()
