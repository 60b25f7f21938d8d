"""Overrides that people make by hand."""

from datetime import datetime

import msgspec

from tocsin.core.schedule import Override
from tocsin.store.db import Connection, run


async def add_override(
    connection: Connection, team: int, schedule: int, made: Override, by: str, now: datetime
) -> None:
    """Write an override of a schedule; whoever calls works out its shifts anew."""
    body = {
        "user": made.user,
        "replaces": made.replaces,
        "from": made.from_.isoformat(),
        "to": made.to.isoformat(),
        "swap": made.swap or None,
    }
    await run(
        connection,
        "INSERT INTO schedule_override (team_id, schedule_id, body, changed_by, changed_at)"
        " VALUES ($1, $2, jsonb_strip_nulls($3::jsonb), $4, $5)",
        team,
        schedule,
        msgspec.json.encode(body).decode(),
        by,
        now,
    )


def ends_after(moment: str) -> str:
    """SQL: whether the override `o` ends after the parameter `moment`, give or take two days.

    Texts are compared, day by day: one that cannot be read as a time must not stop all others.
    """
    day = f"to_char({moment}::timestamptz - interval '2 days', 'YYYY-MM-DD')"
    return f"((o.body ->> 'to') COLLATE \"C\" >= {day})"
