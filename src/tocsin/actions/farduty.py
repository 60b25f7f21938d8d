"""Who will be on duty at a time for which no shifts are stored yet."""

import asyncio
from datetime import datetime, timedelta

from tocsin.actions.world import World
from tocsin.core.schedule import on_duty, told
from tocsin.store.names import active_users, team_names
from tocsin.store.schedules import schedules_of_team
from tocsin.store.shifts import OnDuty

_REACH = timedelta(days=401)
"""A little more than a shift is followed."""


async def planned_duty(world: World, team: int, at: datetime) -> list[OnDuty]:
    """What the schedules of a team (id) say of `at` as they are now, in the order of tiers.

    Raises `ValueError` for a time for which schedules are not worked out.
    """
    async with world.database.transaction() as connection:
        schedules = await schedules_of_team(connection, team, at - _REACH, at + _REACH)
        name = (await team_names(connection, [team])).get(team, "")
    # In a thread: it may take a while, in which somebody may have to be paged.
    found = [(one, await asyncio.to_thread(on_duty, one, at)) for one in schedules.values()]
    async with world.database.transaction() as connection:
        people = await active_users(connection, {shift.user for _, some in found for shift in some})
    duties = [
        OnDuty(
            team=team,
            team_name=name,
            tier=schedule.tier,
            user=people[shift.user],
            user_name=shift.user,
            since=shift.from_,
            until=shift.to,
            why=told(shift.why),
        )
        for schedule, some in found
        for shift in some
        if shift.user in people
    ]
    return sorted(duties, key=lambda duty: duty.tier)
