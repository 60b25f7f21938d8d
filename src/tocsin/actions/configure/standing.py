"""An edit that keeps who is on duty: what was planned holds until the running shifts end."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from tocsin.actions.configure.difference import Act, Change
from tocsin.core.localtime import wall_clock
from tocsin.core.schedule import Kept, keep_current
from tocsin.store import schedules
from tocsin.store.configuration import Holdings, Kind
from tocsin.store.db import Connection

_REACH = timedelta(days=401)
"""A little more than a shift is followed."""

_OF_ALL = ("time_zone", "holidays")
"""The keys of a team's definition that all of its schedules depend on."""

Row = tuple[int, int]
"""A schedule by team and id."""

Planned = Mapping[Row, tuple[str, str, Kept]]
"""Name, zone and what is planned for those on duty, by schedule."""


async def planned(connection: Connection, teams: Mapping[int, str], now: datetime) -> Planned:
    """What the schedules of these teams say of those who are on duty at `now`."""
    found: dict[Row, tuple[str, str, Kept]] = {}
    for team, name in teams.items():
        every = await schedules.schedules_of_team(connection, team, now - _REACH, now + _REACH)
        for number, schedule in every.items():
            kept = keep_current(schedule, now)
            if kept is not None:
                found[team, number] = (f"{name}/{schedule.name}", schedule.time_zone, kept)
    return found


async def settle(
    connection: Connection, changes: Iterable[Change], holdings: Holdings, before: Planned
) -> list[str]:
    """Keep what was planned in the schedules that were edited; without it, what holds is dropped.

    Where only their team was edited, what holds goes on holding. Answers one line for each schedule
    whose edit waits.
    """
    told: list[str] = []
    edited = dict[Row, bool]()
    for row, itself in _edited(changes, holdings):
        edited[row] = edited.get(row, False) or itself
    for (team, number), itself in edited.items():
        name, zone, kept = before.get((team, number), ("", "", None))
        if kept is None and not itself:
            continue
        await schedules.keep(connection, team, number, kept)
        if kept is not None:
            until = f"{wall_clock(kept.to, zone):%Y-%m-%d %H:%M} ({zone})"
            people = ", ".join(dict.fromkeys(one.user for one in kept.shifts))
            told.append(f"{name}: takes effect at {until}; until then as planned: {people}")
    return told


def _edited(changes: Iterable[Change], holdings: Holdings) -> Iterator[tuple[Row, bool]]:
    """Schedules whose shifts an edit may alter, and whether they were edited themselves."""
    for change in changes:
        held, wanted = change.held, change.wanted
        if change.act is not Act.CHANGE or held is None or wanted is None:
            continue
        if held.key.kind is Kind.SCHEDULE and held.team is not None:
            yield (held.team, held.id), True
        if held.key.kind is Kind.TEAM and any(
            held.body.get(key) != wanted.body.get(key) for key in _OF_ALL
        ):
            yield from (
                ((held.id, number), False)
                for names, number in holdings.schedules.items()
                if names[0] == held.key.owner
            )
