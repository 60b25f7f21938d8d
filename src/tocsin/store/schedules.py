"""Schedules as values: what the configuration says of rotations, events, overrides."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

import msgspec

from tocsin.core.notation import (
    clock,
    listing,
    mapping,
    moment,
    optional_text,
    texts,
    utc_text,
)
from tocsin.core.schedule import (
    Combine,
    DailyWindow,
    Day,
    Event,
    FixedShift,
    Kept,
    KeptShift,
    OnHolidays,
    Override,
    Restriction,
    Rotation,
    Schedule,
    Temporary,
    Unit,
    WeeklyWindow,
)
from tocsin.core.timewindow import window
from tocsin.store import holidays, imports
from tocsin.store.db import Connection, rows, run
from tocsin.store.overrides import ends_after

_NO_DAYS: Mapping[date, str] = {}


def schedule_of(
    name: str,
    body: Mapping[str, object],
    overrides: Iterable[Mapping[str, object]],
    zone: str,
    days: Mapping[date, str] = _NO_DAYS,
) -> Schedule:
    """A schedule from its definition in the configuration; `days` are the team's holidays.

    Raises `ValueError`.
    """
    return Schedule(
        name=name,
        tier=str(body.get("tier") or 1),
        time_zone=zone,
        rotations=tuple(
            _rotation(mapping(rotation), number)
            for number, rotation in enumerate(listing(body.get("rotations")), start=1)
        ),
        overrides=tuple(_override(override) for override in overrides),
        combine=Combine(str(body.get("combine") or Combine.LAST_WINS)),
        events=tuple(_event(mapping(event), zone) for event in listing(body.get("events"))),
        temporary=tuple(_temporary(mapping(one)) for one in listing(body.get("temporary"))),
        holidays=days,
    )


def asks_for_holidays(body: Mapping[str, object]) -> bool:
    """Whether a schedule depends on the team's holidays."""
    rotations = listing(body.get("rotations"))
    return any(mapping(rotation).get("on_holidays") is not None for rotation in rotations)


async def schedules_of_team(
    connection: Connection,
    team: int,
    from_: datetime,
    to: datetime,
    only: Sequence[int] | None = None,
) -> dict[int, Schedule]:
    """A team's schedules by row (or `only` these), with holidays and imported shifts of a time.

    Others of this process run in between. Where overrides rival, the first counts: so those made by
    hand stand before the file's, the newest first.
    """
    wanted = None if only is None else list(only)
    found = await rows(connection, _SCHEDULES, team, wanted, from_)
    bodies = [mapping(msgspec.json.decode(row["body"])) for row in found]
    days: Mapping[date, str] = _NO_DAYS
    if any(map(asks_for_holidays, bodies)):
        days = await holidays.holidays_of(connection, team, from_, to)
    shifts = await imports.shifts_of(connection, team, from_, to, only)
    made: dict[int, Schedule] = {}
    for row, body in zip(found, bodies, strict=True):
        overrides = [mapping(item) for item in msgspec.json.decode(row["overrides"])]
        schedule = schedule_of(row["name"], body, overrides, row["time_zone"], days)
        number: int = row["id"]
        kept, imported = _kept(row["kept"]), shifts.get(number, ())
        made[number] = replace(schedule, kept=kept, imported=imported)
        await asyncio.sleep(0)  # somebody may have to be paged
    return made


async def made_here(connection: Connection, team: int) -> dict[str, tuple[Override, ...]]:
    """The overrides of a team that no file made, the newest first, by name of the schedule."""
    found = await rows(
        connection,
        "SELECT s.name, o.body FROM schedule_override o"
        " JOIN schedule s ON s.team_id = o.team_id AND s.id = o.schedule_id"
        " WHERE o.team_id = $1 AND o.file_body IS NULL ORDER BY o.id DESC",
        team,
    )
    made: dict[str, tuple[Override, ...]] = {}
    for row in found:
        override = _override(mapping(msgspec.json.decode(row["body"])))
        made[row["name"]] = (*made.get(row["name"], ()), override)
    return made


async def keep(connection: Connection, team: int, schedule: int, kept: Kept | None) -> None:
    """Remember what an edit keeps until the running shifts end, or that it keeps nothing."""
    body = None if kept is None else msgspec.json.encode(_kept_body(kept)).decode()
    await run(
        connection,
        "UPDATE schedule SET kept = $3::jsonb WHERE team_id = $1 AND id = $2",
        team,
        schedule,
        body,
    )


_SCHEDULES = f"""
SELECT s.id, s.name, s.body, s.kept, t.time_zone,
  (SELECT coalesce(jsonb_agg(o.body ORDER BY o.file_body IS NULL DESC,
     CASE WHEN o.file_body IS NULL THEN -o.id ELSE o.position END), '[]') FROM schedule_override o
   WHERE o.team_id = s.team_id AND o.schedule_id = s.id AND {ends_after("$3")}) AS overrides
FROM schedule s JOIN team t ON t.id = s.team_id
WHERE s.team_id = $1 AND ($2::bigint[] IS NULL OR s.id = ANY($2))
ORDER BY s.position, s.id
"""  # noqa: S608 - words of our own


async def schedule_rows(connection: Connection, team: int) -> list[int]:
    """The rows of a team's schedules."""
    found = await rows(
        connection, "SELECT id FROM schedule WHERE team_id = $1 ORDER BY position, id", team
    )
    return [row["id"] for row in found]


def _rotation(body: Mapping[str, object], number: int) -> Rotation:
    handoff, until = body.get("handoff"), body.get("active_until")
    every, on_holidays = body.get("every"), body.get("on_holidays")
    return Rotation(
        name=str(body.get("name") or f"rotation {number}"),
        participants=tuple(_group(entry) for entry in listing(body.get("participants"))),
        start=moment(str(body["start"])),
        unit=Unit(str(body.get("unit") or Unit.WEEK)),
        every=every if isinstance(every, int) else 1,
        handoff=None if handoff is None else moment(str(handoff)),
        active_until=None if until is None else moment(str(until)),
        time_zone=optional_text(body.get("time_zone")),
        restrictions=restrictions_of(body.get("restrictions")),
        skip_closed_periods=body.get("skip_closed_periods") is True,
        on_holidays=None if on_holidays is None else OnHolidays(str(on_holidays)),
    )


def _group(entry: object) -> tuple[str, ...]:
    return texts(entry) or (str(entry),)


def restrictions_of(value: object) -> tuple[Restriction, ...]:
    """Windows of the week as the configuration writes them. Raises `ValueError`, `KeyError`."""
    return tuple(_restriction(mapping(entry)) for entry in listing(value))


def _restriction(body: Mapping[str, object]) -> Restriction:
    from_, to = clock(str(body["from"])), clock(str(body["to"]))
    if "from_day" in body:
        return WeeklyWindow(Day(str(body["from_day"])), from_, Day(str(body["to_day"])), to)
    return DailyWindow(tuple(Day(day) for day in texts(body["days"])), from_, to)


def _override(body: Mapping[str, object]) -> Override:
    return Override(
        from_=moment(str(body["from"])),
        to=moment(str(body["to"])),
        user=optional_text(body.get("user")),
        replaces=optional_text(body.get("replaces")),
        extra=body.get("extra") is True,
        swap=body.get("swap") is True,
    )


def _event(body: Mapping[str, object], zone: str) -> Event:
    begin, end = moment(str(body["from"])), moment(str(body["to"]))
    return Event(
        texts(body.get("users")), window(begin, end, optional_text(body.get("rrule")), zone)
    )


def _temporary(body: Mapping[str, object]) -> Temporary:
    shifts = (mapping(shift) for shift in listing(body.get("shifts")))
    return Temporary(
        from_=moment(str(body["from"])),
        to=moment(str(body["to"])),
        shifts=tuple(
            FixedShift(str(one["user"]), moment(str(one["from"])), moment(str(one["to"])))
            for one in shifts
        ),
    )


def _kept(text: str | None) -> Kept | None:
    if text is None:
        return None
    body = mapping(msgspec.json.decode(text))
    return Kept(
        from_=moment(str(body["from"])),
        to=moment(str(body["to"])),
        shifts=tuple(
            KeptShift(
                user=str(one["user"]),
                from_=moment(str(one["from"])),
                to=moment(str(one["to"])),
                why=str(one["why"]),
            )
            for one in (mapping(shift) for shift in listing(body.get("shifts")))
        ),
    )


def _kept_body(kept: Kept) -> dict[str, object]:
    return {
        "from": utc_text(kept.from_),
        "to": utc_text(kept.to),
        "shifts": [
            {
                "user": one.user,
                "from": utc_text(one.from_),
                "to": utc_text(one.to),
                "why": one.why,
            }
            for one in kept.shifts
        ],
    }
