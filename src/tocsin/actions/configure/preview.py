"""What a definition of schedules would come to, without storing it."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tocsin.actions.configure.absent import told
from tocsin.actions.configure.blocks import Block, name_fault
from tocsin.actions.configure.calendars import check_calendar
from tocsin.actions.configure.check import Check, Known
from tocsin.actions.configure.faults import ConfigureError, Fault, Path
from tocsin.actions.world import PlugIns
from tocsin.core.notation import listing, mapping
from tocsin.core.schedule import ImportedShift, Schedule, Timeline, shifts
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


async def preview(
    definition: Mapping[str, object],
    from_: datetime,
    to: datetime,
    users: Collection[str],
    days: Mapping[date, str] | None = None,
    imported: Sequence[ImportedShift] = (),
) -> Preview:
    """Shifts and gaps of each schedule of a team in [from_, to).

    The definition is a team's block of the file: `time_zone`, `schedules`, `holidays`, `time_off`;
    `days` are holidays besides those that it names, `imported` what calendars say. Names that are
    not among `users` are worked out all the same, with a warning; so is what works from a later
    version, left out. Time off of somebody who is on duty is told. Raises `ConfigureError`.
    """
    holidays = mapping(definition.get("holidays"))
    await prepare([holidays])
    check = _Lenient(Known(users=dict.fromkeys(users, frozenset[str]())), PlugIns())
    if days is not None and not holidays:
        definition = {**definition, "holidays": {}}
    block = Block(definition, (), check.faults)
    block.need("time_zone", "schedules")
    zone = check_calendar(block, check)
    block.end()
    if not from_ < to <= from_ + LONGEST:
        check.faults.add(("to",), f"give a time after `from`, at most {LONGEST.days} days later")
    if check.faults.found or zone is None:
        raise ConfigureError(check.faults.found)
    low, high = (from_ - _AROUND).date(), (to + _AROUND).date()
    days = {**await defined(holidays, low, high), **(days or {})}
    off = absences_of(definition.get("time_off"))
    found: dict[str, tuple[Schedule, Timeline]] = {}
    warnings = [f"{one}: left out here, works from a later version" for one in sorted(check.later)]
    warnings += dict.fromkeys(check.notes)
    for name, body in mapping(definition["schedules"]).items():
        schedule = replace(_schedule(name, mapping(body), zone, days), imported=tuple(imported))
        found[name] = schedule, _worked_out(schedule, from_, to)
        warnings += told(name, schedule, off, from_, to)
        await asyncio.sleep(0)  # somebody may have to be paged
    return Preview(found, tuple(warnings))


@dataclass(slots=True)
class _Lenient(Check):
    """A check to which somebody who is not known is no fault."""

    def user(self, path: Path, name: object) -> None:
        """Note a name that is no user's; fault what cannot be a name."""
        if not isinstance(name, str) or name_fault(name) is not None:
            self.faults.add(path, "give the name of a user")
        elif name not in self.known.users:
            self.notes.append(f"there is no user {name[:60]!r} here, or not one of yours to see")


def _schedule(
    name: str, body: Mapping[str, object], zone: str, days: Mapping[date, str]
) -> Schedule:
    overrides = [mapping(override) for override in listing(body.get("overrides"))]
    try:
        return schedule_of(name, body, overrides, zone, days)
    except ValueError as error:
        raise ConfigureError([Fault(("schedules", name), str(error))]) from None


def _worked_out(schedule: Schedule, from_: datetime, to: datetime) -> Timeline:
    try:
        return shifts(schedule, from_, to)
    except ValueError as error:
        raise ConfigureError([Fault(("schedules", schedule.name), str(error))]) from None
