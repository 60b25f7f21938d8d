"""The rules for schedules, rotations, restrictions, overrides, events, holidays, absences."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from tocsin.actions.configure.blocks import Block
from tocsin.actions.configure.check import Check
from tocsin.actions.configure.faults import place_of
from tocsin.core.localtime import instant, wall_clock
from tocsin.core.notation import listing
from tocsin.core.schedule import Combine, Day, OnHolidays, Override, Unit, open_between
from tocsin.core.timewindow import first_time, window
from tocsin.store.holidays import fault_of
from tocsin.store.schedules import restrictions_of

TIERS = ("1", "2", "3", "manager")
_DAYS = tuple(Day)
_COUNTRY = re.compile(r"[A-Z]{2,3}")


@dataclass(frozen=True, slots=True)
class _Team:
    """What the schedules of a team depend on; `zone` is None where it is not known."""

    zone: str | None
    has_holidays: bool


def check_calendar(block: Block, check: Check) -> str | None:
    """The keys of a team that say who is on duty; answers the zone where it is one."""
    zone = check.zone(block)
    holidays = block.block("holidays")
    if holidays is not None:
        check_holidays(holidays)
    team = _Team(zone, holidays is not None)
    for _, schedule in block.named("schedules"):
        _schedule(schedule, check, team)
    for absence in block.blocks("time_off"):
        check_absence(absence, check, zone)
    return zone


def _schedule(block: Block, check: Check, team: _Team) -> None:
    block.choice("tier", TIERS)
    block.choice("combine", tuple(Combine))
    for rotation in block.blocks("rotations"):
        _rotation(rotation, check, team)
    for override in block.blocks("overrides"):
        check_override(override, check, team.zone)
    for temporary in block.blocks("temporary"):
        _temporary(temporary, check, team.zone)
    for event in block.blocks("events"):
        _event(event, check, team.zone)
    block.end()


def check_override(block: Block, check: Check, zone: str | None) -> None:
    """One entry of a schedule's `overrides`."""
    for key in ("user", "replaces"):
        if (name := block.raw(key)) is not None:
            check.user((*block.path, key), name)
    extra = block.flag("extra") or False
    period = _period(block, zone)
    block.end()
    if period is None:
        return
    user, replaces = block.raw("user"), block.raw("replaces")
    try:
        Override(
            *period,
            user=None if user is None else str(user),
            replaces=None if replaces is None else str(replaces),
            extra=extra,
        )
    except ValueError as error:
        block.fault(None, str(error))


def check_holidays(block: Block) -> None:
    """A team's `holidays`."""
    country, subdivision = block.text("country"), block.text("subdivision")
    if country is None:
        if subdivision is not None:
            block.fault("subdivision", "give the country that it belongs to as `country`")
    elif not _COUNTRY.fullmatch(country):
        block.fault("country", "give the ISO code of a country, such as DE")
    elif fault_of(country, None) is not None:
        block.fault("country", fault_of(country, None) or "")
    elif (fault := fault_of(country, subdivision)) is not None:
        block.fault("subdivision", fault)
    for day in block.blocks("days"):
        day.need("date")
        _day(day)
        day.text("name")
        day.end()
    address = block.text("calendar", most=2000)
    if address is not None and not address.startswith(("https://", "http://")):
        block.fault("calendar", "give the address of an iCalendar file: https://...")
    block.end()


def _day(block: Block) -> None:
    text = block.text("date")
    try:
        if text is not None:
            date.fromisoformat(text)
    except ValueError:
        block.fault("date", f"{text!r} is not a day of the calendar such as 2026-12-24")


def check_absence(block: Block, check: Check, zone: str | None) -> None:
    """One entry of a team's `time_off`."""
    block.need("user")
    check.user((*block.path, "user"), block.raw("user") or "")
    _period(block, zone)
    block.end()


def _rotation(block: Block, check: Check, team: _Team) -> None:
    block.text("name")
    block.need("participants", "start")
    _participants(block, check)
    moments = {key: block.moment(key) for key in ("start", "handoff", "active_until")}
    for key in ("start", "handoff"):
        moment = moments[key]
        if moment is not None and moment.tzinfo is not None:
            block.fault(key, "a rotation keeps wall-clock time: leave out the offset")
    block.choice("unit", tuple(Unit))
    block.number("every", 1, 9999)
    zone = check.zone(block) or team.zone
    sort = block.choice("on_holidays", tuple(OnHolidays))
    if sort == OnHolidays.ONLY and not team.has_holidays:
        what = "the team has no holidays, so nobody would ever be on duty: give it `holidays`"
        block.fault("on_holidays", what)
    block.flag("skip_closed_periods")
    before = len(check.faults.found)
    for restriction in block.blocks("restrictions"):
        check_window(restriction)
    start, until = moments["start"], moments["active_until"]
    if start is not None and until is not None and len(check.faults.found) == before:
        _ever_active(block, start, until, zone)
    block.end()


def _participants(block: Block, check: Check) -> None:
    for path, entry in block.entries("participants"):
        if isinstance(entry, list):
            group = listing(cast("object", entry))
            if not group:
                check.faults.add(path, "name at least one user of this group, or leave it out")
            for place, user in enumerate(group):
                check.user((*path, place), user)
        else:
            check.user(path, entry)
    if block.raw("participants") == []:
        block.fault("participants", "name at least one participant")


def _ever_active(block: Block, start: datetime, until: datetime, zone: str | None) -> None:
    """Fault a rotation that ends before it begins, or before any restriction opens."""
    end = until
    if until.tzinfo is not None:
        if zone is None:
            return
        end = wall_clock(until, zone)
    if start.tzinfo is not None:
        return
    if end <= start:
        block.fault("active_until", "it ends before it begins")
        return
    restrictions = restrictions_of(block.value.get("restrictions"))
    if next(open_between(restrictions, start, end), None) is None:
        what = "no restriction opens between `start` and this, so nobody would ever be on duty"
        block.fault("active_until", what)


def check_window(block: Block) -> None:
    """A window of the week: a rotation's restriction, a person's quiet hours."""
    if "from_day" in block.value or "to_day" in block.value:
        block.need("from_day", "from", "to_day", "to")
        block.choice("from_day", _DAYS)
        block.choice("to_day", _DAYS)
    else:
        block.need("days", "from", "to")
        block.choices("days", _DAYS)
    block.clock("from")
    block.clock("to")
    if block.value.get("from") == "24:00":
        block.fault("from", '"24:00" stands only at the end; begin at "00:00"')
    block.end()


def _temporary(block: Block, check: Check, zone: str | None) -> None:
    whole = _period(block, zone)
    for shift in block.blocks("shifts"):
        shift.need("user")
        check.user((*shift.path, "user"), shift.raw("user") or "")
        period = _period(shift, zone)
        if whole is not None and period is not None and _apart(whole, period, zone):
            shift.fault(None, "it lies outside the temporary schedule that it belongs to")
        shift.end()
    block.end()


def _event(block: Block, check: Check, zone: str | None) -> None:
    block.need("users")
    for path, user in block.entries("users"):
        check.user(path, user)
    if block.raw("users") == []:
        block.fault("users", "name at least one user")
    period = _period(block, zone)
    rrule = block.text("rrule", most=1000)
    block.end()
    if period is None or rrule is None:
        return
    try:
        made = window(*period, rrule, zone or "UTC")
    except ValueError as error:
        block.fault("rrule", str(error))
        return
    opens = first_time(made)
    if opens is not None and opens != made.begin:
        what = f"`from` is no time of `rrule`: it begins for the first time at {opens.isoformat()}"
        check.notes.append(f"{place_of(block.path)}: {what}")


_Period = tuple[datetime, datetime]


def _period(block: Block, zone: str | None) -> _Period | None:
    block.need("from", "to")
    begin, end = block.moment("from"), block.moment("to")
    if begin is None or end is None:
        return None
    first, last = begin, end
    if (begin.tzinfo is None) != (end.tzinfo is None):
        if zone is None:
            return begin, end
        first, last = instant(begin, zone), instant(end, zone)
    if last <= first:
        block.fault("to", "it ends before it begins")
        return None
    return begin, end


def _apart(whole: _Period, part: _Period, zone: str | None) -> bool:
    (begin, end), (first, last) = (
        tuple(instant(at, zone or "UTC") for at in period) for period in (whole, part)
    )
    return last <= begin or end <= first
