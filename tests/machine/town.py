"""All that the state machine moves: the database, two processes, the clock, the phones."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from tests.machine import promises
from tests.machine.fates import Process, a_world
from tests.machine.handsets import Exchange
from tests.machine.installation import statements
from tests.machine.looking import Seen
from tests.store.scene import NOW
from tocsin.actions.deliver import late_receipts, storms_over
from tocsin.actions.dutywatch import watch_duty
from tocsin.actions.intake import Posted
from tocsin.actions.page import page_due
from tocsin.actions.reply import AlertRef, Answer, Asked, change_many
from tocsin.actions.silence import close_silent
from tocsin.core.event import Event, Said
from tocsin.store.outbox import Through
from tocsin.testing.clock import MovableClock

T = TypeVar("T")
Turn = Callable[[Process], Coroutine[Any, Any, int]]

MOMENT = timedelta(milliseconds=100)
"""Between two things that happen one after the other: no two share an instant."""

_SECOND = timedelta(seconds=1)
_EVER = datetime.max.replace(tzinfo=UTC)

_TURNS = 500
"""More turns than a worker needs for whatever the machine can make it do."""

_ROLLED_BACK = """
DO $$ BEGIN
  WHILE EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                AND pid <> pg_backend_pid() AND state <> 'idle') LOOP
    PERFORM pg_sleep(0.002);
    PERFORM pg_stat_clear_snapshot();
  END LOOP;
END $$
"""


@dataclass
class Town(Seen):
    """The same with all that happens there."""

    def awake(self, place: int) -> Process:
        """The process at a place, or the other one where that is frozen."""
        process = self.processes[place]
        return self.processes[1 - place] if process.frozen else process

    async def moment(self) -> None:
        await self.clock.move(MOMENT)

    async def by(self, place: int, act: Callable[[Process], Coroutine[Any, Any, T]]) -> T | None:
        """What a process does; one that dies of it is followed by a new one."""
        process = self.awake(place)
        done = await process.do(act(process))
        await self.bury()
        return done

    async def both(self, act: Callable[[Process], Coroutine[Any, Any, T]]) -> list[T | None]:
        """What all processes that are not frozen do at the same time."""
        awake = [process for process in self.processes if not process.frozen]
        done = await asyncio.gather(*(process.do(act(process)) for process in awake))
        await self.bury()
        return list(done)

    async def bury(self) -> None:
        """Each process that died is followed by a new one."""
        struck = [one for one in self.processes if one.fate.strikes > one.known_strikes]
        for process in struck:
            process.known_strikes = process.fate.strikes
            if process.fate.died.is_set():
                await process.end()
                place = self.processes.index(process)
                self.processes[place] = await a_process(self.dsn, self.clock, self.exchange)
        if struck:
            await self._rolled_back()

    async def _rolled_back(self) -> None:
        """The server has noticed: nothing of the connection that ended is locked any more."""
        # In the server: it looks again until no other connection is in a transaction.
        await self.eye.execute(_ROLLED_BACK)

    # What happens.

    async def post(self, place: int, said: Sequence[Said]) -> None:
        """A sender posts, and what it was told is remembered."""
        await self.posted(self.awake(place), said)
        await self.bury()

    async def posted(self, process: Process, said: Sequence[Said]) -> None:
        """The same by a process, whatever becomes of it."""
        events = Counter(one.external_id or "" for one in said if isinstance(one, Event))
        self.tried += events
        posted = Posted(team=1, name="plant", inlet="signl4", said=tuple(said), integration=1)
        if await process.do(process.intake.accept(posted)) is not None:
            self.accepted += events

    async def answer(
        self, place: int, key: str, asked: Asked, through: Through | None = None
    ) -> Answer | None:
        """Somebody answers the newest alert with this key."""
        alert = await self.newest(key)
        if alert is None:
            return None
        answers = await self.by(place, lambda one: answered(one, alert, asked, through))
        return answers[0] if answers else None

    async def all_at_once(self, said: Sequence[Said], key: str, asked: Asked) -> None:
        """Both work while a sender posts and somebody answers the alert with this key."""
        alert = await self.newest(key)
        awake = [one for one in self.processes if not one.frozen]
        await asyncio.gather(
            *(
                one.do(turn(one))
                for one in awake
                for turn in (turn_others, turn_timers, turn_pages)
            ),
            self.posted(awake[-1], said),
            *(awake[0].do(answered(awake[0], alert, asked)) for _ in range(1) if alert),
        )
        await self.bury()

    async def newest(self, key: str) -> UUID | None:
        found = await self.eye.fetchval(
            "SELECT id FROM alert WHERE external_id = $1 ORDER BY number DESC LIMIT 1", key
        )
        assert found is None or isinstance(found, UUID)
        return found

    async def sql(self, text: str, *args: object) -> None:
        """Somebody changes what is configured or who is on duty."""
        await self.eye.execute(text, *args)

    async def activity(self, who: str, *, active: bool) -> None:
        """Somebody is deactivated, or activated again."""
        await self.sql("UPDATE app_user SET active = $1 WHERE name = $2", active, who)
        open_ = [one for one in self.inactive if one[0] == who and one[2] > self.now]
        if active and open_:
            self.inactive.remove(open_[0])
            self.inactive.append((who, open_[0][1], self.now))
        elif not active and not open_:
            self.inactive.append((who, self.now, _EVER))

    # Time and work.

    async def work(self, place: int | None) -> None:
        """All that is due now, by one process or (None) by all of them at once."""
        while await self._turn(place, turn_others):
            pass
        for _ in range(_TURNS):
            done = await self._turn(place, turn_timers) + await self._turn(place, turn_pages)
            if not done:
                return
        raise AssertionError("the workers never come to rest")

    async def _turn(self, place: int | None, act: Turn) -> int:
        told = await self.both(act) if place is None else [await self.by(place, act)]
        return sum(1 if one is None else one for one in told)

    async def live(self, duration: timedelta, place: int | None) -> None:
        """Time passes, and the workers do what is due when it is due."""
        end = self.now + duration
        for _ in range(_TURNS):
            await self.work(place)
            await self.all_done()
            due = await self._next_due()
            if due is None or due > end:
                break
            await self._move_to(max(due, self.now + _SECOND))
        else:
            raise AssertionError("there is always something due")
        await self._move_to(end)
        await self.work(place)
        await self.all_done()

    async def thaw(self, process: Process) -> None:
        """A paused process goes on: what it was sending lands."""
        process.thaw()
        await process.do(turn_pages(process))

    async def outage(self, duration: timedelta) -> None:
        """Time passes, and nobody works."""
        begun = self.now
        await self._move_to(self.now + duration)
        self.outages.append((begun, self.now))

    async def _move_to(self, moment: datetime) -> None:
        await self.clock.move_to(max(moment, self.now))
        # Leases run by the database's own clock, which goes along.
        await self.eye.execute(
            "UPDATE notification SET lease_until = clock_timestamp()"
            " WHERE state = 'leased' AND next_try_at <= $1",
            self.now,
        )

    async def _next_due(self) -> datetime | None:
        found = await self.eye.fetchval(
            "SELECT least((SELECT min(next_step_at) FROM alert),"
            " (SELECT min(next_try_at) FROM notification),"
            " (SELECT min(receipt_due_at) FROM notification),"
            " (SELECT min(calm_at) FROM traffic),"
            " (SELECT min(updated_at + close_after * interval '1 s') FROM alert"
            "  WHERE status <> 'closed'),"
            " (SELECT min(upper(during)) FROM punch WHERE upper(during) > $1),"
            " (SELECT min(lower(during)) FROM shift WHERE lower(during) > $1),"
            " (SELECT min(upper(during)) FROM shift WHERE upper(during) > $1))",
            self.now,
        )
        assert found is None or isinstance(found, datetime)
        return found


async def answered(
    process: Process, alert: UUID, asked: Asked, through: Through | None = None
) -> list[Answer]:
    """Somebody answers an alert."""
    return await change_many(process.world, [AlertRef(1, alert)], asked, through)


async def turn_others(process: Process) -> int:
    """One turn of what the worker does every second or so; how much was done."""
    world = process.world
    return (
        await watch_duty(world)
        + await close_silent(world)
        + await late_receipts(world)
        + await storms_over(world)
    )


async def turn_timers(process: Process) -> int:
    """One turn of the loop that moves alerts."""
    return await page_due(process.world)


async def turn_pages(process: Process) -> int:
    """One turn of the loop that delivers."""
    launched = await process.deliverer.launch()
    await process.deliverer.drain()
    return launched


async def a_process(dsn: str, clock: MovableClock, exchange: Exchange) -> Process:
    return await Process(a_world(dsn, clock), exchange).start()


@asynccontextmanager
async def town(dsn: str) -> AsyncGenerator[Town]:
    """The installation in a database without rows, at `NOW`, with two processes."""
    eye = await asyncpg.connect(dsn)
    clock, exchange = MovableClock(NOW), Exchange()
    try:
        await eye.execute("SET synchronous_commit = off")
        for statement in statements():
            await eye.execute(statement)
        await eye.execute(promises.SET_UP)
        processes = [await a_process(dsn, clock, exchange) for _ in range(2)]
        made = Town(eye, clock, exchange, processes, dsn)
        try:
            yield made
        finally:
            for process in made.processes:
                await process.end()
    finally:
        await eye.close()
