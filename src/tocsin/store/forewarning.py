"""What a team's schedulers are to know ahead of time, and what they were told of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from tocsin.core.notation import duration, mapping
from tocsin.core.uncovered import Punched
from tocsin.store.db import Connection, Row, rows, run

AHEAD = timedelta(hours=48)
"""How far ahead schedulers are told, unless the team says."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a team wants to be told ahead, as its `notices` say."""

    name: str
    zone: str
    gaps: bool
    unreachable: bool
    ahead: timedelta


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of a time that is not over: a tier's gap, or a person who is unreachable."""

    subject: str
    from_: datetime
    to: datetime


async def wishes(connection: Connection) -> dict[int, Wishes]:
    """What each team wants to be told; those that want nothing are left out."""
    found = await rows(
        connection, "SELECT id, name, time_zone, body->'notices' AS body FROM team ORDER BY id"
    )
    every = {row["id"]: _wishes(row) for row in found}
    return {team: wish for team, wish in every.items() if wish.gaps or wish.unreachable}


async def version(connection: Connection, team: int) -> int:
    """How often that changed which the team's duty is made from; 0 for a team that is gone."""
    found = await rows(connection, "SELECT version FROM team WHERE id = $1", team)
    return int(found[0]["version"]) if found else 0


async def schedulers(connection: Connection, team: int) -> list[int]:
    """Who is told: the team's schedulers and admins, else the admins of the installation."""
    found = await rows(
        connection,
        "SELECT u.id, m.user_id IS NOT NULL AND coalesce(m.role, u.role)"
        " IN ('scheduler', 'team_admin', 'admin') AS own, u.role = 'admin' AS admin FROM app_user u"
        " LEFT JOIN membership m ON m.user_id = u.id AND m.team_id = $1"
        " WHERE u.active AND (m.user_id IS NOT NULL OR u.role = 'admin') ORDER BY u.id",
        team,
    )
    own = [row["id"] for row in found if row["own"]]
    return own or [row["id"] for row in found if row["admin"]]


async def punched(
    connection: Connection, team: int, from_: datetime, to: datetime
) -> list[Punched]:
    """Duty by hand within a time, cut to it."""
    found = await rows(
        connection,
        "SELECT tier, greatest(lower(during), $2) AS begins, least(upper(during), $3) AS ends"
        " FROM punch WHERE team_id = $1 AND during && tstzrange($2, $3)",
        team,
        from_,
        to,
    )
    return [Punched(row["tier"], row["begins"], row["ends"] or to) for row in found]


async def told_of(connection: Connection, team: int, kind: str, now: datetime) -> list[Told]:
    """What was said of times that are not over."""
    found = await rows(
        connection,
        "SELECT subject, begins_at, ends_at FROM told"
        " WHERE team_id = $1 AND kind = $2 AND ends_at > $3 ORDER BY begins_at, subject",
        team,
        kind,
        now,
    )
    return [Told(row["subject"], row["begins_at"], row["ends_at"]) for row in found]


async def prolong(connection: Connection, team: int, kind: str, one: Told, to: datetime) -> None:
    """The time that something was said of lasts until `to` at least."""
    await run(
        connection,
        "UPDATE told SET ends_at = $5 WHERE team_id = $1 AND kind = $2 AND subject = $3"
        " AND begins_at = $4 AND ends_at < $5",
        team,
        kind,
        one.subject,
        one.from_,
        to,
    )


async def take_back(connection: Connection, team: int, kind: str, one: Told) -> None:
    """Forget that something was said, so that it is said again when it comes again."""
    await run(
        connection,
        "DELETE FROM told WHERE team_id = $1 AND kind = $2 AND subject = $3 AND begins_at = $4",
        team,
        kind,
        one.subject,
        one.from_,
    )


def _wishes(row: Row) -> Wishes:
    body = mapping(msgspec.json.decode(row["body"] or "{}"))
    ahead = body.get("ahead")
    return Wishes(
        row["name"],
        row["time_zone"],
        gaps=body.get("gaps") is not False,
        unreachable=body.get("unreachable") is not False,
        ahead=AHEAD if ahead is None else duration(str(ahead)),
    )
