"""A promise to a sink is due: hand over what happened, and forget it once the sink has it."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import structlog

from tocsin.actions import shown
from tocsin.actions.sync import NotOpenedError, Sources, broken, last_words
from tocsin.actions.world import World
from tocsin.core import ids
from tocsin.core.alert import Alert
from tocsin.core.notification import retry_at
from tocsin.ports import Failed, FailureKind, Published, Sent, Sink
from tocsin.store import alerts
from tocsin.store.connectors import Connector, connector
from tocsin.store.names import names_of
from tocsin.store.outbox import (
    DuePublications,
    Publication,
    claim_publications,
    published,
    put_off,
)

log = structlog.get_logger()

_STOPPED = "the process was stopped while it was handed over; it is handed over again"


async def publications_due(world: World) -> tuple[DuePublications, ...]:
    """Lease what sinks are to be told now, some hundred events of a connector together."""
    async with world.worker_database.transaction() as connection:
        return await claim_publications(connection, world.clock.now(), world.clock)


async def publish(world: World, sources: Sources, due: DuePublications) -> None:
    """Hand events over. What fails is tried again, later and later; nothing waits for it.

    When it is cancelled, the lease is given back, so that another process goes on at once.
    """
    try:
        async with world.worker_database.transaction() as connection:
            row = await connector(connection, due.team, due.connector)
            found = await alerts.get_many(connection, {(due.team, e.alert) for e in due.events})
            users = {user for alert in found.values() for user in shown.users_of(alert)}
            teams, names = await names_of(connection, [due.team], users)
        team = teams.get(due.team, "")
        events = [_told(event, found, team, names, due.team) for event in due.events]
        outcome = await _handed_over(sources, row, due, events)
        await _settle(world, due, outcome)
    except asyncio.CancelledError:
        await last_words(_put_off(world, due, _STOPPED, world.clock.now()))
        raise


async def _handed_over(
    sources: Sources, row: Connector | None, due: DuePublications, events: list[Published]
) -> Sent | Failed:
    """What the sink answers; whatever it raises is a failure too."""
    try:
        async with sources.open(row) as opened:
            if not isinstance(opened.source, Sink):
                return Sent(detail="this source takes no events")
            return await opened.source.publish(events, due.lease, opened.budget)
    except NotOpenedError as error:
        return error.failed
    except Exception as fault:
        log.exception("publishing failed", connector=due.connector)
        return Failed(kind=FailureKind.TEMPORARY, reason=broken(fault), maybe_applied=True)


async def _settle(world: World, due: DuePublications, outcome: Sent | Failed) -> None:
    """No failure is final here: what is put right within days loses nothing (`upkeep` drops)."""
    now = world.clock.now()
    if isinstance(outcome, Sent):
        async with world.worker_database.transaction() as connection:
            await published(connection, due)
        return
    log.warning("events were not published", connector=due.connector, reason=outcome.reason)
    await _put_off(world, due, outcome.reason, retry_at(due.tries, outcome.retry_after, now))


async def _put_off(world: World, due: DuePublications, reason: str, again: datetime) -> None:
    async with world.worker_database.transaction() as connection:
        await put_off(connection, due, reason, again)


def _told(
    event: Publication,
    found: Mapping[UUID, Alert],
    team: str,
    names: Mapping[int, str],
    number: int,
) -> Published:
    """The alert as it is now, in the state that it had then."""
    alert = found.get(event.alert)
    body = {} if alert is None else shown.alert_object(alert, team, names)
    return Published(
        id=str(event.id),
        kind=event.kind,
        at=event.at,
        team=team,
        severity=event.severity,
        alert={
            **body,
            "id": ids.encode(number, event.alert),
            "severity": event.severity.value,
            "status": event.status,
        },
        by=event.by,
        detail=event.data,
        channel=event.channel,
        delivery=event.delivery,
        attempt=event.attempt,
        correlation=ids.encode(number, event.notification) if event.notification else None,
    )
