"""Calls about what schedules come to: shifts, gaps, previews."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from starlette.responses import Response

from tocsin.actions import configure, whatif
from tocsin.actions.shown import instant
from tocsin.core.coverage import Limits, TeamPlan
from tocsin.core.schedule import ByOverride, Hole, Schedule, Timeline, as_it_was, told
from tocsin.core.schedule import shifts as shifts_of
from tocsin.store import history, named, names, schedules, standing
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, Preview, ReadTeamConfiguration
from tocsin.web.api.bodies import Moment, Name, Strict
from tocsin.web.problems import Problem, json_response

router = APIRouter(tags=["schedules"])

Object = dict[str, Any]
LONGEST = timedelta(days=400)
_YEARS = range(1900, 8999)
_ANOTHER = "Ask for another time."


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
    rest_hours: float = Field(11, ge=0, le=100, description="Less rest than this is found.")
    nights_in_a_row: int = Field(5, ge=0, le=400, description="More nights than this are found.")

    def limits(self) -> Limits:
        """From when on something is found."""
        return Limits(timedelta(hours=self.rest_hours), self.nights_in_a_row)


class TeamDefinition(Definition):
    """A definition of a whole team, and the team that it is compared with."""

    team: Name | None = None


@router.get("/schedules/{given}/shifts", summary="Final shifts and gaps", response_model=Object)
async def get_shifts(
    asking: ReadTeamConfiguration, given: str, span: Annotated[SpanIn, Query()]
) -> Response:
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
    timeline = await asyncio.to_thread(_worked_out, found, from_, to)
    return await _answer([(found, as_it_was(timeline, *recorded))], punched=punched)


@router.post(
    "/schedules/preview", summary="What a team's definition would come to", response_model=Object
)
async def preview_team(asking: Preview, body: TeamDefinition) -> Response:
    """`definition` is `{time_zone, schedules, holidays, time_off}`; nothing is stored.

    With `team` it is compared with what stands there, overrides made by hand kept on top.
    `warnings` names people who are not known here, time off of people who are on duty then, and
    what works from a later version; `findings` what to watch out for.
    """
    from_, to = _span(asking, body)
    users = await _users(asking)
    standing = before = None
    if body.team is not None:
        async with asking.world.database.transaction() as connection:
            team = await finding.team(connection, asking, body.team)
            standing = await whatif.definition(connection, team.id, from_, to)
        before = await _planned(standing, from_, to)
    found = await configure.preview(body.definition, from_, to, users, standing=standing)
    comparison = await whatif.compare(before, found.plan, body.limits())
    return await _answer(
        found.schedules.values(),
        {"warnings": list(found.warnings)} | whatif.comparison_object(comparison),
    )


@router.post(
    "/schedules/{given}/preview",
    summary="What a changed definition would change",
    response_model=Object,
)
async def preview_schedule(
    asking: ReadTeamConfiguration, given: str, body: Definition, team: Name | None = None
) -> Response:
    """`definition` is one schedule's; answers its shifts and gaps, and which come and go.

    `differences`, `coverage`, `fairness` and `findings` are those of the whole team, in which only
    this schedule changes. Overrides that stand stay; if `definition` names `overrides`, those made
    by hand.
    """
    from_, to = _span(asking, body)
    async with asking.world.database.transaction() as connection:
        owner = await finding.in_team(connection, asking, "schedule", given, team)
        standing = await whatif.definition(connection, owner.team, from_, to)
    former = next(one for one in standing.schedules if one.name == owner.name)
    if "overrides" not in body.definition:
        standing = replace(standing, by_hand={former.name: former.overrides})
    before = await _planned(standing, from_, to)
    definition = {"time_zone": former.time_zone, "schedules": {former.name: body.definition}}
    users = await _users(asking)
    found = await configure.preview(definition, from_, to, users, standing.holidays, standing)
    changed = found.schedules[former.name]
    plan = replace(before, worked_out=tuple(
        changed if one[0] is former else one for one in before.worked_out
    ))  # fmt: skip
    was = next(timeline for schedule, timeline in before.worked_out if schedule is former)
    comparison = await whatif.compare(before, plan, body.limits())
    shown, will_be = await asyncio.to_thread(_shifts, former, was), _shifts(*changed)
    return await _answer(
        [changed],
        {
            "added": _besides(will_be, shown),
            "removed": _besides(shown, will_be),
            "warnings": list(found.warnings),
        }
        | whatif.comparison_object(comparison),
    )


async def _planned(standing: whatif.Definition, from_: datetime, to: datetime) -> TeamPlan:
    try:
        return await whatif.worked_out(standing, from_, to)
    except ValueError as error:
        raise Problem(422, f"{error}.", _ANOTHER) from None


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
    if from_.year not in _YEARS:
        raise Problem(422, "Schedules are worked out for the years 1900 to 8999.", _ANOTHER)
    return from_, to


def _worked_out(schedule: Schedule, from_: datetime, to: datetime) -> Timeline:
    try:
        return shifts_of(schedule, from_, to)
    except ValueError as error:
        raise Problem(422, f"{error}.", _ANOTHER) from None


async def _answer(
    found: Iterable[tuple[Schedule, Timeline]],
    more: Object | None = None,
    punched: Punched = frozenset(),
) -> Response:
    """Written in a thread: a year of hours is megabytes, and somebody may have to be paged."""
    return await asyncio.to_thread(lambda: json_response(_shown(found, punched) | (more or {})))


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


def _besides(
    some: Iterable[Mapping[str, object]], others: Iterable[Mapping[str, object]]
) -> list[Mapping[str, object]]:
    """Those that are not among the others; all have the same keys."""
    known = {tuple(one.values()) for one in others}
    return [one for one in some if tuple(one.values()) not in known]


def _why_nobody(why: Hole, punched: Punched) -> str:
    if isinstance(why, ByOverride):
        override = why.override
        by_hand = override.user is None and override.from_.tzinfo is not None
        if by_hand and override.from_ in punched:
            return "punched out"
    return told(why)
