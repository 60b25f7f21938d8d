"""Duty taken by hand."""

from datetime import datetime

from tocsin.store.db import Connection, run


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
