"""Reads all that was written about alerts, a batch at a time, to hold it against what was due."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from tocsin.core.alert import Alert
from tocsin.core.effects import Purpose
from tocsin.core.escalation import Position
from tocsin.core.notification import State
from tocsin.core.verifying import GRACE, Duty, History, Line, Noted, Promised
from tocsin.store import plans
from tocsin.store.alerts import alert_of
from tocsin.store.db import Connection, Row, rows, run

Place = tuple[int, UUID]
"""Team and alert: where a reading stands."""

START: Place = (0, UUID(int=0))


@dataclass(frozen=True, slots=True)
class TeamName:
    """What a team is called, and the zone of its clock."""

    name: str
    time_zone: str


async def team_names(connection: Connection) -> dict[int, TeamName]:
    """Every team by id."""
    found = await rows(connection, "SELECT id, name, time_zone FROM team")
    return {row["id"]: TeamName(row["name"], row["time_zone"]) for row in found}


async def histories(
    connection: Connection, after: Place, since: datetime, limit: int
) -> list[History]:
    """The next alerts after `after`: changed since then, or still open, whenever that was.

    To be the first in its transaction, which then sees one moment of the database.
    """
    await run(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    found = await rows(connection, _ALERTS, *after, since, limit)
    alerts = [alert_of(row) for row in found]
    keys = [alert.team for alert in alerts], [alert.id for alert in alerts]
    lines = _by_alert(await rows(connection, _LINES, *keys))
    told = {key: tuple(map(_line, of)) for key, of in lines.items()}
    ledger: defaultdict[UUID, list[Noted]] = defaultdict(list)
    for row in await rows(connection, _LEDGER, *keys):
        ledger[row["notification_id"]].append(_noted(row))
    pages = _by_alert(await rows(connection, _PAGES, *keys))
    copies = await plans.load(connection, {(alert.team, alert.policy) for alert in alerts})
    duties = await _duties(connection, alerts, told)
    return [
        History(
            alert=alert,
            policy=copies.get((alert.team, alert.policy)),
            lines=told.get((alert.team, alert.id), ()),
            notifications=tuple(
                _promised(row, ledger[row["id"]]) for row in pages.get((alert.team, alert.id), ())
            ),
            duties=tuple(duties.get(alert.team, ())),
        )
        for alert in alerts
    ]


_ALERTS = """
SELECT * FROM alert WHERE (team_id, id) > ($1, $2) AND (updated_at >= $3 OR status = 'open')
ORDER BY team_id, id LIMIT $4
"""
_LINES = """
SELECT t.team_id, t.alert_id, t.at, t.kind, t.by_name, t.by_user, t.data
FROM unnest($1::int[], $2::uuid[]) AS w(team_id, alert_id)
JOIN timeline t ON t.team_id = w.team_id AND t.alert_id = w.alert_id
ORDER BY t.id
"""
_PAGES = """
SELECT n.*, u.name AS user_name, m.name AS method_name
FROM unnest($1::int[], $2::uuid[]) AS w(team_id, alert_id)
JOIN notification n ON n.team_id = w.team_id AND n.alert_id = w.alert_id
LEFT JOIN app_user u ON u.id = n.user_id
LEFT JOIN contact_method m ON m.id = n.method_id
ORDER BY n.due_at, n.id
"""
_LEDGER = """
SELECT l.notification_id, l.at, l.state, l.detail, l.possible_duplicate
FROM unnest($1::int[], $2::uuid[]) AS w(team_id, alert_id)
JOIN notification n ON n.team_id = w.team_id AND n.alert_id = w.alert_id
JOIN ledger l ON l.team_id = n.team_id AND l.notification_id = n.id
ORDER BY l.id
"""
_DUTIES = """
SELECT d.team_id, d.tier, u.name, u.active, lower(d.during) AS since, upper(d.during) AS until
FROM (
  SELECT s.team_id, s.tier, s.user_id, s.during
  FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS w(team_id, begins, ends)
  JOIN shift s ON s.team_id = w.team_id AND s.during && tstzrange(w.begins, w.ends, '[]')
  UNION ALL
  SELECT p.team_id, p.tier, p.user_id, p.during
  FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS w(team_id, begins, ends)
  JOIN punch p ON p.team_id = w.team_id AND p.during && tstzrange(w.begins, w.ends, '[]')
) d JOIN app_user u ON u.id = d.user_id
"""


async def _duties(
    connection: Connection, alerts: Iterable[Alert], told: Mapping[Place, Sequence[Line]]
) -> dict[int, list[Duty]]:
    """Who was on duty in each team from the first to the last line of its alerts."""
    moments: defaultdict[int, list[datetime]] = defaultdict(list)
    for alert in alerts:
        moments[alert.team] += [line.at for line in told.get((alert.team, alert.id), ())]
    spans = {team: (min(times), max(times)) for team, times in moments.items() if times}
    found = await rows(
        connection,
        _DUTIES,
        list(spans),
        [first - GRACE for first, _ in spans.values()],
        [last + GRACE for _, last in spans.values()],
    )
    duties: defaultdict[int, list[Duty]] = defaultdict(list)
    for row in found:
        duties[row["team_id"]].append(
            Duty(
                tier=row["tier"],
                name=row["name"],
                since=row["since"] or _EVER,
                until=row["until"],
                active=row["active"],
            )
        )
    return duties


_EVER = datetime.fromisoformat("0002-01-01T00:00:00Z")
"""Since when a duty without a beginning lasts."""


def _by_alert(found: Sequence[Row]) -> dict[Place, list[Row]]:
    grouped: defaultdict[Place, list[Row]] = defaultdict(list)
    for row in found:
        grouped[row["team_id"], row["alert_id"]].append(row)
    return grouped


_data = msgspec.json.Decoder(dict[str, object])


def _line(row: Row) -> Line:
    return Line(
        at=row["at"],
        kind=row["kind"],
        by_name=row["by_name"],
        by_user=row["by_user"],
        data=_data.decode(row["data"]),
    )


def _noted(row: Row) -> Noted:
    return Noted(
        at=row["at"],
        state=row["state"],
        possible_duplicate=row["possible_duplicate"],
        detail=row["detail"],
    )


def _promised(row: Row, ledger: Sequence[Noted]) -> Promised:
    every = row["repeat_every"]
    return Promised(
        user=row["user_id"],
        name=row["user_name"],
        method=row["method_id"],
        method_name=row["method_name"],
        purpose=Purpose(row["purpose"]),
        episode=row["episode"],
        position=Position(row["round"], row["step"]),
        state=State(row["state"]),
        planned_at=row["planned_at"],
        due_at=row["due_at"],
        next_try_at=row["next_try_at"],
        attempt=row["attempt"],
        repeat_every=None if every is None else timedelta(microseconds=every),
        webhook=row["webhook"],
        carried=row["carrier_id"] is not None,
        detail=row["detail"],
        ledger=tuple(ledger),
    )
