"""The holidays of teams: days of their country, their own, those of an imported calendar.

Days of a country come from the package `holidays`. It is loaded when it is first asked for, and
asked in a thread: its import takes up to half a second, which nobody who is paged should wait.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from typing import Protocol, cast

import msgspec

from tocsin.core.localtime import wall_clock
from tocsin.core.notation import listing, mapping, optional_text
from tocsin.store.db import Connection, rows, run

_AROUND = timedelta(days=3)
"""How far before and after a time its days may lie, whatever the zone."""

Days = dict[date, str]
"""Local days of a team, each with its name."""

Place = tuple[str, str | None]
"""A country and its subdivision."""


async def holidays_of(connection: Connection, team: int, from_: datetime, to: datetime) -> Days:
    """The days of a team that touch the time from `from_` to `to`."""
    low, high = (from_ - _AROUND).date(), (to + _AROUND).date()
    found = await rows(
        connection, "SELECT body -> 'holidays' AS holidays FROM team WHERE id = $1", team
    )
    body = mapping(msgspec.json.decode(found[0]["holidays"] or "null") if found else None)
    if not body:
        return {}
    return await defined(body, low, high) | await _imported(connection, team, low, high)


async def defined(body: Mapping[str, object], from_: date, to: date) -> Days:
    """The days between two days that a team's `holidays` name: its country's, then its own."""
    days: Days = {}
    country = optional_text(body.get("country"))
    if country is not None:
        place = (country, optional_text(body.get("subdivision")))
        days = await asyncio.to_thread(_of_country, place, from_, to)
    own = (_own_day(mapping(entry)) for entry in listing(body.get("days")))
    days |= dict(day for day in own if day is not None)
    return {day: name for day, name in days.items() if from_ <= day <= to}


async def _imported(connection: Connection, team: int, from_: date, to: date) -> Days:
    """The days of an imported calendar; whoever imports it writes them with this origin."""
    found = await rows(
        connection,
        "SELECT day, name FROM holiday WHERE team_id = $1 AND origin = 'calendar'"
        " AND day BETWEEN $2 AND $3",
        team,
        from_,
        to,
    )
    return {row["day"]: row["name"] for row in found}


async def keep_country(
    connection: Connection, team: int, now: datetime, horizon: timedelta
) -> None:
    """Write down the days of the team's country from now on, so that paging only looks them up."""
    found = await rows(
        connection,
        "SELECT time_zone, body #> '{holidays,country}' IS NOT NULL AS country,"
        " body -> 'holidays' AS holidays FROM team WHERE id = $1",
        team,
    )
    if not found:
        return
    today = wall_clock(now, found[0]["time_zone"]).date()
    days: Days = {}
    if found[0]["country"]:
        body = mapping(msgspec.json.decode(found[0]["holidays"]))
        country_only = {key: body.get(key) for key in ("country", "subdivision")}
        days = await defined(country_only, today, today + horizon + _AROUND)
    await run(
        connection,
        "DELETE FROM holiday WHERE team_id = $1 AND origin = 'country' AND day >= $2"
        " AND NOT day = ANY($3::date[])",
        team,
        today,
        list(days),
    )
    if not days:
        return
    await run(
        connection,
        "INSERT INTO holiday (team_id, day, origin, name)"
        " SELECT $1, d.day, 'country', d.name FROM unnest($2::date[], $3::text[]) AS d(day, name)"
        " ON CONFLICT (team_id, day, origin) DO UPDATE SET name = excluded.name"
        " WHERE holiday.name <> excluded.name",
        team,
        list(days),
        list(days.values()),
    )


async def prepare(bodies: Iterable[object]) -> None:
    """Learn, in a thread, what `fault_of` will be asked about these `holidays` of teams."""
    places = {place for body in bodies if (place := _place(mapping(body))) is not None}
    if places:
        await asyncio.to_thread(lambda: [fault_of(*place) for place in places])


@lru_cache(maxsize=4096)
def fault_of(country: str, subdivision: str | None) -> str | None:
    """Why there are no holidays of a country or its subdivision, with what to write instead.

    Loads the package unless `prepare` did.
    """
    package = _package()
    try:
        known = package.country_holidays(country).subdivisions
    except NotImplementedError:
        return f"no holidays are known for the country {country!r}; give an ISO code such as DE"
    if subdivision is None or subdivision in known:
        return None
    near = get_close_matches(subdivision.upper(), known, n=1, cutoff=0.3)
    hint = f"did you mean {near[0]}? " if near else ""
    some = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    there = f"{hint}known are {some}" if known else "it has none: leave it out"
    return f"no holidays are known for {subdivision[:40]!r} in {country}; {there}"


def _place(body: Mapping[str, object]) -> Place | None:
    country = body.get("country")
    subdivision = body.get("subdivision")
    if not isinstance(country, str):
        return None
    return country, subdivision if isinstance(subdivision, str) else None


class _Calendar(Protocol):
    subdivisions: tuple[str, ...]

    def items(self) -> Iterable[tuple[date, str]]: ...


class _Package(Protocol):
    def country_holidays(
        self, country: str, subdiv: str | None = None, *, years: Iterable[int] | None = None
    ) -> _Calendar: ...


def _package() -> _Package:
    return cast("_Package", import_module("holidays"))


def _of_country(place: Place, from_: date, to: date) -> Days:
    days: Days = {}
    for year in range(from_.year, to.year + 1):
        days |= _year(place, year)
    return days


@lru_cache(maxsize=4096)
def _year(place: Place, year: int) -> Mapping[date, str]:
    """No days for a place that is unknown: a newer package may have renamed it."""
    if fault_of(*place) is not None:
        return {}
    return dict(_package().country_holidays(*place, years=(year,)).items())


def _own_day(entry: Mapping[str, object]) -> tuple[date, str] | None:
    try:
        day = date.fromisoformat(str(entry.get("date")))
    except ValueError:
        return None  # one that is not in the calendar
    return day, optional_text(entry.get("name")) or "holiday"
