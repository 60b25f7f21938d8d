"""SQL of the regular clean-up and of the search for what was forgotten."""

from datetime import datetime, timedelta

from tocsin.store.db import Connection, rows, run
from tocsin.store.overrides import ends_after


async def forget_budgets(connection: Connection, now: datetime) -> int:
    """Drop the windows of budgets that have passed for a day."""
    return await run(
        connection,
        "DELETE FROM budget WHERE window_start < extract(epoch FROM $1::timestamptz) - 86400",
        now,
    )


async def forget_offers(connection: Connection, before: datetime) -> int:
    """Drop offers of shifts that ended before a moment, or whose schedule or user is gone."""
    return await run(connection, _OLD_OFFERS, before)


_OLD_OFFERS = """
DELETE FROM shift_offer o WHERE state <> 'open' AND (coalesce(answered_at, begins_at) < $1
  OR NOT EXISTS (SELECT FROM schedule s WHERE s.team_id = o.team_id AND s.id = o.schedule_id)
  OR NOT EXISTS (SELECT FROM app_user u WHERE u.id = o.user_id))
"""


async def forget_overrides(connection: Connection, before: datetime) -> int:
    """Drop overrides made by hand that ended before a moment; those of the file are the file's."""
    return await run(connection, _OLD_OVERRIDES, before)


_OLD_OVERRIDES = f"""
DELETE FROM schedule_override o WHERE file_body IS NULL AND NOT {ends_after("$1")}
"""  # noqa: S608 - words of our own


async def restart_forgotten(connection: Connection, now: datetime) -> int:
    """Give a timer to open alerts that have none and no visible reason for it (I3).

    There are none, unless something outside Tocsin changed the rows; silence is never the answer.
    """
    return await run(connection, _RESTART, now, now - timedelta(minutes=1))


_RESTART = """
UPDATE alert SET next_step_at = $1
WHERE status = 'open' AND next_step_at IS NULL AND suppressed IS NULL AND urgency <> 'record'
  AND NOT coalesce((state->>'exhausted')::bool, false) AND updated_at < $2
"""


async def analyse_new(connection: Connection) -> list[str]:
    """Analyse tables that have grown and never were; returns their names.

    The server does that by itself a minute later, but a server that crashes again and again
    forgets that it should.
    """
    found = await rows(connection, _NEVER_ANALYSED)
    names = [str(row["name"]) for row in found]
    for name in names:
        await run(connection, f"ANALYZE {name}")
    return names


_NEVER_ANALYSED = """
SELECT c.oid::regclass::text AS name FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.reltuples < 0
  AND pg_relation_size(c.oid) > 100 * 8192 ORDER BY c.relname
"""
