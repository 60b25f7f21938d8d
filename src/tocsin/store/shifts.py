"""Shifts worked out ahead of time, duty taken by hand, who is on duty at a moment."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tocsin.core.schedule import Schedule, Shift, rewriting, shifts, told
from tocsin.store import holidays
from tocsin.store.db import Connection, Row, rows, run
from tocsin.store.schedules import schedule_rows, schedules_of_team

HORIZON = timedelta(days=90)
"""How far ahead shifts are worked out; the upkeep does it anew every day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Somebody on duty: in which tier, until when (None: until punched out), and by what.

    `overdue`: still punched in without an end when their planned duty is over.
    """

    team: int
    team_name: str
    tier: str
    user: int
    user_name: str
    since: datetime
    until: datetime | None
    why: str
    overdue: bool = False


async def materialise(
    connection: Connection, team: int, now: datetime, only: Sequence[int] | None = None
) -> int:
    """Bring the stored shifts of a team to what its schedules say from `now` on.

    The past stays as it was: a shift that runs keeps its beginning, and ends at `now` when the
    schedules no longer have it. Others of this process run in between. With `only` some of the
    schedules (rows) are worked out. Returns how many rows were written.
    """
    await hold(connection, team)  # two processes at once would both add what is missing
    await holidays.keep_country(connection, team, now, HORIZON)
    every = await schedule_rows(connection, team)
    written = await _rewrite(connection, team, every, {}, now, others=True)
    found = await schedules_of_team(connection, team, now, now + HORIZON, only)
    some: list[int] = []
    wanted: _Wanted = {}
    for number, schedule in found.items():
        some.append(number)
        for shift in await _ahead(schedule, now):
            who = (number, schedule.tier, shift.user, told(shift.why))
            wanted[who, shift.from_] = shift.to
        await asyncio.sleep(0)  # somebody may have to be paged
        if len(wanted) > _AT_ONCE:
            written += await _rewrite(connection, team, some, wanted, now)
            some, wanted = [], {}
    return written + await _rewrite(connection, team, some, wanted, now)


async def hold(connection: Connection, team: int) -> None:
    """Let nobody else change the shifts of a team until we commit.

    It is not the team's row that is locked: new alerts take their numbers there.
    """
    await rows(connection, "SELECT pg_advisory_xact_lock($1, $2)", _LOCK, team)


_LOCK = 0x5348  # any number that no other lock of ours begins with


async def _ahead(schedule: Schedule, now: datetime) -> Sequence[Shift]:
    """Its shifts to come; where calendars say many, in a thread, since that takes a while."""
    until = now + HORIZON
    if len(schedule.imported) < _MANY:
        return shifts(schedule, now, until).shifts
    return (await asyncio.to_thread(shifts, schedule, now, until)).shifts


_MANY = 500
"""Imported shifts of a schedule above which a thread costs less than it spares."""

_Wanted = dict[tuple[tuple[int, str, str, str], datetime], datetime]
"""Schedule, tier, user, reason; beginning; with the end."""

_AT_ONCE = 1000
"""So many shifts are compared and written without letting others run."""


async def _rewrite(
    connection: Connection,
    team: int,
    schedules: Sequence[int],
    wanted: _Wanted,
    now: datetime,
    *,
    others: bool = False,
) -> int:
    """Make the stored shifts of these schedules, or of all others, what is wanted from now on.

    Names that nobody has are left out.
    """
    if not schedules and not others:
        return 0
    users = await _user_ids(connection, {who[2] for who, _ in wanted})
    known = {
        ((number, tier, users[name], why), begins): ends
        for ((number, tier, name, why), begins), ends in wanted.items()
        if name in users
    }
    stored = await rows(
        connection,
        _OTHERS if others else _THESE,
        team,
        now,
        list(schedules),
    )
    changes = rewriting(map(_recorded, stored), known, now)
    return (
        await _move(connection, team, changes.moved)
        + await _delete(connection, team, changes.gone)
        + await _insert(connection, team, changes.added)
    )


_Who = tuple[int, str, int, str]
"""Schedule, tier, user, reason."""


def _recorded(row: Row) -> tuple[int, _Who, datetime, datetime]:
    who = (row["schedule_id"], row["tier"], row["user_id"], row["why"])
    return row["id"], who, row["begins"], row["ends"]


_RECORDED = (
    "SELECT id, schedule_id, tier, user_id, lower(during) AS begins, upper(during) AS ends, why"
    " FROM shift WHERE team_id = $1 AND during && tstzrange($2, NULL) AND schedule_id "
)
_THESE, _OTHERS = _RECORDED + "= ANY($3::int[])", _RECORDED + "<> ALL($3::int[])"


async def _move(connection: Connection, team: int, ends: Mapping[int, datetime]) -> int:
    if not ends:
        return 0
    return await run(
        connection,
        "UPDATE shift SET during = tstzrange(lower(during), m.ends)"
        " FROM unnest($2::bigint[], $3::timestamptz[]) AS m(id, ends)"
        " WHERE shift.team_id = $1 AND shift.id = m.id",
        team,
        list(ends),
        list(ends.values()),
    )


async def _delete(connection: Connection, team: int, gone: Sequence[int]) -> int:
    if not gone:
        return 0
    return await run(
        connection,
        "DELETE FROM shift WHERE team_id = $1 AND id = ANY($2::bigint[])",
        team,
        list(gone),
    )


async def _insert(
    connection: Connection,
    team: int,
    added: Mapping[tuple[_Who, datetime], datetime],
) -> int:
    if not added:
        return 0
    who = [key for key, _ in added]
    return await run(
        connection,
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, why, during)"
        " SELECT $1, w.schedule, w.tier, w.person, w.why, tstzrange(w.begins, w.ends)"
        " FROM unnest($2::int[], $3::text[], $4::int[], $5::text[], $6::timestamptz[],"
        " $7::timestamptz[]) AS w(schedule, tier, person, why, begins, ends)",
        team,
        *([key[part] for key in who] for part in range(4)),
        [begins for _, begins in added],
        list(added.values()),
    )


async def duties(connection: Connection, teams: Iterable[int], at: datetime) -> list[OnDuty]:
    """Who is on duty at `at`, by shift or punched in, in the order of tiers and schedules."""
    found = await rows(connection, _DUTIES, sorted(set(teams)), at)
    return [_duty(row) for row in found]


# Team by team: the index takes one team and a moment, not a list of teams.
_DUTIES = """
SELECT d.team_id, t.name AS team_name, d.tier, d.user_id, u.name AS user_name, d.during, d.why
FROM unnest($1::int[]) AS asked(team_id), LATERAL (
  SELECT s.team_id, s.tier, s.user_id, s.during, s.why, c.position, s.id FROM shift s
  LEFT JOIN schedule c ON c.team_id = s.team_id AND c.id = s.schedule_id
  WHERE s.team_id = asked.team_id AND s.during @> $2::timestamptz
  UNION ALL
  SELECT p.team_id, p.tier, p.user_id, p.during, 'punched in', 1000000, p.id FROM punch p
  WHERE p.team_id = asked.team_id AND p.during @> $2::timestamptz
) d
JOIN team t ON t.id = d.team_id
JOIN app_user u ON u.id = d.user_id AND u.active
ORDER BY t.name, d.tier, d.position, d.id
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A stored shift of somebody that runs; `schedule` is a row."""

    schedule: int
    user_name: str
    to: datetime


async def running(
    connection: Connection, team: int, user: int, tier: str | None, now: datetime
) -> list[Running]:
    """The shifts by which somebody is on duty now, in one tier or in all."""
    found = await rows(
        connection,
        "SELECT s.schedule_id, u.name, upper(s.during) AS ends"
        " FROM shift s JOIN app_user u ON u.id = s.user_id"
        " WHERE s.team_id = $1 AND s.user_id = $2 AND ($3::text IS NULL OR s.tier = $3)"
        " AND s.during @> $4::timestamptz ORDER BY s.schedule_id, s.id",
        team,
        user,
        tier,
        now,
    )
    return [Running(row["schedule_id"], row["name"], row["ends"]) for row in found]


async def _user_ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The ids of users by name; names that nobody has are left out."""
    found = await rows(
        connection, "SELECT id, name FROM app_user WHERE name = ANY($1::text[])", list(names)
    )
    return {row["name"]: row["id"] for row in found}


def _duty(row: Row) -> OnDuty:
    during: Any = row["during"]
    return OnDuty(
        team=row["team_id"],
        team_name=row["team_name"],
        tier=row["tier"],
        user=row["user_id"],
        user_name=row["user_name"],
        since=during.lower,
        until=during.upper,
        why=row["why"],
    )
