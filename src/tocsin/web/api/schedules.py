"""Calls about what schedules come to: shifts, gaps, previews."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from tocsin.actions import configure
from tocsin.actions.shown import instant
from tocsin.core.schedule import ByOverride, Hole, Schedule, Timeline, as_it_was, told
from tocsin.core.schedule import shifts as shifts_of
from tocsin.store import history, holidays, named, names, schedules, standing
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, Preview, ReadTeamConfiguration
from tocsin.web.api.bodies import Moment, Name, Strict
from tocsin.web.problems import Problem

router = APIRouter(tags=["schedules"])

Object = dict[str, Any]
LONGEST = timedelta(days=400)


class Span(Strict):
    """A length of time: four weeks from now unless given."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: Moment | None = Field(None, alias="from")
    to: Moment | None = None


class SpanIn(Span):
    """A length of time within one team."""

    team: Name | None = None


class Definition(Span):
    """A definition as the configuration file has it, and the time to work it out for."""

    definition: dict[str, Any]


@router.get("/schedules/{given}/shifts", summary="Final shifts and gaps")
async def get_shifts(
    asking: ReadTeamConfiguration, given: str, span: Annotated[SpanIn, Query()]
) -> Object:
    """With overrides applied: the past as it was, what comes as the schedule says now.

    `why` of a shift: `rotation NAME`, `holiday NAME` (a rotation for holidays), `event`,
    `calendar NAME` (imported), `override`, `swap`, `temporary`. `why` of a gap: `override`,
    `swap`, `temporary` or `punched out` where one of these made it, null where nobody was planned.
    """
    from_, to = _span(asking, span)
    found, punched = await _schedule(asking, given, span.team, (from_, to))
    past = min(to, asking.world.clock.now())
    async with asking.world.database.transaction() as connection:
        owner = await finding.in_team(connection, asking, "schedule", given, span.team)
        recorded = await history.recorded(connection, owner.team, owner.row, from_, past)
    return _shown([(found, as_it_was(_worked_out(found, from_, to), *recorded))], punched)


@router.post("/schedules/preview", summary="What a team's definition would come to")
async def preview_team(asking: Preview, body: Definition) -> Object:
    """`definition` is `{time_zone, schedules, holidays, time_off}`; nothing is stored.

    `warnings` names people who are not known here, time off of people who are on duty then, and
    what works from a later version.
    """
    from_, to = _span(asking, body)
    found = await configure.preview(body.definition, from_, to, await _users(asking))
    return _shown(found.schedules.values()) | {"warnings": list(found.warnings)}


@router.post("/schedules/{given}/preview", summary="What a changed definition would change")
async def preview_schedule(
    asking: ReadTeamConfiguration, given: str, body: Definition, team: Name | None = None
) -> Object:
    """`definition` is one schedule's; answers its shifts and gaps, and which come and go."""
    from_, to = _span(asking, body)
    former, _ = await _schedule(asking, given, team, (from_, to))
    async with asking.world.database.transaction() as connection:
        owner = await finding.in_team(connection, asking, "schedule", given, team)
        days = await holidays.holidays_of(connection, owner.team, from_, to)
    definition = {"time_zone": former.time_zone, "schedules": {former.name: body.definition}}
    users = await _users(asking)
    found = await configure.preview(definition, from_, to, users, days, former.imported)
    changed = found.schedules[former.name]
    before = _shifts(former, _worked_out(former, from_, to))
    after = _shifts(*changed)
    return _shown([changed]) | {
        "added": [shift for shift in after if shift not in before],
        "removed": [shift for shift in before if shift not in after],
        "warnings": list(found.warnings),
    }


async def _users(asking: Asking) -> set[str]:
    """The names of the users that the caller sees."""
    async with asking.world.database.transaction() as connection:
        if asking.caller.everywhere:
            return set(await named.all_users(connection))
        teams = await finding.teams_seen(connection, asking)
        people = await named.people_of(connection, teams)
        found = await names.user_names(connection, (*people, asking.caller.user))
    return set(found.values())


Punched = frozenset[datetime]
"""When somebody was punched out: there the holes begin that they left."""


async def _schedule(
    asking: Asking, given: str, team: str | None, span: tuple[datetime, datetime]
) -> tuple[Schedule, Punched]:
    async with asking.world.database.transaction() as connection:
        found = await finding.in_team(connection, asking, "schedule", given, team)
        every = await schedules.schedules_of_team(connection, found.team, *span)
        punched = await standing.punched_out(connection, found.team, found.row)
    return every[found.row], punched


def _span(asking: Asking, span: Span) -> tuple[datetime, datetime]:
    from_ = span.from_ or asking.world.clock.now()
    try:
        to = span.to or from_ + timedelta(weeks=4)
        fits = from_ < to <= from_ + LONGEST
    except OverflowError:  # at the end of the calendar
        to, fits = from_, False
    if not fits:
        raise Problem(
            422,
            "`to` is not after `from`, or too long after it.",
            f"Ask for at most {LONGEST.days} days.",
        )
    return from_, to


def _worked_out(schedule: Schedule, from_: datetime, to: datetime) -> Timeline:
    try:
        return shifts_of(schedule, from_, to)
    except ValueError as error:
        raise Problem(422, f"{error}.", "Ask for another time.") from None


def _shown(found: Iterable[tuple[Schedule, Timeline]], punched: Punched = frozenset()) -> Object:
    found = list(found)
    return {
        "shifts": [shift for one in found for shift in _shifts(*one)],
        "gaps": [
            {
                "schedule": schedule.name,
                "tier": schedule.tier,
                "from": instant(gap.from_),
                "to": instant(gap.to),
                "why": _why_nobody(gap.why, punched) if gap.why else None,
            }
            for schedule, timeline in found
            for gap in timeline.gaps
        ],
    }


def _shifts(schedule: Schedule, timeline: Timeline) -> list[Mapping[str, object]]:
    return [
        {
            "schedule": schedule.name,
            "tier": schedule.tier,
            "user": shift.user,
            "from": instant(shift.from_),
            "to": instant(shift.to),
            "why": told(shift.why),
        }
        for shift in timeline.shifts
    ]


def _why_nobody(why: Hole, punched: Punched) -> str:
    if isinstance(why, ByOverride):
        override = why.override
        by_hand = override.user is None and override.from_.tzinfo is not None
        if by_hand and override.from_ in punched:
            return "punched out"
    return told(why)
