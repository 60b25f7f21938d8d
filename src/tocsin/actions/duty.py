"""Duty changes: who is on duty, punched in and out by hand."""

from collections.abc import Iterable
from datetime import datetime

from tocsin.actions.world import World
from tocsin.store import punches, shifts, standing
from tocsin.store.db import Connection
from tocsin.store.shifts import OnDuty


async def on_duty(world: World, teams: Iterable[int], at: datetime | None = None) -> list[OnDuty]:
    """Who is on duty in these teams (ids) at `at`, else now, in the order of tiers.

    Each until their duty in the tier has a break, over shifts that follow each other.
    """
    async with world.database.transaction() as connection:
        return await duties_at(connection, teams, at or world.clock.now())


async def punch_in(
    world: World, team: int, user: int, *, tier: str, until: datetime | None, by: str
) -> list[OnDuty]:
    """Put somebody on duty by hand; answers who is on duty then.

    Somebody who is punched in there until the same time stays as they are, and nobody is told.
    Raises `ValueError` when `until` is not in the future.
    """
    now = world.clock.now()
    if until is not None and until <= now:
        raise ValueError("`until` lies in the past")
    async with world.database.transaction() as connection:
        before = await duties_at(connection, [team], now)
        if any(
            (duty.user, duty.tier, duty.until, duty.why) == (user, tier, until, "punched in")
            for duty in before
        ):
            return before
        await punches.punch_in(connection, team, user, tier, now=now, until=until, by=by)
        found = await duties_at(connection, [team], now)
    await _tell(world)
    return found


async def punch_out(
    world: World, team: int, user: int, *, tier: str | None, until: datetime | None, by: str
) -> list[OnDuty]:
    """End somebody's duty by hand; answers who is on duty then.

    Who is on duty by a shift is off it until `until`, else until the shift's end: an override
    leaves the hole, and can be removed again. Raises `ValueError` as `punch_in`.
    """
    now = world.clock.now()
    if until is not None and until <= now:
        raise ValueError("`until` lies in the past")
    async with world.database.transaction() as connection:
        await punches.punch_out(connection, team, user, tier=tier, now=now)
        await shifts.leave_shifts(connection, team, user, tier=tier, now=now, until=until, by=by)
        found = await duties_at(connection, [team], now)
    await _tell(world)
    return found


async def duties_at(connection: Connection, teams: Iterable[int], at: datetime) -> list[OnDuty]:
    """The same as `on_duty` within a transaction."""
    found = await shifts.duties(connection, teams, at)
    return await standing.overdue(connection, await standing.unbroken(connection, found, at), at)


async def _tell(world: World) -> None:
    await world.database.notify()
    world.wake()
