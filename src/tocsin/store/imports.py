"""What imported calendars and files mean for a team: shifts, time off, holidays."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime

from tocsin.core.calendarfile import Entry, People
from tocsin.core.schedule import Absence, ImportedShift
from tocsin.store.calendars import Imported, Purpose, imported, mails_of
from tocsin.store.db import Connection, run


async def shifts_of(
    connection: Connection,
    team: int,
    from_: datetime,
    to: datetime,
    only: Sequence[int] | None = None,
) -> dict[int, tuple[ImportedShift, ...]]:
    """The imported shifts of a team that overlap a time, by schedule (row), or `only` of these."""
    found: dict[int, tuple[ImportedShift, ...]] = {}
    for calendar, meant in await _meant(connection, team, Purpose.SHIFTS, (from_, to), only):
        if calendar.schedule is not None:
            shifts = (
                ImportedShift(user, entry.from_, entry.to, calendar.name) for user, entry in meant
            )
            found[calendar.schedule] = (*found.get(calendar.schedule, ()), *shifts)
    return found


async def absences_in(connection: Connection, team: int) -> tuple[Absence, ...]:
    """The imported time off of a team's people."""
    return tuple(
        Absence(user, entry.from_, entry.to)
        for _, meant in await _meant(connection, team, Purpose.TIME_OFF)
        for user, entry in meant
    )


async def keep_holidays(connection: Connection, team: int) -> None:
    """Write the imported holidays of a team down, so that paging and schedules look them up."""
    await run(connection, "DELETE FROM holiday WHERE team_id = $1 AND origin = 'calendar'", team)
    await run(connection, _DAYS, team, Purpose.HOLIDAYS.value)


_DAYS = """
INSERT INTO holiday (team_id, day, origin, name)
SELECT DISTINCT ON (d.day) e.team_id, d.day::date, 'calendar',
  coalesce(nullif(e.summary, ''), 'holiday')
FROM calendar c
JOIN calendar_entry e ON e.team_id = c.team_id AND e.calendar_id = c.id
CROSS JOIN LATERAL generate_series(
  e.first_day::timestamp, least(e.last_day, e.first_day + 400)::timestamp, interval '1 day'
) AS d(day)
WHERE c.team_id = $1 AND c.purpose = $2 ORDER BY d.day, c.name, e.id
"""


async def _meant(
    connection: Connection,
    team: int,
    purpose: Purpose,
    span: tuple[datetime | None, datetime | None] = (None, None),
    only: Sequence[int] | None = None,
) -> list[tuple[Imported, list[tuple[str, Entry]]]]:
    calendars = await imported(connection, team, purpose, *span, only=only)
    if not calendars:
        return []
    await asyncio.sleep(0)  # somebody may have to be paged
    users = await mails_of(connection, team)
    return [(one, list(_people(one, People(users, one.people)))) for one in calendars]


def _people(calendar: Imported, people: People) -> Iterator[tuple[str, Entry]]:
    return ((user, entry) for entry in calendar.entries for user in people.of(entry))
