"""How much each contact method was sent lately, shared by all processes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from tocsin.core.kinds import Urgency
from tocsin.core.storm import Storm, Traffic
from tocsin.store.db import Connection, Row, rows, run
from tocsin.store.uuids import uuid7

_recent = msgspec.json.Decoder(tuple[tuple[datetime, bool], ...])
_storm = msgspec.json.Decoder(Storm)
_encode = msgspec.json.Encoder().encode


async def lock_traffic(connection: Connection, methods: Iterable[int]) -> dict[int, Traffic]:
    """What each of these contact methods was sent, locked until we commit.

    Locked in the order of their ids. One that was never sent anything is not there, and two
    processes may both send it its first message.
    """
    found = await rows(
        connection,
        "SELECT method_id, recent, storm FROM traffic WHERE method_id = ANY($1::int[])"
        " ORDER BY method_id FOR NO KEY UPDATE",
        sorted(set(methods)),
    )
    return {row["method_id"]: _traffic(row) for row in found}


async def save_traffic(
    connection: Connection, traffic: Mapping[int, Traffic], now: datetime
) -> None:
    """Write what was sent by now."""
    methods = sorted(traffic)
    await run(
        connection,
        _SAVE,
        methods,
        [_encode(traffic[method].recent).decode() for method in methods],
        [_storm_text(traffic[method].storm) for method in methods],
        [traffic[method].calm_at for method in methods],
        now,
    )


_SAVE = """
INSERT INTO traffic AS t (method_id, last_at, recent, storm, calm_at)
SELECT method_id, $5, recent::jsonb, storm::jsonb, calm_at
FROM unnest($1::int[], $2::text[], $3::text[], $4::timestamptz[])
  AS new(method_id, recent, storm, calm_at)
ON CONFLICT (method_id) DO UPDATE SET last_at = excluded.last_at, recent = excluded.recent,
  storm = excluded.storm, calm_at = excluded.calm_at
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """A storm that ended, and how many alerts it told of stand how now."""

    method: int
    storm: Storm
    alerts: int
    open: int
    acknowledged: int


async def ended_storms(connection: Connection, now: datetime, limit: int) -> list[Ended]:
    """Storms that have been calm for long enough; each is handed out once."""
    found = await rows(
        connection,
        "WITH calm AS (SELECT method_id, storm FROM traffic WHERE calm_at <= $1"
        " ORDER BY calm_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)"
        " UPDATE traffic t SET storm = NULL, calm_at = NULL FROM calm"
        " WHERE t.method_id = calm.method_id RETURNING t.method_id, calm.storm",
        now,
        limit,
    )
    return [
        await counted(connection, row["method_id"], _storm.decode(row["storm"])) for row in found
    ]


async def counted(connection: Connection, method: int, storm: Storm) -> Ended:
    """A storm that ended, with how the alerts it told of stand now."""
    (row,) = await rows(connection, _COUNT, storm.team, method, _earliest(storm), storm.since)
    return Ended(method, storm, row["alerts"], row["open"], row["acknowledged"])


# Ids begin with the time at which they were made: the primary key finds those of the last hours.
_COUNT = """
SELECT count(*) AS alerts, count(*) FILTER (WHERE a.status = 'open') AS open,
       count(*) FILTER (WHERE a.status = 'acknowledged') AS acknowledged
FROM (
  SELECT DISTINCT team_id, alert_id FROM notification
  WHERE team_id = $1 AND id >= $3 AND method_id = $2 AND sent_at >= $4
    AND purpose IN ('escalation', 'responder')
) n JOIN alert a ON a.team_id = n.team_id AND a.id = n.alert_id
"""


async def plan_notices(
    connection: Connection,
    notices: Iterable[tuple[int, int, Mapping[str, str]]],
    now: datetime,
    urgency: Urgency = Urgency.NORMAL,
) -> None:
    """Promise contact methods words of their own, about no alert: team, method, words; due now."""
    wanted = list(notices)
    await run(
        connection,
        "INSERT INTO notification (team_id, id, user_id, method_id, purpose, urgency, planned_at,"
        " due_at, next_try_at, body)"
        " SELECT w.team, w.id, c.user_id, c.id, 'notice', $6, $5, $5, $5, w.words::jsonb"
        " FROM unnest($1::int[], $2::uuid[], $3::bigint[], $4::text[])"
        " AS w(team, id, method, words)"
        " JOIN contact_method c ON c.id = w.method",
        [team for team, _, _ in wanted],
        [uuid7(now) for _ in wanted],
        [method for _, method, _ in wanted],
        [_encode(words).decode() for _, _, words in wanted],
        now,
        urgency.value,
    )


def _earliest(storm: Storm) -> UUID:
    """Below the id of every page planned up to three hours before the storm."""
    milliseconds = int(storm.since.timestamp() * 1000) - 3 * 3_600_000
    return UUID(int=milliseconds << 80)


def _traffic(row: Row) -> Traffic:
    storm = row["storm"]
    return Traffic(_recent.decode(row["recent"]), None if storm is None else _storm.decode(storm))


def _storm_text(storm: Storm | None) -> str | None:
    return None if storm is None else _encode(storm).decode()
