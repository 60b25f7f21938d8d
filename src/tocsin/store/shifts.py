"""Shifts worked out ahead of time, duty taken by hand, who is on duty at a moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tocsin.core.schedule import ByOverride, Why, shifts
from tocsin.store.db import Connection, Row, rows, run
from tocsin.store.schedules import schedules_of_team

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


async def materialise(connection: Connection, team: int, now: datetime) -> int:
    """Bring the stored shifts of a team to what its schedules say from `now` on.

    The past stays as it was: a shift that runs keeps its beginning, and ends at `now` when the
    schedules no longer have it. Returns how many rows were written.
    """
    # two processes at once would both add what is missing
    await rows(connection, "SELECT id FROM team WHERE id = $1 FOR NO KEY UPDATE", team)
    wanted = await _wanted(connection, team, now)
    stored = await rows(
        connection,
        "SELECT id, schedule_id, tier, user_id, during, why FROM shift"
        " WHERE team_id = $1 AND upper(during) > $2",
        team,
        now,
    )
    gone: list[int] = []
    moved: dict[int, datetime] = {}
    for row in stored:
        during: Any = row["during"]
        who = (row["schedule_id"], row["tier"], row["user_id"], row["why"])
        ends = wanted.pop((*who, max(during.lower, now)), None)
        if ends is None and during.lower >= now:
            gone.append(row["id"])
        elif ends != during.upper:
            moved[row["id"]] = ends or now
    return (
        await _move(connection, team, moved)
        + await _delete(connection, team, gone)
        + await _insert(connection, team, wanted)
    )


async def _move(connection: Connection, team: int, ends: Mapping[int, datetime]) -> int:
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
    return await run(
        connection,
        "DELETE FROM shift WHERE team_id = $1 AND id = ANY($2::bigint[])",
        team,
        list(gone),
    )


async def duties(connection: Connection, teams: Iterable[int], at: datetime) -> list[OnDuty]:
    """Who is on duty at `at`, by shift or punched in, in the order of tiers and schedules."""
    found = await rows(connection, _DUTIES, list(teams), at)
    return [_duty(row) for row in found]


_DUTIES = """
SELECT d.team_id, t.name AS team_name, d.tier, d.user_id, u.name AS user_name, d.during, d.why
FROM (
  SELECT s.team_id, s.tier, s.user_id, s.during, s.why, c.position, s.id FROM shift s
  LEFT JOIN schedule c ON c.team_id = s.team_id AND c.id = s.schedule_id
  WHERE s.team_id = ANY($1::int[]) AND s.during @> $2::timestamptz
  UNION ALL
  SELECT p.team_id, p.tier, p.user_id, p.during, 'punched in', 1000000, p.id FROM punch p
  WHERE p.team_id = ANY($1::int[]) AND p.during @> $2::timestamptz
) d
JOIN team t ON t.id = d.team_id
JOIN app_user u ON u.id = d.user_id AND u.active
ORDER BY t.name, d.tier, d.position, d.id
"""


async def punch_in(
    connection: Connection,
    team: int,
    user: int,
    tier: str,
    *,
    now: datetime,
    until: datetime | None,
    by: str,
) -> None:
    """Put somebody on duty by hand; a punch-in of the same person and tier ends before."""
    await punch_out(connection, team, user, tier=tier, now=now)
    await punch_later(connection, team, user, tier, (now, until), by)


async def punch_later(
    connection: Connection,
    team: int,
    user: int,
    tier: str,
    span: tuple[datetime, datetime | None],
    by: str,
) -> None:
    """Put somebody on duty by hand over a time that is still to come."""
    await run(
        connection,
        "INSERT INTO punch (team_id, user_id, tier, during, by_name)"
        " VALUES ($1, $2, $3, tstzrange($4, $5), $6)",
        team,
        user,
        tier,
        *span,
        by,
    )


async def punch_out(
    connection: Connection, team: int, user: int, *, tier: str | None, now: datetime
) -> int:
    """End somebody's duty by hand; returns how many punch-ins ended."""
    return await run(
        connection,
        "UPDATE punch SET during = tstzrange(lower(during), greatest(lower(during), $4))"
        " WHERE team_id = $1 AND user_id = $2 AND ($3::text IS NULL OR tier = $3)"
        " AND during @> $4::timestamptz",
        team,
        user,
        tier,
        now,
    )


async def leave_shifts(
    connection: Connection,
    team: int,
    user: int,
    *,
    tier: str | None,
    now: datetime,
    until: datetime | None,
    by: str,
) -> int:
    """Take somebody off the shifts that run, by overrides that leave a hole.

    Each lasts until `until`, at most to the shift's end. Returns how many were left.
    """
    left = await run(connection, _LEAVE, team, user, tier, now, until, by)
    if left:
        await materialise(connection, team, now)
    return left


_LEAVE = """
INSERT INTO schedule_override (team_id, schedule_id, body, changed_by, changed_at)
SELECT s.team_id, s.schedule_id, jsonb_build_object(
    'replaces', u.name,
    'from', to_char($4::timestamptz, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'to', to_char(least(upper(s.during), $5::timestamptz), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
  $6, $4
FROM shift s JOIN app_user u ON u.id = s.user_id
WHERE s.team_id = $1 AND s.user_id = $2 AND ($3::text IS NULL OR s.tier = $3)
  AND s.during @> $4::timestamptz
"""


def why_of(why: Why) -> str:
    """The reason of a shift as it is shown."""
    if isinstance(why, ByOverride):
        return "override"
    return f"rotation {why.rotation}"


_Wanted = dict[tuple[int, str, int, str, datetime], datetime]
"""Schedule, tier, user, reason and beginning, with the end."""


async def _wanted(connection: Connection, team: int, now: datetime) -> _Wanted:
    found = await schedules_of_team(connection, team)
    lines = {
        number: (schedule, shifts(schedule, now, now + HORIZON).shifts)
        for number, schedule in found.items()
    }
    names = {shift.user for _, line in lines.values() for shift in line}
    users = await _user_ids(connection, names)
    return {
        (number, schedule.tier, users[shift.user], why_of(shift.why), shift.from_): shift.to
        for number, (schedule, line) in lines.items()
        for shift in line
        if shift.user in users
    }


async def _insert(connection: Connection, team: int, wanted: _Wanted) -> int:
    return await run(
        connection,
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, why, during)"
        " SELECT $1, w.schedule, w.tier, w.person, w.why, tstzrange(w.begins, w.ends)"
        " FROM unnest($2::int[], $3::text[], $4::int[], $5::text[], $6::timestamptz[],"
        " $7::timestamptz[]) AS w(schedule, tier, person, why, begins, ends)",
        team,
        *([key[part] for key in wanted] for part in range(5)),
        list(wanted.values()),
    )


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
