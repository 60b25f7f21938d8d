"""The calendars of teams as they are listed, made, named in the configuration and removed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from tocsin.store.calendars import Origin, Purpose
from tocsin.store.db import Connection, Row, rows, run

CONFIGURED = ("holidays", "holidays of the configuration")
"""What the calendar is called that a team's `holidays` name: the first that is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCalendar:
    """A calendar to be imported."""

    team: int
    name: str
    purpose: Purpose
    origin: Origin
    schedule: int | None
    people: Mapping[str, str]
    made_by: str


async def add(connection: Connection, new: NewCalendar, now: datetime) -> int | None:
    """Store a calendar, which is not read before it has an address; None: the name is taken."""
    found = await rows(
        connection,
        "INSERT INTO calendar (team_id, name, purpose, origin, schedule_id, people, made_by,"
        " made_at) VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8)"
        " ON CONFLICT (team_id, name) DO NOTHING RETURNING id",
        new.team,
        new.name,
        new.purpose.value,
        new.origin.value,
        new.schedule,
        msgspec.json.encode(new.people).decode(),
        new.made_by,
        now,
    )
    return int(found[0]["id"]) if found else None


async def imported_of(connection: Connection, team: int) -> int:
    """How many calendars a team imports that were made by API."""
    found = await rows(
        connection,
        "SELECT count(*) AS number FROM calendar WHERE team_id = $1 AND origin = $2",
        team,
        Origin.API.value,
    )
    return int(found[0]["number"])


async def set_address(
    connection: Connection, team: int, calendar: int, sealed: bytes, host: str, now: datetime
) -> None:
    """Read the calendar from this address from now on; what was read before stays until then."""
    await run(
        connection,
        "UPDATE calendar SET sealed_address = $3, host = $4, run_at = $5, etag = NULL,"
        " modified = NULL, lease_number = lease_number + 1, lease_until = NULL"
        " WHERE team_id = $1 AND id = $2",
        team,
        calendar,
        sealed,
        host,
        now,
    )


async def listed(connection: Connection, teams: Collection[int]) -> Sequence[Row]:
    """The calendars of these teams with how they stand, by team and name."""
    return await rows(connection, f"{_LISTED} ORDER BY t.name, c.name", list(teams))


async def one(connection: Connection, team: int, calendar: int) -> Row | None:
    """One calendar as `listed` has it."""
    found = await rows(connection, f"{_LISTED} AND c.id = $2", [team], calendar)
    return found[0] if found else None


_LISTED = """
SELECT c.team_id, c.id, c.name, c.purpose, c.origin, c.schedule_id, c.host, c.people, c.made_by,
  c.made_at, c.run_at, c.succeeded_at, c.worked_out_at, c.error, c.failures, c.notes,
  t.name AS team, s.name AS schedule,
  (SELECT count(*) FROM calendar_entry e WHERE e.team_id = c.team_id AND e.calendar_id = c.id)
    AS entries
FROM calendar c JOIN team t ON t.id = c.team_id
LEFT JOIN schedule s ON s.team_id = c.team_id AND s.id = c.schedule_id
WHERE c.team_id = ANY($1::int[])
"""


async def read_now(connection: Connection, team: int, calendar: int, now: datetime) -> None:
    """Have a calendar read at once, whole."""
    await run(
        connection,
        "UPDATE calendar SET run_at = $3, etag = NULL, modified = NULL"
        " WHERE team_id = $1 AND id = $2 AND sealed_address IS NOT NULL",
        team,
        calendar,
        now,
    )


async def remove(connection: Connection, team: int, calendar: int) -> bool:
    """Remove a calendar with all that it said; False when there is none."""
    sql = "DELETE FROM calendar WHERE team_id = $1 AND id = $2"
    return await run(connection, sql, team, calendar) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """The address that a team's `holidays` name, and what is kept of the calendar there."""

    team: int
    address: str | None
    calendar: int | None
    sealed: bytes | None


async def configured(connection: Connection) -> list[Configured]:
    """Teams whose `holidays` name a calendar, or did."""
    found = await rows(connection, _CONFIGURED, Origin.CONFIGURATION.value)
    return [
        Configured(
            team=row["team"],
            address=row["address"],
            calendar=row["calendar"],
            sealed=row["sealed"],
        )
        for row in found
    ]


_CONFIGURED = """
SELECT t.id AS team, t.body #>> '{holidays,calendar}' AS address, c.id AS calendar,
  c.sealed_address AS sealed
FROM team t LEFT JOIN calendar c ON c.team_id = t.id AND c.origin = $1
WHERE t.body #>> '{holidays,calendar}' IS NOT NULL OR c.id IS NOT NULL
"""


async def of_files(connection: Connection, team: int, schedule: int) -> int | None:
    """The calendar that keeps what files of shifts said of a schedule."""
    found = await rows(
        connection,
        "SELECT id FROM calendar WHERE team_id = $1 AND schedule_id = $2 AND origin = $3"
        " FOR NO KEY UPDATE",
        team,
        schedule,
        Origin.FILE.value,
    )
    return int(found[0]["id"]) if found else None


async def spans(
    connection: Connection, team: int, calendar: int
) -> Iterable[tuple[str, datetime, datetime]]:
    """The entries of a calendar of files: whose they are, beginning, end."""
    found = await rows(
        connection,
        "SELECT people[1] AS name, lower(during) AS begins, upper(during) AS ends"
        " FROM calendar_entry WHERE team_id = $1 AND calendar_id = $2",
        team,
        calendar,
    )
    return [(row["name"], row["begins"], row["ends"]) for row in found]
