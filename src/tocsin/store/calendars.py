"""Calendars that are imported: what is read when, under which lease, and what it said last."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from tocsin.core.calendarfile import Entry
from tocsin.store.db import Connection, Row, rows, run

LEASE = timedelta(minutes=5)
"""Longer than fetching and reading together may take."""


class Purpose(StrEnum):
    """What the entries of a calendar are here."""

    SHIFTS = "shifts"
    TIME_OFF = "time_off"
    HOLIDAYS = "holidays"


class Origin(StrEnum):
    """Where a calendar comes from: made by API, named in the configuration, sent as files."""

    API = "api"
    CONFIGURATION = "configuration"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCalendar:
    """A calendar that is leased to be read now; `content` is the last good copy, compressed."""

    team: int
    id: int
    name: str
    purpose: Purpose
    schedule: int | None
    time_zone: str
    sealed_address: bytes
    content: bytes | None
    etag: str | None
    modified: str | None
    worked_out_at: datetime | None
    failures: int
    lease_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a reading ended. `entries` None: they stay. `error` None: it was reached and is sound.

    `content` is the new good copy, compressed; None: the former stays.
    """

    run_at: datetime
    error: str | None = None
    notes: Sequence[str] = ()
    content: bytes | None = None
    etag: str | None = None
    modified: str | None = None
    entries: Sequence[tuple[Entry, tuple[date, date]]] | None = None


async def claim_calendars(connection: Connection, now: datetime, limit: int) -> list[DueCalendar]:
    """Lease the calendars that are to be read now."""
    found = await rows(connection, _CLAIM, now, limit, LEASE)
    return [
        DueCalendar(
            team=row["team_id"],
            id=row["id"],
            name=row["name"],
            purpose=Purpose(row["purpose"]),
            schedule=row["schedule_id"],
            time_zone=row["time_zone"],
            sealed_address=row["sealed_address"],
            content=row["content"],
            etag=row["etag"],
            modified=row["modified"],
            worked_out_at=row["worked_out_at"],
            failures=row["failures"],
            lease_number=row["lease_number"],
        )
        for row in found
    ]


# Teams take turns: the one whose last turn is longest ago is next, however many it has waiting.
_CLAIM = """
WITH due AS (
  SELECT c.team_id, c.id FROM calendar c
  WHERE c.run_at <= $1 AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())
  ORDER BY (SELECT max(o.claimed_at) FROM calendar o WHERE o.team_id = c.team_id) NULLS FIRST,
    c.run_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE calendar c SET lease_number = c.lease_number + 1, claimed_at = clock_timestamp(),
  lease_until = clock_timestamp() + $3::interval
FROM due JOIN team t ON t.id = due.team_id
WHERE c.team_id = due.team_id AND c.id = due.id
RETURNING c.*, t.time_zone
"""


async def settle_calendar(
    connection: Connection, due: DueCalendar, outcome: Outcome, now: datetime
) -> bool:
    """Write down what was read and end the lease; False, and nothing, when it was lost."""
    found = await rows(
        connection,
        _SETTLE,
        due.team,
        due.id,
        due.lease_number,
        outcome.run_at,
        outcome.error,
        msgspec.json.encode(outcome.notes).decode(),
        outcome.content,
        outcome.etag,
        outcome.modified,
        now,
        outcome.entries is not None,
    )
    if not found:
        return False
    if outcome.entries is not None:
        await replace_entries(connection, due.team, due.id, outcome.entries)
    return True


_SETTLE = """
UPDATE calendar SET lease_until = NULL, run_at = $4, error = $5,
  failures = CASE WHEN $5::text IS NULL THEN 0 ELSE failures + 1 END,
  notes = CASE WHEN $11 THEN $6::jsonb ELSE notes END,
  content = coalesce($7, content),
  etag = CASE WHEN $7::bytea IS NULL THEN etag ELSE $8 END,
  modified = CASE WHEN $7::bytea IS NULL THEN modified ELSE $9 END,
  succeeded_at = CASE WHEN $5::text IS NULL THEN $10 ELSE succeeded_at END,
  worked_out_at = CASE WHEN $11 THEN $10 ELSE worked_out_at END
WHERE team_id = $1 AND id = $2 AND lease_number = $3 AND lease_until IS NOT NULL
RETURNING id
"""


async def replace_entries(
    connection: Connection,
    team: int,
    calendar: int,
    entries: Iterable[tuple[Entry, tuple[date, date]]],
) -> None:
    """Put these entries, each with the local days that it touches, in the place of the former."""
    every = list(entries)
    await run(
        connection,
        "DELETE FROM calendar_entry WHERE team_id = $1 AND calendar_id = $2",
        team,
        calendar,
    )
    await run(
        connection,
        _INSERT,
        team,
        calendar,
        [entry.uid for entry, _ in every],
        [entry.summary for entry, _ in every],
        [msgspec.json.encode(entry.people).decode() for entry, _ in every],
        [entry.from_ for entry, _ in every],
        [entry.to for entry, _ in every],
        [days[0] for _, days in every],
        [days[1] for _, days in every],
    )


_INSERT = """
INSERT INTO calendar_entry (team_id, calendar_id, uid, summary, people, during, first_day, last_day)
SELECT $1, $2, e.uid, e.summary, ARRAY(SELECT jsonb_array_elements_text(e.people::jsonb)),
  tstzrange(e.begins, e.ends), e.first_day, e.last_day
FROM unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
  $8::date[], $9::date[]) AS e(uid, summary, people, begins, ends, first_day, last_day)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The entries of one calendar, with what its own words for people mean."""

    calendar: int
    name: str
    purpose: Purpose
    schedule: int | None
    people: Mapping[str, str]
    entries: Sequence[Entry]


async def imported(
    connection: Connection,
    team: int,
    purpose: Purpose,
    from_: datetime | None,
    to: datetime | None,
    *,
    only: Sequence[int] | None = None,
) -> list[Imported]:
    """What the calendars of a team with this purpose say of a time; None leaves an end open.

    `only` names the schedules (rows) whose calendars are asked.
    """
    calendars = await rows(
        connection,
        "SELECT id, name, schedule_id, people FROM calendar WHERE team_id = $1 AND purpose = $2"
        " AND ($3::bigint[] IS NULL OR schedule_id = ANY($3)) ORDER BY name",
        team,
        purpose.value,
        None if only is None else list(only),
    )
    if not calendars:
        return []
    found = [row["id"] for row in calendars]
    entries: dict[int, list[Entry]] = {}
    for entry in await rows(connection, _ENTRIES, team, found, from_, to):
        entries.setdefault(entry["calendar_id"], []).append(_entry(entry))
    return [
        Imported(
            calendar=row["id"],
            name=row["name"],
            purpose=purpose,
            schedule=row["schedule_id"],
            people=msgspec.json.decode(row["people"]),
            entries=entries.get(row["id"], []),
        )
        for row in calendars
    ]


_ENTRIES = (
    "SELECT calendar_id, uid, summary, people, during, first_day, last_day FROM calendar_entry"
    " WHERE team_id = $1 AND calendar_id = ANY($2::bigint[]) AND during && tstzrange($3, $4)"
    " ORDER BY lower(during), id"
)


def _entry(row: Row) -> Entry:
    during: Any = row["during"]
    return Entry(
        uid=row["uid"],
        from_=during.lower,
        to=during.upper,
        summary=row["summary"],
        people=tuple(row["people"]),
        days=(row["first_day"], row["last_day"]),
    )


async def changed(connection: Connection, team: int) -> None:
    """Tell that what a team's duty is made from is no longer what it was."""
    await run(connection, "UPDATE team SET version = version + 1 WHERE id = $1", team)


async def mails_of(connection: Connection, team: int) -> dict[str, str | None]:
    """The addresses of mail of those members of a team who may answer alerts, by name."""
    found = await rows(
        connection,
        "SELECT u.name, u.email FROM app_user u JOIN membership m ON m.user_id = u.id"
        " WHERE m.team_id = $1 AND u.active AND coalesce(m.role, u.role) <> 'viewer'"
        " ORDER BY u.name",
        team,
    )
    return {row["name"]: row["email"] for row in found}
