"""Reports on how duty is covered and shared out, as JSON or as CSV."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict, Field

from tocsin.actions import whatif
from tocsin.actions.recorded import Recorded, recorded
from tocsin.actions.shown import instant
from tocsin.core import ids
from tocsin.core.coverage import Coverage, TeamCoverage
from tocsin.core.csvtext import Cell, csv_text
from tocsin.store.dutyrecord import AHEAD
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, ReadDuty
from tocsin.web.api.bodies import AnyTier, Moment, Name, Strict
from tocsin.web.api.finding import TeamRef
from tocsin.web.problems import Problem, json_response

router = APIRouter(tags=["reports"])

Object = dict[str, Any]
LONGEST = timedelta(days=400)
_YEARS = range(1970, 9000)
_HOUR = timedelta(hours=1)
_ALSO_CSV: dict[int | str, Object] = {200: {"content": {"text/csv": {}}}}


class Form(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"


class Asked(Strict):
    """Of which team, and from when to when: the four weeks up to now unless given."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    team: Name
    from_: Moment | None = Field(None, alias="from")
    to: Moment | None = None
    format: Form | None = None


class AskedOfPeople(Asked):
    """The same, in one tier only where that is given."""

    tier: AnyTier | None = None


@router.get(
    "/reports/coverage", summary="How much of the time somebody is on duty", responses=_ALSO_CSV
)
async def coverage(
    asking: ReadDuty, request: Request, asked: Annotated[Asked, Query()]
) -> Response:
    """The past as it was, the future as it is planned, up to 89 days ahead.

    `score` is the part of the time with somebody on duty: in the team in any tier, in each tier,
    and by each schedule alone. It is 1 only where there is no gap; `gaps` has every one. CSV with
    `format=csv` or `Accept: text/csv`, a line for each score.
    """
    team, found = await _recorded(asking, asked)
    covered = await asyncio.to_thread(found.coverage)
    if _form(request, asked) is Form.CSV:
        return _csv("coverage", team, _SCORES, _score_rows(covered))
    return json_response(_head(team, found) | {"coverage": whatif.coverage_object(covered)})


@router.get("/reports/fairness", summary="How duty is shared out", responses=_ALSO_CSV)
async def fairness(
    asking: ReadDuty, request: Request, asked: Annotated[AskedOfPeople, Query()]
) -> Response:
    """Hours, nights, weekends and holidays of every member, on the clock of the team.

    Hours are hours that pass, also where clocks change. A night is 22:00 to 06:00; a night, weekend
    or holiday counts from three hours of it on. CSV with `format=csv` or `Accept: text/csv`.
    """
    team, found = await _recorded(asking, asked)
    shares = await asyncio.to_thread(found.shares, asked.tier and asked.tier.value)
    people = {share.user: whatif.share_object(share) for share in shares}
    if _form(request, asked) is Form.CSV:
        return _csv("fairness", team, _SHARES, _share_rows(people))
    items = [{"user": user, **share} for user, share in people.items()]
    return json_response(_head(team, found) | {"items": items, "next": None})


async def _recorded(asking: Asking, asked: Asked) -> tuple[TeamRef, Recorded]:
    async with asking.world.database.transaction() as connection:
        team = await finding.team(connection, asking, asked.team)
    from_, to = _span(asking.world.clock.now(), asked)
    return team, await recorded(asking.world, team.id, from_, to)


def _span(now: datetime, asked: Asked) -> tuple[datetime, datetime]:
    try:
        to = asked.to or (asked.from_ + timedelta(weeks=4) if asked.from_ else now)
        from_ = asked.from_ or to - timedelta(weeks=4)
        fits = from_ < to <= from_ + LONGEST
    except OverflowError:  # at the end of the calendar
        raise _unfit() from None
    if not fits:
        raise _unfit()
    if from_.year not in _YEARS:
        raise Problem(422, "Reports know the years 1970 to 8999.", "Ask for a later `from`.")
    if to > now + AHEAD:
        raise Problem(
            422,
            f"Shifts are recorded up to {instant(now + AHEAD)} only, and `to` is later.",
            "Ask for an earlier `to`, or for a preview of the schedules.",
        )
    return from_, to


def _unfit() -> Problem:
    return Problem(
        422,
        "`to` is not after `from`, or too long after it.",
        f"Ask for at most {LONGEST.days} days.",
    )


def _head(team: TeamRef, found: Recorded) -> Object:
    return {
        "team": team.name,
        "team_id": ids.encode(0, team.id),
        "time_zone": found.zone,
        "from": instant(found.from_),
        "to": instant(found.to),
    }


def _form(request: Request, asked: Asked) -> Form:
    if asked.format is not None:
        return asked.format
    return Form.CSV if "text/csv" in request.headers.get("accept", "") else Form.JSON


def _csv(what: str, team: TeamRef, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    name = "".join(letter for letter in team.name if letter.isascii() and letter.isalnum())
    return Response(
        csv_text(head, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{what}-{name or team.id}.csv"'},
    )


_SCORES = (
    "scope", "name", "tier", "score", "covered_hours", "hours", "gaps", "longest_gap_hours",
    "first_gap",
)  # fmt: skip


def _score_rows(covered: TeamCoverage) -> Iterable[Sequence[Cell]]:
    yield _score_row("team", "", "", covered.team)
    for tier, one in covered.tiers.items():
        yield _score_row("tier", "", tier, one)
    for place, one in covered.schedules.items():
        yield _score_row("schedule", place.schedule, place.tier, one)


def _score_row(scope: str, name: str, tier: str, one: Coverage) -> Sequence[Cell]:
    longest = max((end - begin for begin, end in one.gaps), default=timedelta())
    first = instant(one.gaps[0][0]) if one.gaps else ""
    return (
        scope, name, tier, one.score, _hours(one.covered), _hours(one.asked), len(one.gaps),
        _hours(longest), first,
    )  # fmt: skip


_SHARES = (
    "user", "hours", "night_hours", "weekend_hours", "holiday_hours", "shifts", "nights",
    "weekends", "holidays",
)  # fmt: skip


def _share_rows(people: Mapping[str, Mapping[str, float]]) -> Iterable[Sequence[Cell]]:
    for user, share in people.items():
        yield (user, *(share[key] for key in _SHARES[1:]))


def _hours(length: timedelta) -> float:
    return round(length / _HOUR, 2)
