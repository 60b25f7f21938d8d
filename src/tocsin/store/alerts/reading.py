"""How alerts, their timelines and their pages are found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tocsin.core.alert import Alert
from tocsin.store.alerts.rows import alert_of, readable
from tocsin.store.db import Connection, Row, rows, run


async def get(
    connection: Connection, team: int, alert: UUID, *, lock: bool = False
) -> Alert | None:
    """One alert, None when there is none; with `lock` nobody else changes it until we commit."""
    found = await get_many(connection, [(team, alert)], lock=lock)
    return found.get(alert)


async def get_many(
    connection: Connection, refs: Iterable[tuple[int, UUID]], *, lock: bool = False
) -> dict[UUID, Alert]:
    """Alerts by id, without those that this version cannot read.

    Locked in the order of their ids, so that two transactions cannot deadlock.
    """
    return (await read_many(connection, refs, lock=lock))[0]


async def read_many(
    connection: Connection, refs: Iterable[tuple[int, UUID]], *, lock: bool = False
) -> tuple[dict[UUID, Alert], frozenset[UUID]]:
    """The same, and the ids of those that this version cannot read."""
    wanted = sorted(set(refs))
    found = await rows(
        connection,
        _LOCK_MANY if lock else _GET_MANY,
        [team for team, _ in wanted],
        [alert for _, alert in wanted],
    )
    read, unread = readable(found)
    return {alert.id: alert for alert in read}, frozenset(alert for _, alert in unread)


_GET_MANY = """
SELECT a.* FROM alert a JOIN unnest($1::int[], $2::uuid[]) AS w(team_id, id)
ON a.team_id = w.team_id AND a.id = w.id
"""
_LOCK_MANY = f"{_GET_MANY} ORDER BY a.team_id, a.id FOR NO KEY UPDATE OF a"


async def open_by_key(
    connection: Connection, keys: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], Alert]:
    """The open alerts with these (team, external id), locked until we commit."""
    wanted = sorted(set(keys))
    found = await rows(
        connection,
        "SELECT a.* FROM alert a JOIN unnest($1::int[], $2::text[]) AS w(team_id, external_id)"
        " ON a.team_id = w.team_id AND a.external_id = w.external_id"
        " WHERE a.status <> 'closed' ORDER BY a.team_id, a.id FOR NO KEY UPDATE OF a",
        [team for team, _ in wanted],
        [key for _, key in wanted],
    )
    return {(row["team_id"], row["external_id"]): alert_of(row) for row in found}


async def open_numbers(
    connection: Connection, keys: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], int]:
    """The numbers of the open alerts with these (team, external id); nothing is locked."""
    wanted = sorted(set(keys))
    found = await rows(
        connection,
        "SELECT a.team_id, a.external_id, a.number FROM alert a"
        " JOIN unnest($1::int[], $2::text[]) AS w(team_id, external_id)"
        " ON a.team_id = w.team_id AND a.external_id = w.external_id WHERE a.status <> 'closed'",
        [team for team, _ in wanted],
        [key for _, key in wanted],
    )
    return {(row["team_id"], row["external_id"]): row["number"] for row in found}


async def raised_since(
    connection: Connection, keys: Iterable[tuple[int, str]], since: datetime, now: datetime
) -> dict[tuple[int, str], int]:
    """How many alerts with these (team, external id) were raised from `since` to `now`, if any."""
    wanted = sorted(set(keys))
    found = await rows(
        connection,
        "SELECT a.team_id, a.external_id, count(*) AS times FROM alert a"
        " JOIN unnest($1::int[], $2::text[]) AS w(team_id, external_id)"
        " ON a.team_id = w.team_id AND a.external_id = w.external_id"
        " WHERE a.created_at > $3 AND a.created_at <= $4 GROUP BY a.team_id, a.external_id",
        [team for team, _ in wanted],
        [key for _, key in wanted],
        since,
        now,
    )
    return {(row["team_id"], row["external_id"]): row["times"] for row in found}


async def claim_due(
    connection: Connection, now: datetime, limit: int, without: Sequence[UUID] = ()
) -> tuple[list[Alert], list[tuple[int, UUID]]]:
    """Alerts whose timer has fired, longest ago first, locked until we commit.

    Also (team, id) of those that this version cannot read. Passed over are alerts that another
    worker holds, and those `without` which the caller wants to go on.
    """
    found = await rows(
        connection,
        "SELECT * FROM alert WHERE next_step_at <= $1 AND id <> ALL($3::uuid[])"
        " ORDER BY next_step_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
        now,
        limit,
        list(without),
    )
    return readable(found)


async def claim_silent(connection: Connection, now: datetime, limit: int) -> list[Alert]:
    """Alerts that close by themselves now, longest silent first, locked until we commit.

    Not those that still look for somebody, are snoozed, quiet for a time or to be looked at now,
    nor those with a message that is due. Alerts that another worker holds are passed over.
    """
    found = await rows(
        connection,
        "SELECT * FROM alert a WHERE status <> 'closed' AND close_after IS NOT NULL"
        " AND updated_at <= $1::timestamptz - close_after * interval '1 second'"
        " AND snoozed_until IS NULL AND (next_step_at IS NULL"
        " OR status = 'acknowledged' AND next_step_at > $1)"
        " AND NOT EXISTS (SELECT FROM notification n WHERE n.team_id = a.team_id"
        " AND n.alert_id = a.id AND n.state IN ('planned', 'leased') AND n.due_at <= $1)"
        " ORDER BY updated_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
        now,
        limit,
    )
    return readable(found)[0]


async def put_off(connection: Connection, team: int, alert: UUID, at: datetime) -> None:
    """Look at an alert's timer again at `at`, and change nothing else."""
    await run(
        connection,
        "UPDATE alert SET next_step_at = $3 WHERE team_id = $1 AND id = $2",
        team,
        alert,
        at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to search for; None and empty mean any. `before` is where the last page ended."""

    teams: tuple[int, ...]
    statuses: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    source: str | None = None
    integrations: tuple[int, ...] | None = None
    external_id: str | None = None
    text: str | None = None
    since: datetime | None = None
    before: tuple[datetime, UUID] | None = None
    limit: int = 50


async def search(connection: Connection, wanted: Filter) -> list[Alert]:
    """Alerts newest first."""
    at, alert = wanted.before or (None, None)
    found = await rows(
        connection,
        _SEARCH,
        list(dict.fromkeys(wanted.teams)),
        list(wanted.statuses) or None,
        list(wanted.severities) or None,
        wanted.source,
        None if wanted.integrations is None else list(wanted.integrations),
        wanted.external_id,
        None if wanted.text is None else f"%{_literal(wanted.text)}%",
        wanted.since,
        at,
        alert,
        wanted.limit,
    )
    return readable(found)[0]


# Team by team, so that the index gives the newest of each; of all teams at once, every alert that
# there ever was would be read and sorted.
_SEARCH = """
SELECT found.* FROM unnest($1::int[]) AS w(team) CROSS JOIN LATERAL (
  SELECT * FROM alert WHERE team_id = w.team
    AND ($2::text[] IS NULL OR status = ANY($2))
    AND ($3::text[] IS NULL OR severity = ANY($3))
    AND ($4::text IS NULL OR source_kind = $4)
    AND ($5::int[] IS NULL OR integration_id = ANY($5))
    AND ($6::text IS NULL OR external_id = $6)
    AND ($7::text IS NULL OR title ILIKE $7 OR text ILIKE $7)
    AND ($8::timestamptz IS NULL OR created_at >= $8)
    AND ($9::timestamptz IS NULL OR (created_at, id) < ($9, $10::uuid))
  ORDER BY created_at DESC, id DESC LIMIT $11
) found
ORDER BY found.created_at DESC, found.id DESC LIMIT $11
"""


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


async def timeline(connection: Connection, team: int, alert: UUID) -> Sequence[Row]:
    """What happened, oldest first: id, at, kind, by_name, by_user, via, data (as a value)."""
    return await rows(
        connection,
        "SELECT id, at, kind, by_name, by_user, via, data FROM timeline"
        " WHERE team_id = $1 AND alert_id = $2 ORDER BY id",
        team,
        alert,
    )


async def notifications(connection: Connection, team: int, alert: UUID) -> Sequence[Row]:
    """The pages of an alert with what became of them, in the order in which they were due.

    Of the one that carried a page: `carrier_alert` (its id), `carrier_number`, `carrier_state`.
    """
    return await rows(
        connection,
        "SELECT n.*, u.name AS user_name, m.name AS method_name, m.channel,"
        " c.alert_id AS carrier_alert, c.state AS carrier_state, a.number AS carrier_number"
        " FROM notification n LEFT JOIN app_user u ON u.id = n.user_id"
        " LEFT JOIN contact_method m ON m.id = n.method_id"
        " LEFT JOIN notification c ON c.team_id = n.team_id AND c.id = n.carrier_id"
        " LEFT JOIN alert a ON a.team_id = c.team_id AND a.id = c.alert_id"
        " WHERE n.team_id = $1 AND n.alert_id = $2 ORDER BY n.due_at, n.id",
        team,
        alert,
    )


async def ledger(connection: Connection, team: int, alert: UUID) -> Sequence[Row]:
    """Every line of the ledger for the pages of an alert, oldest first."""
    return await rows(
        connection,
        "SELECT l.* FROM ledger l JOIN notification n"
        " ON n.team_id = l.team_id AND n.id = l.notification_id"
        " WHERE n.team_id = $1 AND n.alert_id = $2 ORDER BY l.id",
        team,
        alert,
    )


async def live_rows(
    connection: Connection, teams: Iterable[int] | None, after: tuple[int, int], limit: int
) -> Sequence[Row]:
    """Timeline rows whose (xid, id) is above `after`, lowest first; None asks for every team.

    Only rows of transactions older than every running one are read, so that nobody can still
    insert below. Ids alone would not do: an older transaction may draw the higher id.
    """
    return await rows(
        connection,
        _LIVE,
        None if teams is None else list(teams),
        *after,
        limit,
    )


_LIVE = """
SELECT l.* FROM team CROSS JOIN LATERAL (
  SELECT t.xid, t.id, t.team_id, t.alert_id, t.at, t.kind, t.by_name, t.via, t.data
  FROM timeline t
  WHERE t.team_id = team.id AND (t.xid, t.id) > ($2::bigint, $3::bigint)
    AND t.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  ORDER BY t.xid, t.id LIMIT $4
) l
WHERE $1::int[] IS NULL OR team.id = ANY($1)
ORDER BY l.xid, l.id LIMIT $4
"""
