"""What people were told of duty, so that they are told once."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tocsin.store.db import Connection, rows, run

_KEPT = timedelta(days=30)


async def first_time(
    connection: Connection,
    team: int,
    kind: str,
    subject: str,
    span: tuple[datetime, datetime],
    now: datetime,
) -> bool:
    """Whether this is said for the first time; it counts as said when the caller commits.

    `span` is the time that it is about; its beginning and the subject tell one from another.
    """
    written = await run(
        connection,
        "INSERT INTO told (team_id, kind, subject, begins_at, ends_at, told_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        team,
        kind,
        subject,
        *span,
        now,
    )
    return written == 1


Saying = tuple[int, str, str, datetime]
"""Team, kind, subject, and the moment that it is about."""


async def first_times(
    connection: Connection, sayings: Iterable[Saying], now: datetime
) -> set[Saying]:
    """Which of these are said for the first time; they count as said when the caller commits."""
    every = sorted(sayings)  # in one order, so that two who say the same wait for each other
    found = await rows(
        connection,
        "INSERT INTO told (team_id, kind, subject, begins_at, ends_at, told_at)"
        " SELECT team, kind, subject, at, at, $5"
        " FROM unnest($1::int[], $2::text[], $3::text[], $4::timestamptz[])"
        " AS w(team, kind, subject, at)"
        " ON CONFLICT DO NOTHING RETURNING team_id, kind, subject, begins_at",
        *([one[part] for one in every] for part in range(4)),
        now,
    )
    return {(row["team_id"], row["kind"], row["subject"], row["begins_at"]) for row in found}


async def forget(connection: Connection, now: datetime) -> int:
    """Drop what was said of times that are long over."""
    return await run(connection, "DELETE FROM told WHERE ends_at < $1", now - _KEPT)
