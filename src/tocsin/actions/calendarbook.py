"""The calendars of a team, made, shown and removed; files of shifts laid over each other."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from tocsin.actions.calendarfetch import address_of
from tocsin.actions.calendars import AHEAD, BACK, set_address, take_effect
from tocsin.actions.configure import (
    ConfigureError,
    ConflictError,
    Fault,
    NotFoundError,
    absent_on_duty,
)
from tocsin.actions.shown import instant
from tocsin.actions.world import World
from tocsin.core import ids
from tocsin.core.calendarfile import Entry, People, local_days
from tocsin.core.dutycsv import Rows, RowsError, Span, laid_over, read_rows
from tocsin.store import calendarlist
from tocsin.store.calendarlist import NewCalendar
from tocsin.store.calendars import Origin, Purpose, imported, mails_of, replace_entries
from tocsin.store.db import Connection, Row
from tocsin.store.named import zone_of

_MOST_UNKNOWN = 20
MOST_CALENDARS = 50
"""So many calendars a team may import."""

MOST_ROWS = 10_000
"""So many shifts may stand in a schedule from files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A calendar that somebody wants imported into a team."""

    team: int
    name: str
    purpose: Purpose
    schedule: int | None
    address: str
    people: Mapping[str, str]


async def add_calendar(world: World, wanted: Wanted, by: str) -> dict[str, object]:
    """Import a calendar from now on. Raises `ConfigureError`, `ConflictError`."""
    now = world.clock.now()
    try:
        address_of(wanted.address)
    except ValueError as fault:
        raise ConfigureError([Fault(("address",), str(fault))]) from None
    async with world.database.transaction() as connection:
        members = await mails_of(connection, wanted.team)
        strangers = sorted(set(wanted.people.values()) - set(members))
        if strangers:
            what = f"nobody in the team is called {strangers[0][:80]!r}"
            raise ConfigureError([Fault(("people",), what)])
        if await calendarlist.imported_of(connection, wanted.team) >= MOST_CALENDARS:
            raise ConflictError(
                f"the team imports {MOST_CALENDARS} calendars, which is the most: remove one first"
            )
        new = NewCalendar(
            team=wanted.team,
            name=wanted.name,
            purpose=wanted.purpose,
            origin=Origin.API,
            schedule=wanted.schedule,
            people=wanted.people,
            made_by=by,
        )
        row = await calendarlist.add(connection, new, now)
        if row is None:
            raise ConflictError(f"a calendar called {wanted.name!r} is there already")
        await set_address(world, connection, wanted.team, row, wanted.address)
    world.wake()
    return await show_calendar(world, wanted.team, row)


async def show_calendars(world: World, teams: Collection[int]) -> list[dict[str, object]]:
    """The calendars of these teams with how they stand; of their addresses only the host."""
    async with world.database.transaction() as connection:
        return [_shown(row) for row in await calendarlist.listed(connection, teams)]


async def show_calendar(world: World, team: int, row: int) -> dict[str, object]:
    """One calendar; `unknown` has what its entries say where they name nobody in the team.

    `collisions` has a line for each shift of somebody who has time off then.
    """
    now = world.clock.now()
    async with world.database.transaction() as connection:
        found = await calendarlist.one(connection, team, row)
        if found is None:
            raise NotFoundError("there is no such calendar")
        unknown: list[str] = []
        collisions: tuple[str, ...] = ()
        purpose = Purpose(found["purpose"])
        if purpose is not Purpose.HOLIDAYS:
            users = await mails_of(connection, team)
            for one in await imported(connection, team, purpose, now - BACK, now + AHEAD):
                if one.calendar == row:
                    people = People(users, one.people)
                    nobody = (entry for entry in one.entries if not people.of(entry))
                    unknown = list(dict.fromkeys(entry.summary for entry in nobody))
        if purpose is Purpose.TIME_OFF:
            collisions = await absent_on_duty(connection, [team], now)
    return {
        **_shown(found),
        "unknown": unknown[:_MOST_UNKNOWN],
        "collisions": list(collisions[:_MOST_UNKNOWN]),
    }


async def remove_calendar(world: World, team: int, row: int) -> None:
    """Forget a calendar and all that it said. Raises `ConflictError` for the configuration's."""
    async with world.database.transaction() as connection:
        found = await calendarlist.one(connection, team, row)
        if found is None:
            raise NotFoundError("there is no such calendar")
        if found["origin"] == Origin.CONFIGURATION:
            raise ConflictError(
                "the team's `holidays` name this calendar: take `calendar` away there"
            )
        await calendarlist.remove(connection, team, row)
        await take_effect(connection, team, world.clock.now(), found["schedule_id"])
    world.wake()


async def read_calendar_now(world: World, team: int, row: int) -> dict[str, object]:
    """Have a calendar read at once, whole; answers how it stands."""
    async with world.database.transaction() as connection:
        await calendarlist.read_now(connection, team, row, world.clock.now())
    return await show_calendar(world, team, row)


async def import_rows(
    world: World, team: int, schedule: int, name: str, text: str, by: str
) -> dict[str, object]:
    """Lay the shifts of a file over those of earlier ones, all or none. Raises `ConfigureError`.

    What ended long ago is let go of. The file is worked out in a thread: nobody waits for it.
    """
    now = world.clock.now()
    async with world.database.transaction() as connection:
        mails = await mails_of(connection, team)
    members = {
        word.casefold(): user for user, mail in mails.items() for word in (user, mail) if word
    }
    try:
        rows = await asyncio.to_thread(read_rows, text, lambda word: members.get(word.casefold()))
    except RowsError as fault:
        faults = [Fault(("line", line), what) for line, what in fault.faults]
        raise ConfigureError(faults) from None
    async with world.database.transaction() as connection:
        calendar = await _of_files(connection, team, schedule, name, by, world)
        former = await calendarlist.spans(connection, team, calendar)
        zone = await zone_of(connection, team)
        stands = await asyncio.to_thread(_laid, former, rows, zone, now)
        await replace_entries(connection, team, calendar, stands)
        await take_effect(connection, team, now, schedule)
    world.wake()
    return {
        "schedule": name,
        "shifts": len(rows.spans),
        "cleared": len(rows.cleared),
        "imported": len(stands),
    }


def _laid(
    former: Iterable[tuple[str, datetime, datetime]], rows: Rows, zone: str, now: datetime
) -> list[tuple[Entry, tuple[date, date]]]:
    """What stands after a file, each shift with the local days that it touches."""
    every = laid_over((Span(*span) for span in former), rows)
    stands = [span for span in every if span.to > now - BACK]
    if len(stands) > MOST_ROWS:
        what = (
            f"with this file the schedule would have {len(stands)} imported shifts, and"
            f" {MOST_ROWS} is the most: take away what is not needed with DELETE rows, or plan"
            " what recurs as a rotation"
        )
        raise ConfigureError([Fault(("body",), what)])
    entries = [_entry(span) for span in stands]
    return [(entry, local_days(entry, zone)) for entry in entries]


async def _of_files(
    connection: Connection, team: int, schedule: int, name: str, by: str, world: World
) -> int:
    """The calendar that keeps what files said of a schedule, made when it is first needed."""
    row = await calendarlist.of_files(connection, team, schedule)
    if row is None:
        new = NewCalendar(
            team=team,
            name=f"files: {name}",
            purpose=Purpose.SHIFTS,
            origin=Origin.FILE,
            schedule=schedule,
            people={},
            made_by=by,
        )
        await calendarlist.add(connection, new, world.clock.now())
        row = await calendarlist.of_files(connection, team, schedule)
    if row is None:
        raise ConflictError(f"another calendar is called 'files: {name}': remove it first")
    return row


def _entry(span: Span) -> Entry:
    uid = f"{span.user} {span.from_.isoformat()}"
    return Entry(uid, span.from_, span.to, people=(span.user,))


def _shown(row: Row) -> dict[str, object]:
    people: Mapping[str, str] = msgspec.json.decode(row["people"])
    notes: list[str] = msgspec.json.decode(row["notes"])
    return {
        "id": ids.encode(row["team_id"], row["id"]),
        "name": row["name"],
        "team": row["team"],
        "purpose": row["purpose"],
        "origin": row["origin"],
        "schedule": row["schedule"],
        "host": row["host"],
        "people": people,
        "made_by": row["made_by"],
        "made_at": instant(row["made_at"]),
        "state": {
            "entries": row["entries"],
            "last_success_at": instant(row["succeeded_at"]),
            "worked_out_at": instant(row["worked_out_at"]),
            "next_read_at": instant(row["run_at"]),
            "error": row["error"],
            "failures": row["failures"],
            "notes": notes,
        },
    }
