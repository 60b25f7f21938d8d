"""What a definition of schedules would come to, without storing it."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tocsin.actions.configure.absent import told
from tocsin.actions.configure.blocks import Block, name_fault
from tocsin.actions.configure.calendars import check_calendar
from tocsin.actions.configure.check import Check, Known
from tocsin.actions.configure.faults import ConfigureError, Fault, Path
from tocsin.actions.whatif import Definition
from tocsin.actions.world import PlugIns
from tocsin.core.coverage import TeamPlan, team_plan, timeline_of
from tocsin.core.notation import listing, mapping
from tocsin.core.schedule import ImportedShift, Schedule, Timeline
from tocsin.store.absences import absences_of
from tocsin.store.holidays import defined, prepare
from tocsin.store.schedules import schedule_of

LONGEST = timedelta(days=400)
_AROUND = timedelta(days=3)  # whatever the zone


@dataclass(frozen=True, slots=True)
class Preview:
    """Shifts and gaps of each schedule by name, and what else there is to know."""

    schedules: Mapping[str, tuple[Schedule, Timeline]]
    warnings: tuple[str, ...]
    plan: TeamPlan


async def preview(
    definition: Mapping[str, object],
    from_: datetime,
    to: datetime,
    users: Collection[str],
    days: Mapping[date, str] | None = None,
    standing: Definition | None = None,
) -> Preview:
    """Shifts and gaps of each schedule of a team in [from_, to).

    The definition is a team's block of the file: `time_zone`, `schedules`, `holidays`, `time_off`;
    `days` are holidays besides those that it names, `standing` what stands of the team, whose
    overrides made by hand stay on top. Names of people that are not among `users` are worked out
    all the same, with a warning; so is what works from a later version, left out. Time off of
    somebody who is on duty is told. Raises `ConfigureError`.
    """
    holidays = mapping(definition.get("holidays"))
    await prepare([holidays])
    check = _Lenient(Known(users=dict.fromkeys(users, frozenset[str]())), PlugIns())
    _check_span(from_, to, check)
    if days is not None and not holidays:
        definition = {**definition, "holidays": {}}
    zone = _zone_of(definition, check)
    days = {**await _days(holidays, from_, to), **(days or {})}
    off = absences_of(definition.get("time_off"))
    warnings = [f"{one}: left out here, works from a later version" for one in sorted(check.later)]
    warnings += dict.fromkeys(check.notes)
    found: dict[str, tuple[Schedule, Timeline]] = {}
    for name, body in mapping(definition["schedules"]).items():
        schedule = _schedule(name, mapping(body), zone, days)
        schedule = replace(schedule, imported=_imported(standing, name))
        # In a thread: it may take seconds, in which somebody may have to be paged.
        found[name] = await asyncio.to_thread(_worked_out, schedule, from_, to, standing)
        _check_size(found)
        warnings += await asyncio.to_thread(told, name, found[name][0], off, from_, to)
    plan = await asyncio.to_thread(
        team_plan, found.values(), from_, to, zone=zone, holidays=days, absences=off
    )
    paged_by: Mapping[str, tuple[str, ...]] = {} if standing is None else standing.paged_by
    return Preview(found, tuple(warnings), replace(plan, paged_by=paged_by))


MOST_SHIFTS = 100_000
"""In one preview: more is no picture of anything, and takes long to work out."""


def _check_size(found: Mapping[str, tuple[Schedule, Timeline]]) -> None:
    count = sum(len(timeline.shifts) for _, timeline in found.values())
    if count > MOST_SHIFTS:
        what = f"that is more than {MOST_SHIFTS:,} shifts: ask for a shorter time"
        raise ConfigureError([Fault(("to",), what)])


def _check_span(from_: datetime, to: datetime, check: Check) -> None:
    if not from_ < to <= from_ + LONGEST:
        check.faults.add(("to",), f"give a time after `from`, at most {LONGEST.days} days later")


async def _days(
    holidays: Mapping[str, object], from_: datetime, to: datetime
) -> Mapping[date, str]:
    return await defined(holidays, (from_ - _AROUND).date(), (to + _AROUND).date())


def _imported(standing: Definition | None, schedule: str) -> tuple[ImportedShift, ...]:
    """What calendars say of a schedule that there is."""
    there = () if standing is None else standing.schedules
    return next((one.imported for one in there if one.name == schedule), ())


@dataclass(slots=True)
class _Lenient(Check):
    """A check to which somebody who is not known is no fault."""

    def user(self, path: Path, name: object) -> None:
        """Note a name that is no user's; fault what cannot be a name."""
        if not isinstance(name, str) or name_fault(name) is not None:
            self.faults.add(path, "give the name of a user")
        elif name not in self.known.users:
            self.notes.append(f"there is no user {name[:60]!r} here, or not one of yours to see")


def _zone_of(definition: Mapping[str, object], check: _Lenient) -> str:
    block = Block(definition, (), check.faults)
    block.need("time_zone", "schedules")
    zone = check_calendar(block, check)
    block.end()
    if check.faults.found or zone is None:
        raise ConfigureError(check.faults.found)
    return zone


def _schedule(
    name: str, body: Mapping[str, object], zone: str, days: Mapping[date, str]
) -> Schedule:
    overrides = [mapping(override) for override in listing(body.get("overrides"))]
    try:
        return schedule_of(name, body, overrides, zone, days)
    except ValueError as error:
        raise ConfigureError([Fault(("schedules", name), str(error))]) from None


def _worked_out(
    schedule: Schedule, from_: datetime, to: datetime, standing: Definition | None
) -> tuple[Schedule, Timeline]:
    gone = frozenset[str]()
    if standing is not None:
        by_hand = standing.by_hand.get(schedule.name, ())
        schedule, gone = replace(schedule, overrides=by_hand + schedule.overrides), standing.gone
    try:
        return schedule, timeline_of(schedule, from_, to, gone)
    except ValueError as error:
        raise ConfigureError([Fault(("schedules", schedule.name), str(error))]) from None
