"""Calls about calendars that are imported, files of shifts, holidays of a year, hours of duty."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from tocsin.actions import calendarbook, configure
from tocsin.actions.calendarbook import Wanted
from tocsin.actions.dutyreport import hours_of_month
from tocsin.core import ids
from tocsin.core.access import Action
from tocsin.core.notation import listing, mapping
from tocsin.store.calendars import Purpose
from tocsin.store.configuration import Kind
from tocsin.store.named import Found
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, May, ReadDuty, ReadTeamConfiguration
from tocsin.web.api.bodies import Name, Strict
from tocsin.web.api.configuration import editor, guard, located
from tocsin.web.problems import Problem

router = APIRouter(tags=["calendars"])

Object = dict[str, Any]
WriteSchedules = Annotated[Asking, Depends(May(Action.WRITE_SCHEDULES))]
WriteTeam = Annotated[Asking, Depends(May(Action.WRITE_TEAM_CONFIGURATION))]

_CSV = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


class NewCalendar(Strict):
    """A calendar to be imported; `people` maps what its entries say to users of the team."""

    team: Name | None = None
    name: Name
    purpose: Purpose
    schedule: Name | None = None
    address: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    people: dict[Name, Name] = Field(default_factory=dict[str, str], max_length=500)


class Holiday(Strict):
    """One holiday of the year: month and day, as SIGNL4's scripts send it, with or without name."""

    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=31)]
    name: Annotated[str, StringConstraints(max_length=200)] | None = None


class HolidaysOfYear(Strict):
    """The days of a year that are holidays beside those of the team's country."""

    days: list[Holiday] = Field(max_length=366)


@router.get("/calendars", summary="Every imported calendar that the caller sees")
async def list_calendars(asking: ReadTeamConfiguration, team: Name | None = None) -> Object:
    """With how each stands; of an address only the host is shown, since the rest may be secret."""
    async with asking.world.database.transaction() as connection:
        teams = list(await finding.teams_seen(connection, asking))
        if team is not None:
            teams = [(await finding.team(connection, asking, team)).id]
    return {"items": await calendarbook.show_calendars(asking.world, teams), "next": None}


@router.post("/calendars", status_code=201, summary="Import a calendar")
async def create_calendar(asking: WriteSchedules, body: NewCalendar, response: Response) -> Object:
    """Its entries become shifts of `schedule`, time off, or holidays of `team`.

    It is read in the background from now on; `state` tells how that goes.
    """
    if (body.purpose is Purpose.SHIFTS) != (body.schedule is not None):
        raise Problem(
            422,
            "body.schedule: a calendar of shifts names the schedule, another names none.",
            "Give `schedule` with the purpose `shifts`, else `team`.",
        )
    async with asking.world.database.transaction() as connection:
        if body.schedule is not None:
            found = await finding.in_team(connection, asking, "schedule", body.schedule, body.team)
            team, schedule = found.team, found.row
        elif body.team is not None:
            team, schedule = (await finding.team(connection, asking, body.team)).id, None
        else:
            raise Problem(422, "body.team: it is missing.", "Name the team that it is for.")
    wanted = Wanted(
        team=team,
        name=body.name,
        purpose=body.purpose,
        schedule=schedule,
        address=body.address,
        people=body.people,
    )
    made = await calendarbook.add_calendar(asking.world, wanted, asking.caller.name)
    return located(response, "calendars", made)


@router.get("/calendars/{given}", summary="One imported calendar")
async def get_calendar(
    asking: ReadTeamConfiguration, given: str, team: Name | None = None
) -> Object:
    """`unknown` has the summaries of entries that name nobody in the team."""
    found = await _calendar(asking, given, team)
    return await calendarbook.show_calendar(asking.world, found.team, found.row)


@router.delete("/calendars/{given}", status_code=204, summary="Forget a calendar")
async def delete_calendar(asking: WriteSchedules, given: str, team: Name | None = None) -> Response:
    """With all that came from it."""
    found = await _calendar(asking, given, team)
    await calendarbook.remove_calendar(asking.world, found.team, found.row)
    return Response(status_code=204)


@router.post("/calendars/{given}/refresh", status_code=202, summary="Read a calendar now")
async def refresh_calendar(asking: WriteSchedules, given: str, team: Name | None = None) -> Object:
    """Answers how it stands at once; the reading follows."""
    found = await _calendar(asking, given, team)
    return await calendarbook.read_calendar_now(asking.world, found.team, found.row)


@router.post("/schedules/{given}/import", summary="Import shifts as CSV", openapi_extra=_CSV)
async def import_shifts(
    asking: WriteSchedules, given: str, request: Request, team: Name | None = None
) -> Object:
    """`Email,Start,End` line by line, as `text/csv`; times without an offset are UTC.

    A row whose Email is `DELETE` takes away what was imported before in its range; a shift takes
    the place of what was imported before in its time. All rows count, or none.
    """
    async with asking.world.database.transaction() as connection:
        found = await finding.in_team(connection, asking, "schedule", given, team)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/csv":
        raise Problem(
            415, "The body is not declared as CSV.", "Send it with `Content-Type: text/csv`."
        )
    try:
        text = (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Problem(422, "The file is not UTF-8.", "Save it as UTF-8.") from None
    return await calendarbook.import_rows(
        asking.world, found.team, found.row, found.name, text, asking.caller.name
    )


@router.put("/teams/{given}/holidays/{year}", summary="The team's own holidays of a year")
async def put_holidays(
    asking: WriteTeam,
    given: str,
    year: Annotated[int, Path(ge=1970, le=2200)],
    body: HolidaysOfYear,
) -> Object:
    """Takes the place of the days of that year which the team's `holidays` name one by one."""
    async with asking.world.database.transaction() as connection:
        team = await finding.team(connection, asking, given)
    reference = ids.encode(0, team.id)
    own = [_day(year, number, day) for number, day in enumerate(body.days)]
    own.sort(key=lambda day: day["date"])

    def altered(held: Mapping[str, object]) -> dict[str, object]:
        holidays = mapping(held.get("holidays"))
        others = [
            day
            for day in listing(holidays.get("days"))
            if not str(mapping(day).get("date")).startswith(f"{year:04}-")
        ]
        return {"holidays": {**holidays, "days": [*others, *own]}}

    changed = await configure.update(
        asking.world,
        Kind.TEAM,
        reference,
        configure.Altering(altered),
        editor(asking),
        guard=guard(asking, "team", given),
    )
    asking.doors.callers.forget()
    return {"team": team.name, "year": year, "days": own, "warnings": changed["warnings"]}


@router.get("/reports/duty-hours", summary="Hours of duty in a month, as CSV")
async def duty_hours(
    asking: ReadDuty,
    team: Name,
    month: Annotated[str, Query(description="like 2026-11", max_length=20)],
) -> Response:
    """`"Name";"Email";"Start";"End";"Hours"`, in the team's zone; nobody's hour counts twice."""
    async with asking.world.database.transaction() as connection:
        found = await finding.team(connection, asking, team)
    text = await hours_of_month(asking.world, found.id, month)
    year, _, number = month.partition("-")
    name = f"{year}_{int(number)}_ShiftReport.csv"  # what SIGNL4 calls it
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    body = text.encode("utf-8-sig")  # a spreadsheet takes it for Latin-1 without the mark
    return Response(body, headers=headers, media_type="text/csv; charset=utf-8")


async def _calendar(asking: Asking, given: str, team: str | None) -> Found:
    async with asking.world.database.transaction() as connection:
        return await finding.in_team(connection, asking, "calendar", given, team)


def _day(year: int, number: int, day: Holiday) -> dict[str, str]:
    try:
        at = date(year, day.month, day.day)
    except ValueError:
        raise Problem(
            422,
            f"body.days.{number}: {year}-{day.month:02}-{day.day:02} is not in the calendar.",
            "Correct it and send the request again; nothing was changed.",
        ) from None
    return {"date": at.isoformat(), **({"name": day.name} if day.name else {})}
