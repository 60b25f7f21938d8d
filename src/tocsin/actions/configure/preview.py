"""What a definition of schedules would come to, without storing it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.actions.configure.blocks import Block, name_fault
from tocsin.actions.configure.calendars import check_absence, check_holidays, check_schedule
from tocsin.actions.configure.check import Check, Known
from tocsin.actions.configure.faults import ConfigureError, Fault, Path
from tocsin.actions.world import PlugIns
from tocsin.core.notation import listing, mapping
from tocsin.core.schedule import Schedule, Timeline, shifts
from tocsin.store.schedules import schedule_of

LONGEST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Preview:
    """Shifts and gaps of each schedule by name, and what else there is to know."""

    schedules: Mapping[str, tuple[Schedule, Timeline]]
    warnings: tuple[str, ...]


def preview(
    definition: Mapping[str, object], from_: datetime, to: datetime, users: Collection[str]
) -> Preview:
    """Shifts and gaps of each schedule of a team in [from_, to).

    The definition is a team's block of the file: `time_zone`, `schedules`, `holidays`, `time_off`.
    Names of people that are not among `users` are worked out all the same, with a warning; so is
    what works from a later version, left out. Raises `ConfigureError`.
    """
    check = _Lenient(Known(users=dict.fromkeys(users, frozenset[str]())), PlugIns())
    block = Block(definition, (), check.faults)
    block.need("time_zone", "schedules")
    zone = check.zone(block)
    for _, schedule in block.named("schedules"):
        check_schedule(schedule, check)
    holidays = block.block("holidays")
    if holidays is not None:
        check_holidays(holidays, check)
    for absence in block.blocks("time_off"):
        check_absence(absence, check)
    block.end()
    if not from_ < to <= from_ + LONGEST:
        check.faults.add(("to",), f"give a time after `from`, at most {LONGEST.days} days later")
    if check.faults.found or zone is None:
        raise ConfigureError(check.faults.found)
    found = {
        name: _worked_out(name, mapping(body), zone, from_, to)
        for name, body in mapping(definition["schedules"]).items()
    }
    later = (f"{thing}: left out here, works from a later version" for thing in sorted(check.later))
    return Preview(found, (*later, *dict.fromkeys(check.notes)))


@dataclass(slots=True)
class _Lenient(Check):
    """A check to which somebody who is not known is no fault."""

    def user(self, path: Path, name: object) -> None:
        """Note a name that is no user's; fault what cannot be a name."""
        if not isinstance(name, str) or name_fault(name) is not None:
            self.faults.add(path, "give the name of a user")
        elif name not in self.known.users:
            self.notes.append(f"there is no user {name[:60]!r} here, or not one of yours to see")


def _worked_out(
    name: str, body: Mapping[str, object], zone: str, from_: datetime, to: datetime
) -> tuple[Schedule, Timeline]:
    try:
        overrides = [mapping(override) for override in listing(body.get("overrides"))]
        schedule = schedule_of(name, body, overrides, zone)
        return schedule, shifts(schedule, from_, to)
    except ValueError as error:
        raise ConfigureError([Fault(("schedules", name), str(error))]) from None
