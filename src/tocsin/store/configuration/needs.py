"""Who or what would be left alone when a configured object goes."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from tocsin.core.localtime import instant
from tocsin.core.notation import moment
from tocsin.store.configuration.objects import Held, Holdings, Key, Kind
from tocsin.store.db import Connection, Row, rows, run

_ON_DUTY = "SELECT DISTINCT u.name FROM ({duty}) d JOIN app_user u ON u.id = d.user_id"
_TEAM_DUTY = _ON_DUTY.format(
    duty="SELECT user_id FROM shift WHERE team_id = $1 AND during @> $2::timestamptz"
    " UNION SELECT user_id FROM punch WHERE team_id = $1 AND during @> $2::timestamptz"
)
_SCHEDULE_DUTY = _ON_DUTY.format(
    duty="SELECT user_id FROM shift WHERE team_id = $1 AND schedule_id = $3"
    " AND during @> $2::timestamptz"
)
_USER_DUTY = (
    "SELECT t.name FROM (SELECT team_id FROM shift WHERE user_id = $1 AND during @> $2::timestamptz"
    " UNION SELECT team_id FROM punch WHERE user_id = $1 AND during @> $2::timestamptz) d"
    " JOIN team t ON t.id = d.team_id"
)
_ALERTS = (
    "SELECT number FROM alert WHERE team_id = $1 AND status <> 'closed'{where} ORDER BY number"
)
_OWNED = "SELECT number FROM alert WHERE owner_id = $1 AND status <> 'closed' ORDER BY number"
_PAGES = (
    "SELECT count(*) AS number FROM notification WHERE {column} = $1 AND next_try_at IS NOT NULL"
)


async def dependents(
    connection: Connection, held: Held, holdings: Holdings, now: datetime, policy: str | None = None
) -> list[str]:
    """Who is on duty by this object, which alerts and pages need it; empty where nothing does.

    `policy` is the digest of an escalation policy.
    """
    match held.key.kind:
        case Kind.TEAM:
            duty = await rows(connection, _TEAM_DUTY, held.id, now)
            alerts = await rows(connection, _ALERTS.format(where=""), held.id)
            return [*_on_duty(duty), *_open(alerts)]
        case Kind.USER:
            teams = await rows(connection, _USER_DUTY, held.id, now)
            alerts = await rows(connection, _OWNED, held.id)
            pages = await rows(connection, _PAGES.format(column="user_id"), held.id)
            duty_lines = [f"on duty in {row['name']}" for row in teams]
            return [*duty_lines, *_open(alerts), *_pending(pages)]
        case Kind.METHOD:
            return _pending(await rows(connection, _PAGES.format(column="method_id"), held.id))
        case Kind.SCHEDULE:
            return _on_duty(await rows(connection, _SCHEDULE_DUTY, held.team, now, held.id))
        case Kind.OVERRIDE:
            return ["it is in force now"] if _in_force(held, holdings, now) else []
        case Kind.POLICY:
            where = " AND policy = $2"
            return _open(await rows(connection, _ALERTS.format(where=where), held.team, policy))
        case Kind.CATEGORY:
            where, name = " AND category = $2", held.key.names[-1]
            return _open(await rows(connection, _ALERTS.format(where=where), held.team, name))
        case Kind.INTEGRATION:
            where = " AND integration_id = $2"
            return _open(await rows(connection, _ALERTS.format(where=where), held.team, held.id))
        case Kind.CONNECTOR:
            where = " AND connector_id = $2"
            return _open(await rows(connection, _ALERTS.format(where=where), held.team, held.id))
        case Kind.RULE | Kind.MAINTENANCE | Kind.SETTING | Kind.STORED:
            return []
        case _:
            assert_never(held.key.kind)


async def quiet(connection: Connection, team: int) -> None:
    """End what runs for a team that is removed, visibly: its alerts stay, and page nobody."""
    await run(
        connection,
        "UPDATE alert SET next_step_at = NULL, suppressed = 'the team was removed'"
        " WHERE team_id = $1 AND status <> 'closed'",
        team,
    )
    for table in ("notification", "remote_write"):
        await run(
            connection,
            f"UPDATE {table} SET next_try_at = NULL, state = 'cancelled',"  # noqa: S608 - two words
            " detail = 'the team was removed' WHERE team_id = $1 AND next_try_at IS NOT NULL",
            team,
        )
    for table in ("shift", "punch", "publication"):
        await run(
            connection,
            f"DELETE FROM {table} WHERE team_id = $1",  # noqa: S608 - two words
            team,
        )


def _in_force(held: Held, holdings: Holdings, now: datetime) -> bool:
    team = holdings.objects[Key(Kind.TEAM, (held.key.owner,))]
    zone = str(team.body.get("time_zone"))
    begin, end = (moment(str(held.body[key])) for key in ("from", "to"))
    return instant(begin, zone) <= now < instant(end, zone)


def _on_duty(found: Sequence[Row]) -> list[str]:
    return [f"{row['name']} is on duty" for row in found]


def _open(found: Sequence[Row]) -> list[str]:
    if not found:
        return []
    numbers = ", ".join(str(row["number"]) for row in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return [f"open alert {numbers}{more}"]


def _pending(found: Sequence[Row]) -> list[str]:
    count = found[0]["number"]
    if count == 1:
        return ["1 page is on its way"]
    return [f"{count} pages are on their way"] if count else []
