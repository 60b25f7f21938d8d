"""Duty changes: who is on duty, punched in and out by hand."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tocsin.actions.forewarn import JOB as FOREWARN
from tocsin.actions.world import World
from tocsin.core.schedule import Override
from tocsin.core.standins import Give, Impossible, in_place
from tocsin.store import named, punches, shifts, standing
from tocsin.store.calendars import changed
from tocsin.store.db import Connection
from tocsin.store.outbox import hasten_job
from tocsin.store.overrides import add_override
from tocsin.store.schedules import schedules_of_team
from tocsin.store.shifts import OnDuty, Running


async def on_duty(world: World, teams: Iterable[int], at: datetime | None = None) -> list[OnDuty]:
    """Who is on duty in these teams (ids) at `at`, else now, in the order of tiers.

    Each until their duty in the tier has a break, over shifts that follow each other.
    """
    now = world.clock.now()
    async with world.database.transaction() as connection:
        return await duties_at(connection, teams, at or now, now)


async def punch_in(
    world: World, team: int, user: int, *, tier: str, until: datetime | None, by: str
) -> list[OnDuty] | Impossible:
    """Put somebody on duty by hand; answers who is on duty then, or why that cannot be.

    Somebody who is punched in there until the same time stays as they are, and nobody is told.
    Raises `ValueError` when `until` is not in the future.
    """
    async with world.database.transaction() as connection:
        await shifts.hold(connection, team)
        now = _ends_after(world, until)
        if not await named.may_answer(connection, team, user):
            return Impossible(
                "Who is on duty has to answer alerts, and this person may not in this team.",
                "Give them the role user there, or name somebody else.",
            )
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
) -> list[OnDuty] | Impossible:
    """End somebody's duty by hand; answers who is on duty then, or why it cannot be ended.

    Who is on duty by a shift is off it until `until`, else until the shift's end: an override
    leaves the hole, and can be removed again. Raises `ValueError` as `punch_in`.
    """
    async with world.database.transaction() as connection:
        await shifts.hold(connection, team)
        now = _ends_after(world, until)
        found = await shifts.running(connection, team, user, tier, now)
        left = await _left(connection, team, found, until, now) if found else []
        if isinstance(left, Impossible):
            return left
        await punches.punch_out(connection, team, user, tier=tier, now=now)
        for schedule, made in left:
            await add_override(connection, team, schedule, made, by, now)
        if left:
            await shifts.materialise(connection, team, now)
        after = await duties_at(connection, [team], now)
        await hasten_job(connection, FOREWARN, now)  # whoever plans hears of a hole at once
        if left:
            await changed(connection, team)  # last: it locks the row where new alerts take numbers
    await _tell(world)
    return after


def _ends_after(world: World, until: datetime | None) -> datetime:
    """The time now, read when nobody else changes duty any more."""
    now = world.clock.now()
    if until is not None and until <= now:
        raise ValueError("`until` lies in the past")
    return now


async def _left(
    connection: Connection,
    team: int,
    found: Iterable[Running],
    until: datetime | None,
    now: datetime,
) -> list[tuple[int, Override]] | Impossible:
    """The overrides that leave a hole in these shifts, each with the row of its schedule."""
    ends = {one.schedule: min(one.to, until or one.to) for one in found}
    names = {one.schedule: one.user_name for one in found}
    schedules = await schedules_of_team(connection, team, now, max(ends.values()))
    left: list[tuple[int, Override]] = []
    for row, end in ends.items():
        if row not in schedules:
            continue  # its schedule is gone, and the shift ends with the next look
        made = in_place(schedules[row], Give(row, names[row], None, now, end))
        if isinstance(made, Impossible):
            return made
        left += [(row, one) for one in made]
    return left


def known_until(now: datetime) -> datetime:
    """Up to when shifts are worked out at least."""
    return now + shifts.HORIZON - timedelta(days=1)


async def duties_at(
    connection: Connection, teams: Iterable[int], at: datetime, now: datetime | None = None
) -> list[OnDuty]:
    """The same as `on_duty` within a transaction; it is `at` unless `now` says otherwise."""
    found = await shifts.duties(connection, teams, at)
    horizon = known_until(now or at)
    lasting = await standing.unbroken(connection, found, at, horizon)
    return await standing.overdue(connection, lasting, at)


async def _tell(world: World) -> None:
    await world.database.notify()
    world.wake()
