"""Schedules as values: what the configuration says of rotations and overrides."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from tocsin.core.notation import clock, listing, mapping, moment, optional_text, texts
from tocsin.core.schedule import (
    Combine,
    DailyWindow,
    Day,
    Override,
    Restriction,
    Rotation,
    Schedule,
    Timeline,
    Unit,
    WeeklyWindow,
    shifts,
)
from tocsin.store.db import Connection, rows, run


def schedule_of(
    name: str, body: Mapping[str, object], overrides: Iterable[Mapping[str, object]], zone: str
) -> Schedule:
    """A schedule from its definition in the configuration. Raises `ValueError`."""
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
    )


async def schedules_of_team(connection: Connection, team: int) -> dict[int, Schedule]:
    """A team's schedules by row. Where overrides rival, the first counts.

    So those made by hand stand before the file's, the newest first.
    """
    found = await rows(connection, _SCHEDULES, team)
    return {
        row["id"]: schedule_of(
            row["name"],
            msgspec.json.decode(row["body"]),
            [mapping(item) for item in msgspec.json.decode(row["overrides"])],
            row["time_zone"],
        )
        for row in found
    }


_SCHEDULES = """
SELECT s.id, s.name, s.body, t.time_zone,
  (SELECT coalesce(jsonb_agg(o.body ORDER BY o.file_body IS NULL DESC,
     CASE WHEN o.file_body IS NULL THEN -o.id ELSE o.position END), '[]') FROM schedule_override o
   WHERE o.team_id = s.team_id AND o.schedule_id = s.id) AS overrides
FROM schedule s JOIN team t ON t.id = s.team_id WHERE s.team_id = $1 ORDER BY s.position, s.id
"""


async def timelines(
    connection: Connection, team: int, from_: datetime, to: datetime
) -> dict[str, Timeline]:
    """Shifts and gaps of each schedule of a team by name, as its definition says now."""
    found = await schedules_of_team(connection, team)
    return {schedule.name: shifts(schedule, from_, to) for schedule in found.values()}


async def add_override(
    connection: Connection,
    team: int,
    schedule: int,
    made: Override,
    by: str,
    now: datetime,
    *,
    swap: bool = False,
) -> None:
    """Write an override as people make them by hand; a swap's is marked as such."""
    body = {
        "user": made.user,
        "replaces": made.replaces,
        "from": made.from_.isoformat(),
        "to": made.to.isoformat(),
        "swap": swap or None,
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


def _rotation(body: Mapping[str, object], number: int) -> Rotation:
    handoff, until = body.get("handoff"), body.get("active_until")
    every = body.get("every")
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
    )
