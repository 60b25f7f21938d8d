"""The rules for schedules, rotations, restrictions, overrides, absences."""

import re
from datetime import datetime
from typing import cast

from tocsin.actions.configure.blocks import Block
from tocsin.actions.configure.check import Check
from tocsin.core.notation import listing
from tocsin.core.schedule import Combine, Day, Override, Unit

TIERS = ("1", "2", "3", "manager")
_DAYS = tuple(Day)
_COUNTRY = re.compile(r"[A-Z]{2,3}")


def check_schedule(block: Block, check: Check) -> None:
    """One entry of a team's `schedules`."""
    block.choice("tier", TIERS)
    block.choice("combine", tuple(Combine))
    for rotation in block.blocks("rotations"):
        _rotation(rotation, check)
    for override in block.blocks("overrides"):
        check_override(override, check)
    for temporary in block.blocks("temporary"):
        check.waits("schedule: temporary")
        _temporary(temporary, check)
    for event in block.blocks("events"):
        check.waits("schedule: events")
        _event(event, check)
    block.end()


def check_override(block: Block, check: Check) -> None:
    """One entry of a schedule's `overrides`."""
    for key in ("user", "replaces"):
        if (name := block.raw(key)) is not None:
            check.user((*block.path, key), name)
    extra = block.flag("extra") or False
    block.flag("swap")  # a swap marks the overrides that it makes
    period = _period(block)
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


def check_holidays(block: Block, check: Check) -> None:
    """A team's `holidays`."""
    check.waits("team: holidays")
    country = block.text("country")
    if country is not None and not _COUNTRY.fullmatch(country):
        block.fault("country", "give the ISO code of a country, such as DE")
    block.text("subdivision")
    for day in block.blocks("days"):
        day.need("date")
        day.moment("date")
        day.text("name")
        day.end()
    address = block.text("calendar", most=2000)
    if address is not None and not address.startswith(("https://", "http://")):
        block.fault("calendar", "give the address of an iCalendar file: https://...")
    block.end()


def check_absence(block: Block, check: Check) -> None:
    """One entry of a team's `time_off`."""
    check.waits("team: time_off")
    block.need("user")
    check.user((*block.path, "user"), block.raw("user") or "")
    _period(block)
    block.end()


def _rotation(block: Block, check: Check) -> None:
    block.text("name")
    block.need("participants", "start")
    for path, entry in block.entries("participants"):
        if isinstance(entry, list):
            for place, user in enumerate(listing(cast("object", entry))):
                check.user((*path, place), user)
        else:
            check.user(path, entry)
    if block.raw("participants") == []:
        block.fault("participants", "name at least one participant")
    for key in ("start", "handoff"):
        moment = block.moment(key)
        if moment is not None and moment.tzinfo is not None:
            block.fault(key, "a rotation keeps wall-clock time: leave out the offset")
    block.moment("active_until")
    block.choice("unit", tuple(Unit))
    block.number("every", 1, 9999)
    check.zone(block)
    if block.choice("on_holidays", ("only", "skip")) is not None:
        check.waits("rotation: on_holidays")
    block.flag("skip_closed_periods")
    for restriction in block.blocks("restrictions"):
        check_window(restriction)
    block.end()


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


def _temporary(block: Block, check: Check) -> None:
    _period(block)
    for shift in block.blocks("shifts"):
        shift.need("user")
        check.user((*shift.path, "user"), shift.raw("user") or "")
        _period(shift)
        shift.end()
    block.end()


def _event(block: Block, check: Check) -> None:
    block.need("users")
    for path, user in block.entries("users"):
        check.user(path, user)
    _period(block)
    block.text("rrule", most=1000)
    block.end()


def _period(block: Block) -> tuple[datetime, datetime] | None:
    block.need("from", "to")
    begin, end = block.moment("from"), block.moment("to")
    if begin is None or end is None:
        return None
    if (begin.tzinfo is None) == (end.tzinfo is None) and end <= begin:
        block.fault("to", "it ends before it begins")
        return None
    return begin, end
