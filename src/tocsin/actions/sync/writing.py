"""A promise to a source is due: read the object, write what is still wanted, remember it."""

from dataclasses import replace

import structlog

from tocsin.actions.sync.sources import Opened, Sources
from tocsin.actions.sync.storing import store_written, with_written
from tocsin.actions.world import World
from tocsin.core.notation import mapping, optional_text
from tocsin.core.notification import retry_at
from tocsin.core.reconcile import Remote, Seen, Wanted, WriteBack, wanted
from tocsin.ports import Failed, FailureKind, Wrote
from tocsin.store import remotes
from tocsin.store.connectors import Connector, connector
from tocsin.store.outbox import DueWrites, claim_writes, settle_writes

log = structlog.get_logger()


async def writes_due(world: World, limit: int = 20) -> tuple[DueWrites, ...]:
    """Lease what is to be told to sources now, all of one object together."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        return await claim_writes(connection, now, limit, world.clock)


async def write(world: World, sources: Sources, due: DueWrites) -> None:
    """Tell a source about one object. What fails stays visible and is tried again."""
    async with world.worker_database.transaction() as connection:
        row = await connector(connection, due.team, due.connector)
    opened = await sources.open(row) if row is not None and row.enabled else None
    if opened is None:
        reason = "the connector is gone or switched off"
        await _settle_failed(
            world, due, Failed(kind=FailureKind.CONFIGURATION, reason=reason), None
        )
        return
    async with world.worker_database.transaction() as connection:
        known = await remotes.known(connection, due.team, due.connector, [due.key])
    seen = known[due.key].seen if due.key in known else None
    deciding = _Deciding(due, write_back(opened.row), seen)
    outcome = await opened.source.write(due.key, deciding.decide, due.lease, opened.budget)
    if isinstance(outcome, Wrote):
        await _settle_written(world, opened, due, outcome, deciding.last)
    else:
        log.warning("write failed", connector=opened.row.name, reason=outcome.reason)
        await _settle_failed(world, due, outcome, deciding.last)


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

    def __init__(self, due: DueWrites, rules: WriteBack, seen: Seen | None) -> None:
        self._due = due
        self._rules = rules
        self._seen = seen
        self.last: Wanted | None = None

    def decide(self, remote: Remote) -> Wanted:
        self.last = wanted(remote, self._due.intents, self._rules, self._seen)
        return self.last


async def _settle_written(
    world: World, opened: Opened, due: DueWrites, outcome: Wrote, wrote: Wanted | None
) -> None:
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        settled = await settle_writes(
            connection, due, state="written", detail=None, again_at=None, now=now
        )
        if not settled:
            log.warning("write ended after its lease was lost", connector=opened.row.name)
        known = await remotes.known(connection, due.team, due.connector, [due.key])
        for one in known.values():
            await store_written(connection, opened.row, one, outcome.remote, wrote or Wanted(), now)
    world.wake()


async def _settle_failed(
    world: World, due: DueWrites, failed: Failed, maybe: Wanted | None
) -> None:
    """Permanent failures end; all others come again.

    What may have been applied is remembered, so that the next poll does not take our own change
    for somebody else's.
    """
    now = world.clock.now()
    final = failed.kind is FailureKind.PERMANENT
    async with world.worker_database.transaction() as connection:
        await settle_writes(
            connection,
            due,
            state="failed" if final else "pending",
            detail=failed.reason,
            again_at=None if final else retry_at(due.tries, failed.retry_after, now),
            now=now,
        )
        if failed.maybe_applied and maybe is not None:
            known = await remotes.known(connection, due.team, due.connector, [due.key])
            sent = [replace(one, seen=with_written(one.seen, maybe)) for one in known.values()]
            await remotes.store_seen(connection, due.team, due.connector, sent)
