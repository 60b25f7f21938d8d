"""How the leases of polls and writes are held, renewed, given back."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from tocsin.ports import Clock, Lease
from tocsin.store.db import Connection
from tocsin.store.outbox import DuePoll, renew_poll

log = structlog.get_logger()


class LeaseLost(Exception):  # noqa: N818 - a state to stop in, not a fault
    """Another process reads this connector now; what this one holds is not stored."""


async def renewed(connection: Connection, due: DuePoll) -> DuePoll:
    """The poll with its lease renewed when `connection` commits. Raises `LeaseLost`."""
    lease = await renew_poll(connection, due)
    if lease is None:
        raise LeaseLost
    return replace(due, lease=lease)


async def last_words(work: Coroutine[None, None, None]) -> None:
    """Do `work` in a task that was cancelled, though not for long, whatever comes of it.

    A database that hangs is not waited for: then the lease runs out by itself.
    """
    task = asyncio.create_task(work)
    await asyncio.wait({task}, timeout=_LAST_WORDS)
    if task.cancel() or task.cancelled():
        return
    if (fault := task.exception()) is not None:
        log.info("a lease was not given back; it runs out by itself", fault=repr(fault))


_LAST_WORDS = 2.0


class Renewed:
    """What a source is handed while its pages renew the lease in `due`."""

    def __init__(self, due: DuePoll) -> None:
        self.due = due

    @property
    def number(self) -> int:
        """Of the claim, the same in every renewal."""
        return self.due.lease.number

    def remaining(self) -> timedelta:
        """Time left of the last renewal."""
        return self.due.lease.remaining()


class Shortened:
    """A lease of which only the time until `end` may be used."""

    def __init__(self, lease: Lease, end: datetime, clock: Clock) -> None:
        self._lease = lease
        self._end = end
        self._clock = clock

    @property
    def number(self) -> int:
        """Of the whole lease."""
        return self._lease.number

    def remaining(self) -> timedelta:
        """Time left of both."""
        return min(self._lease.remaining(), self._end - self._clock.now())
