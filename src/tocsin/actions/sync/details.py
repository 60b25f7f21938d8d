"""The parts of objects that arrived, read after they were stored and paged."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from tocsin.actions.desk import Desk
from tocsin.actions.sync.leases import Renewed, Shortened, renewed
from tocsin.actions.sync.sources import Opened, broken
from tocsin.actions.world import World
from tocsin.core.alert import Alert, Changed
from tocsin.core.changes import DetailsUpdated
from tocsin.core.kinds import Actor, Via
from tocsin.ports import Failed, FailureKind, Lease
from tocsin.store import alerts, remotes
from tocsin.store.remotes import Wanting

log = structlog.get_logger()

_AT_ONCE = 20
_SPACED = timedelta(minutes=1)
_LONGEST = timedelta(hours=1)
_MOST_TRIES = 30
"""About a day; then what is missing is written down instead."""


async def read_details(world: World, opened: Opened, held: Renewed, end: datetime) -> None:
    """Read what is due, until `end`, under the poll's lease. Raises `LeaseLost`.

    An object that cannot be read now is tried again later, and keeps no other from its turn.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        row = opened.row
        wanting = await remotes.wanting_details(connection, row.team, row.id, _AT_ONCE, now)
    for one in wanting:
        lease = Shortened(held, end, world.clock)
        if lease.remaining() <= timedelta(0):
            return
        found = await _read(opened, one.key, lease)
        if isinstance(found, Failed):
            log.info("details not read", connector=row.name, key=one.key, reason=found.reason)
        await _store(world, opened, held, one, found)


async def _read(opened: Opened, key: str, lease: Lease) -> Mapping[str, object] | Failed:
    try:
        return await opened.source.details(key, lease, opened.budget)
    except Exception as fault:
        log.exception("details not read", connector=opened.row.name, key=key)
        return Failed(kind=FailureKind.TEMPORARY, reason=broken(fault))


async def _store(
    world: World,
    opened: Opened,
    held: Renewed,
    one: Wanting,
    found: Mapping[str, object] | Failed,
) -> None:
    now = world.clock.now()
    row = opened.row
    async with world.worker_database.transaction() as connection:
        due = await renewed(connection, held.due)
        again = _again_at(found, one.tries, now) if isinstance(found, Failed) else None
        await remotes.details_read(connection, row.team, row.id, one.key, again)
        alert = await alerts.get(connection, row.team, one.alert, lock=True)
        parts: Mapping[str, object] = {}
        if alert is not None:
            parts = _shown(alert, found, again)
        if alert is not None and parts:
            by = Actor(row.name, via=Via.SOURCE)
            outcome = await Desk(connection, now).decide(
                alert, DetailsUpdated(details=parts, by=by)
            )
            if isinstance(outcome, Changed):
                await alerts.save(connection, [alerts.Saved(outcome.alert, outcome.effects)], now)
    held.due = due


def _again_at(failed: Failed, tries: int, now: datetime) -> datetime | None:
    """When to try again, None for never: an admin may put right what time does not."""
    match failed.kind:
        case FailureKind.PERMANENT:
            return None
        case FailureKind.CONFIGURATION:
            return now + max(10 * _SPACED, failed.retry_after or _SPACED)
        case FailureKind.TEMPORARY if tries + 1 >= _MOST_TRIES:
            return None
        case FailureKind.TEMPORARY:
            spaced = min(_SPACED * (1 << min(tries, 6)), _LONGEST)
            return now + max(spaced, failed.retry_after or _SPACED)


def _shown(
    alert: Alert, found: Mapping[str, object] | Failed, again: datetime | None
) -> Mapping[str, object]:
    """What the alert shows now; the reason of what only time is to put right is not shown yet."""
    if isinstance(found, Failed):
        waits = again is not None and found.kind is FailureKind.TEMPORARY
        return {} if waits else {_ERROR: found.reason}
    return {**found, _ERROR: None} if alert.details.get(_ERROR) else found


_ERROR = "details_error"
