"""A promise to a source is due: read the object, write what is still wanted, remember it."""

import asyncio
import random
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from tocsin.actions.sync.leases import last_words
from tocsin.actions.sync.sources import NotOpenedError, Sources, broken
from tocsin.actions.sync.storing import store_written, with_written
from tocsin.actions.world import World
from tocsin.core.notation import mapping, optional_text
from tocsin.core.notification import retry_at
from tocsin.core.reconcile import Remote, Seen, Wanted, WriteBack, wanted
from tocsin.ports import Failed, FailureKind, SourceError, Wrote
from tocsin.store import remotes
from tocsin.store.alerts import KeyTaken
from tocsin.store.connectors import Connector, connector
from tocsin.store.outbox import DueWrites, claim_writes, settle_writes
from tocsin.store.remotes import Known

log = structlog.get_logger()


async def writes_due(world: World, limit: int = 20) -> tuple[DueWrites, ...]:
    """Lease what is to be told to sources now, all of one object together."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        return await claim_writes(connection, now, limit, world.clock)


async def write(world: World, sources: Sources, due: DueWrites) -> None:
    """Tell a source about one object. What fails stays visible and is tried again.

    When it is cancelled, the lease is given back, so that another process goes on at once.
    """
    deciding = _Deciding(due)
    try:
        async with world.worker_database.transaction() as connection:
            row = await connector(connection, due.team, due.connector)
            known = await remotes.known(connection, due.team, due.connector, [due.key])
        outcome = await _write(sources, row, due, deciding, known.get(due.key))
        if row is not None and isinstance(outcome, Wrote):
            await _settle_written(world, row, due, outcome, deciding.last)
        elif isinstance(outcome, Failed):
            log.warning("write failed", connector=due.connector, key=due.key, reason=outcome.reason)
            await _settle_failed(world, due, outcome, deciding.last)
    except asyncio.CancelledError:
        await last_words(_settle_failed(world, due, _STOPPED, deciding.last, at_once=True))
        raise


_STOPPED = Failed(
    kind=FailureKind.TEMPORARY,
    reason="the process was stopped while it was written; it is tried again",
    maybe_applied=True,
)


async def _write(
    sources: Sources,
    row: Connector | None,
    due: DueWrites,
    deciding: "_Deciding",
    known: Known | None,
) -> Wrote | Failed:
    """What the source answers; whatever it raises is a failure too."""
    try:
        async with sources.open(row) as opened:
            deciding.rules = write_back(opened.row)
            deciding.seen = known.seen if known else None
            return await opened.source.write(due.key, deciding.decide, due.lease, opened.budget)
    except (NotOpenedError, SourceError) as error:
        return error.failed
    except Exception as fault:
        log.exception("write failed", connector=due.connector, key=due.key)
        return Failed(kind=FailureKind.TEMPORARY, reason=broken(fault), maybe_applied=True)


def write_back(row: Connector) -> WriteBack:
    """The connector's `write_back` block."""
    block = mapping(row.settings.get("write_back"))
    close = mapping(block.get("close"))
    return WriteBack(
        label=optional_text(block.get("label")),
        assign_owner=block.get("assign_owner") is not False,
        comments=block.get("comments") is not False,
        close_classification=optional_text(close.get("classification")),
        close_comment=optional_text(close.get("comment")),
    )


class _Deciding:
    """Decides anew at each read, and remembers what was decided last."""

    def __init__(self, due: DueWrites) -> None:
        self._due = due
        self.rules = WriteBack()
        self.seen: Seen | None = None
        self.last: Wanted | None = None

    def decide(self, remote: Remote) -> Wanted:
        self.last = wanted(remote, self._due.intents, self.rules, self.seen)
        return self.last


async def _settle_written(
    world: World, row: Connector, due: DueWrites, outcome: Wrote, wrote: Wanted | None
) -> None:
    """Everything about the object is locked before its writes, as a claim does it.

    When the lease was lost, what was read back is discarded: the new holder reads for itself.
    """
    for left in reversed(range(3)):
        now = world.clock.now()
        try:
            async with world.worker_database.transaction() as connection:
                known = await remotes.known(connection, due.team, due.connector, [due.key])
                if not await settle_writes(
                    connection, due, state="written", detail=None, again_at=None, now=now
                ):
                    log.warning("write ended after its lease was lost", connector=row.name)
                    return
                for one in known.values():
                    await store_written(
                        connection, row, one, outcome.remote, wrote or Wanted(), now
                    )
            break
        except KeyTaken:
            if not left:
                raise
    world.wake()


async def _settle_failed(
    world: World,
    due: DueWrites,
    failed: Failed,
    maybe: Wanted | None,
    *,
    at_once: bool = False,
) -> None:
    """Permanent failures end; all others come again.

    What may have been applied is remembered, so that the next poll does not take our own change
    for somebody else's.
    """
    now = world.clock.now()
    final = failed.kind is FailureKind.PERMANENT
    again = now if at_once else _again_at(due.tries, failed.retry_after, now)
    async with world.worker_database.transaction() as connection:
        known = await remotes.known(connection, due.team, due.connector, [due.key])
        settled = await settle_writes(
            connection,
            due,
            state="failed" if final else "pending",
            detail=failed.reason,
            again_at=None if final else again,
            now=now,
        )
        if settled and failed.maybe_applied and maybe is not None:
            sent = [replace(one, seen=with_written(one.seen, maybe)) for one in known.values()]
            await remotes.store_seen(connection, due.team, due.connector, sent)


def _again_at(tries: int, retry_after: timedelta | None, now: datetime) -> datetime:
    """As the core says; those that wait for the same window do not come all at once."""
    again = retry_at(tries, retry_after, now)
    return again + (again - now) * _jitter.uniform(0, 0.25) if retry_after else again


_jitter = random.SystemRandom()
