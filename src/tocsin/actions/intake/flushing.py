"""Group commit: requests that arrive while a commit runs share the next one."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Self

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.actions.intake.accepting import (
    Accepted,
    NumbersUsedUpError,
    accept,
)
from tocsin.actions.intake.numbers import Numbers
from tocsin.actions.intake.posted import Posted
from tocsin.actions.world import World
from tocsin.store.alerts import KeyTaken, Written

log = structlog.get_logger()


class Overloaded(Exception):  # noqa: N818 - a state to answer, not a fault
    """More requests are waiting than can be committed soon; the sender shall come again."""


class Unstored(Exception):  # noqa: N818 - a state to answer, not a fault
    """The database did not take it; nothing was accepted, the sender shall come again."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    posted: Posted
    done: "asyncio.Future[Accepted]"


class Intake:
    """Accepts requests of senders; each answer comes after its commit.

    `flushers` commit at the same time. Requests with the same key go to the same one, so that
    they are handled in order and do not compete. Without linger: what arrived during the last
    commit is the next batch.
    """

    def __init__(
        self, world: World, *, flushers: int = 2, batch: int = 200, queue: int = 4000
    ) -> None:
        self._world = world
        self._batch = batch
        self._limit = queue
        self._numbers = Numbers(world.database)
        self._queues = [deque[_Waiting]() for _ in range(flushers)]
        self._woken = [asyncio.Event() for _ in range(flushers)]
        self._tasks: list[asyncio.Task[None]] = []
        self._unanswered: set[asyncio.Future[Accepted]] = set()
        self._next = 0

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._flush_forever(place), name=f"flusher {place}")
            for place in range(len(self._queues))
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._unanswered:
            # A database that hangs is not waited for: nobody was told yet that it took them.
            await asyncio.wait(set(self._unanswered), timeout=_LAST_COMMITS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def accept(self, posted: Posted) -> Accepted:
        """Commit what was posted. Raises `Overloaded` or `Unstored`; then nothing was accepted.

        A caller that goes away does not undo it.
        """
        place = self._place(posted)
        queue = self._queues[place]
        if len(queue) >= self._limit:
            raise Overloaded
        waiting = _Waiting(posted, asyncio.get_running_loop().create_future())
        self._unanswered.add(waiting.done)
        waiting.done.add_done_callback(self._unanswered.discard)
        queue.append(waiting)
        self._woken[place].set()
        return await asyncio.shield(waiting.done)

    @property
    def waiting(self) -> int:
        """How many requests wait for their commit."""
        return len(self._unanswered)

    def _place(self, posted: Posted) -> int:
        keys = [key for said in posted.said if (key := getattr(said, "external_id", None))]
        if keys:
            return hash((posted.team, keys[0])) % len(self._queues)
        self._next = (self._next + 1) % len(self._queues)
        return self._next

    async def _flush_forever(self, place: int) -> None:
        queue, woken = self._queues[place], self._woken[place]
        while True:
            await woken.wait()
            woken.clear()
            while queue:
                batch = [queue.popleft() for _ in range(min(self._batch, len(queue)))]
                await self._flush(batch)

    async def _flush(self, batch: list[_Waiting]) -> None:
        try:
            accepted, written = await self._commit([waiting.posted for waiting in batch])
        except Exception as fault:  # noqa: BLE001 - whatever it was, every sender gets an answer
            await self._one_by_one(batch, fault)
            return
        for waiting, done in zip(batch, accepted, strict=True):
            if not waiting.done.done():
                waiting.done.set_result(done)
        if written is not None and (written.due or written.syncs):
            self._world.wake()

    async def _one_by_one(self, batch: list[_Waiting], fault: Exception) -> None:
        """One bad request must not fail the others; a database that is away fails all at once."""
        away = isinstance(fault, OSError) or (  # a TimeoutError is an OSError
            isinstance(fault, DBAPIError) and fault.connection_invalidated
        )
        if len(batch) > 1 and not away:
            for waiting in batch:
                await self._flush([waiting])
            return
        log.error("intake not stored", fault=type(fault).__name__, requests=len(batch))
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_exception(Unstored(type(fault).__name__))

    async def _commit(self, posted: list[Posted]) -> tuple[list[Accepted], Written | None]:
        world = self._world
        sure = False
        for left in reversed(range(_RACES)):
            numbers = await self._numbers.take(posted, sure=sure)
            try:
                async with world.database.transaction() as connection:
                    done = await accept(connection, posted, numbers, world.clock.now())
            except KeyTaken:
                if not left:
                    raise
            except NumbersUsedUpError:
                if sure:
                    raise
                sure = True
            else:
                self._numbers.learn(done[0])
                return done
        raise AssertionError("the last race returns or raises")


_LAST_COMMITS = 1.0
"""Seconds that an intake which stops waits for its commits; its senders have waited already."""

_RACES = 5
"""How often a batch is run because another process opened the same key first."""
