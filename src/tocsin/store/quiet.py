"""The quiet hours of people, and whether they are on duty."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from tocsin.core.localtime import UnknownZone, check_zone
from tocsin.core.notification import QuietHours
from tocsin.store.db import Connection, rows
from tocsin.store.schedules import restrictions_of


async def quiet_hours(
    connection: Connection, people: Iterable[tuple[int, int]], now: datetime
) -> dict[tuple[int, int], QuietHours]:
    """By (team, user): those of users who have some, in their time zone, else in the team's.

    What cannot be read holds nothing back.
    """
    wanted = sorted(set(people))
    found = await rows(
        connection, _QUIET, [team for team, _ in wanted], [user for _, user in wanted], now
    )
    quiet: dict[tuple[int, int], QuietHours] = {}
    for row in found:
        try:
            windows = restrictions_of(msgspec.json.decode(row["windows"]))
            check_zone(row["zone"])
        except (KeyError, ValueError, UnknownZone):
            continue
        quiet[row["team_id"], row["user_id"]] = QuietHours(windows, row["zone"], row["on_duty"])
    return quiet


_QUIET = """
SELECT w.team_id, w.user_id, u.body->'quiet_hours' AS windows,
       coalesce(u.body->>'time_zone', t.time_zone) AS zone,
       EXISTS (SELECT 1 FROM shift s WHERE s.team_id = w.team_id AND s.user_id = w.user_id
               AND s.during @> $3::timestamptz)
       OR EXISTS (SELECT 1 FROM punch p WHERE p.team_id = w.team_id AND p.user_id = w.user_id
                  AND p.during @> $3::timestamptz) AS on_duty
FROM unnest($1::int[], $2::int[]) AS w(team_id, user_id)
JOIN app_user u ON u.id = w.user_id
JOIN team t ON t.id = w.team_id
WHERE u.body ? 'quiet_hours'
"""
