"""Holds what was sent against what should have been, alert by alert, and tells what was broken."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from tocsin.actions.world import World
from tocsin.core.verifying import Broken, broken_promises, judged
from tocsin.store import verifying
from tocsin.store.outbox import PAGE_LEASE

BATCH = 50
"""Alerts read at a time: each may have thousands of pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A promise that was not kept, and about which alert."""

    team: str
    time_zone: str
    number: int
    broken: Broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What one batch came to; `unjudged` are alerts over which the clock was set back."""

    alerts: int
    unjudged: int
    notifications: int
    found: tuple[Found, ...]


async def verify(world: World, since: datetime, batch: int = BATCH) -> AsyncGenerator[Verified]:
    """Every alert that was changed since then or is open, in batches; writes nothing."""
    async with world.database.transaction() as connection:
        teams = await verifying.team_names(connection)
    after = verifying.START
    while True:
        now = world.clock.now()
        async with world.database.transaction() as connection:
            read = await verifying.histories(connection, after, since, batch)
        if not read:
            return
        found: list[Found] = []
        for history in read:
            alert = history.alert
            team = teams.get(alert.team)
            if team is None:  # removed, and its pages were cancelled with it
                continue
            found += (
                Found(team=team.name, time_zone=team.time_zone, number=alert.number, broken=one)
                for one in broken_promises(history, now, PAGE_LEASE)
            )
        yield Verified(
            alerts=len(read),
            unjudged=sum(not judged(history) for history in read),
            notifications=sum(len(history.notifications) for history in read),
            found=tuple(found),
        )
        after = (read[-1].alert.team, read[-1].alert.id)
