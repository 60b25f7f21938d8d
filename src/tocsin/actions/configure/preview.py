"""What a definition of schedules would come to, without storing it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tocsin.actions.configure.blocks import Block
from tocsin.actions.configure.calendars import check_absence, check_holidays, check_schedule
from tocsin.actions.configure.check import Check, Known
from tocsin.actions.configure.faults import ConfigureError, Fault
from tocsin.actions.world import PlugIns
from tocsin.core.notation import listing, mapping
from tocsin.core.schedule import Schedule, Timeline, shifts
from tocsin.store.schedules import schedule_of

LONGEST = timedelta(days=400)


def preview(
    definition: Mapping[str, object], from_: datetime, to: datetime
) -> dict[str, tuple[Schedule, Timeline]]:
    """Shifts and gaps of each schedule of a team, by name, in [from_, to).

    The definition is a team's block of the file: `time_zone`, `schedules`, `holidays`, `time_off`.
    Names of people need not be known here. Raises `ConfigureError`.
    """
    check = Check(Known(users=dict.fromkeys(_people(definition), frozenset[str]())), PlugIns())
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
    return {
        name: _worked_out(name, mapping(body), zone, from_, to)
        for name, body in mapping(definition["schedules"]).items()
    }


def _worked_out(
    name: str, body: Mapping[str, object], zone: str, from_: datetime, to: datetime
) -> tuple[Schedule, Timeline]:
    try:
        overrides = [mapping(override) for override in listing(body.get("overrides"))]
        schedule = schedule_of(name, body, overrides, zone)
        return schedule, shifts(schedule, from_, to)
    except ValueError as error:
        raise ConfigureError([Fault(("schedules", name), str(error))]) from None


def _people(value: object) -> set[str]:
    """Every text in the definition: whoever stands where a person is meant is taken for one."""
    if isinstance(value, str):
        return {value}
    inner = [*mapping(value).values(), *listing(value)]
    return {name for item in inner for name in _people(item)}
