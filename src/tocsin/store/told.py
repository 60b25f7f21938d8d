"""What people were told of duty, so that they are told once."""

from datetime import datetime, timedelta

from tocsin.store.db import Connection, run

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


async def forget(connection: Connection, now: datetime) -> int:
    """Drop what was said of times that are long over."""
    return await run(connection, "DELETE FROM told WHERE ends_at < $1", now - _KEPT)
