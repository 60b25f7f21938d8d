"""Plans for tests of coverage: a team in Berlin."""

from datetime import date, datetime, timedelta
from typing import TypedDict

from tocsin.core.coverage import Kind, Limits, TeamPlan, findings, team_plan, timeline_of, told
from tocsin.core.localtime import resolve
from tocsin.core.schedule import Absence, Restriction, Rotation, Schedule, Unit

BERLIN = "Europe/Berlin"
HOUR = timedelta(hours=1)
START = datetime.fromisoformat("2026-01-05T09:00")


class Between(TypedDict):
    """From when to when, on the clock in Berlin."""

    from_: str
    to: str


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def berlin(text: str) -> datetime:
    return resolve(wall(text), BERLIN)


def rotation(
    *people: str,
    unit: Unit = Unit.WEEK,
    start: datetime = START,
    restrictions: tuple[Restriction, ...] = (),
) -> Rotation:
    participants = tuple((one,) for one in people)
    return Rotation("r", participants, start, unit, restrictions=restrictions)


def plan(
    *schedules: Schedule,
    from_: str,
    to: str,
    holidays: tuple[str, ...] = (),
    absences: tuple[Absence, ...] = (),
) -> TeamPlan:
    days = {date.fromisoformat(day): "holiday" for day in holidays}
    span = berlin(from_), berlin(to)
    worked_out = [(one, timeline_of(one, *span)) for one in schedules]
    return team_plan(worked_out, *span, zone=BERLIN, holidays=days, absences=absences)


def schedule(*rotations: Rotation, name: str = "primary", tier: str = "1") -> Schedule:
    return Schedule(name, tier, BERLIN, rotations)


def found(one: TeamPlan, kind: Kind, limits: Limits | None = None) -> list[str]:
    every = findings(one, limits or Limits())
    return [told(finding, BERLIN) for finding in every if finding.kind is kind]
