"""Who is on duty, found the slow way: a clock on the wall, read again and again.

Shares nothing with the engine but the values it is given. A hand-off, an opening or a closing has
happened once the clock has shown its time or a later one; so the walker keeps the latest time
that each zone's clock has shown so far. That is the whole rule for daylight saving.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tocsin.core.recurrence import Frequency
from tocsin.core.schedule import (
    Combine,
    DailyWindow,
    Day,
    Event,
    OnHolidays,
    Restriction,
    Rotation,
    Schedule,
    Unit,
)

DAY = timedelta(days=1)
_STEPS = {Unit.HOUR: timedelta(hours=1), Unit.DAY: DAY, Unit.WEEK: 7 * DAY}


def walk(
    schedule: Schedule, from_: datetime, to: datetime, step: timedelta
) -> Iterator[tuple[datetime, set[str]]]:
    """Everybody on duty at each step of [from_, to), for rotations by hour, day and week.

    Events may come again every n days or on days of the week. Right when every time in the
    schedule lies on a step.
    """
    turns = [list(_turn_moves(rotation, from_, step)) for rotation in schedule.rotations]
    zones = [rotation.time_zone or schedule.time_zone for rotation in schedule.rotations]
    shown = dict.fromkeys([*zones, schedule.time_zone], datetime.fromisoformat("0001-01-01"))
    at = from_ - 26 * timedelta(hours=1)
    while at < to:
        for zone in shown:
            reading = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
            shown[zone] = max(shown[zone], reading)
        if at >= from_:
            here = shown[schedule.time_zone]
            present = [
                _present(rotation, moves, shown[zone], at)
                if _fits(schedule, rotation, here)
                else ()
                for rotation, moves, zone in zip(schedule.rotations, turns, zones, strict=True)
            ]
            present += [event.users if _comes(event, here) else () for event in schedule.events]
            scheduled = _combined(schedule, present)
            usual = _overridden(schedule, scheduled, here, at)
            yield at, _temporary(schedule, here, at, usual)
        at += step


def _turn_moves(rotation: Rotation, until: datetime, step: timedelta) -> Iterator[datetime]:
    """The wall times at which the turn moves on, one after the other from the start."""
    period = rotation.every * _STEPS[rotation.unit]
    handoff = rotation.anchor
    while handoff > rotation.start:
        handoff -= period
    while handoff <= rotation.start:
        handoff += period
    begin = rotation.start
    while begin < until.replace(tzinfo=None) + 6 * DAY:
        used = not rotation.skip_closed_periods or _ever_open(rotation, begin, handoff, step)
        if used:
            yield handoff
        begin, handoff = handoff, handoff + period


def _ever_open(rotation: Rotation, begin: datetime, end: datetime, step: timedelta) -> bool:
    while begin < end:
        if _open(rotation.restrictions, begin):
            return True
        begin += step
    return False


def _present(
    rotation: Rotation, moves: list[datetime], shown: datetime, at: datetime
) -> tuple[str, ...]:
    until = rotation.active_until
    over = until is not None and (shown >= until if until.tzinfo is None else at >= until)
    absent = over or shown < rotation.start or not rotation.participants
    if absent or not _open(rotation.restrictions, shown):
        return ()
    turn = sum(move <= shown for move in moves)
    return rotation.participants[turn % len(rotation.participants)]


def _fits(schedule: Schedule, rotation: Rotation, shown: datetime) -> bool:
    holiday = shown.date() in schedule.holidays
    return rotation.on_holidays is None or holiday is (rotation.on_holidays is OnHolidays.ONLY)


def _comes(event: Event, shown: datetime) -> bool:
    """Whether the time of the event that began last, if any did, is not over."""
    begin, length = event.window.begin, event.window.end - event.window.begin
    date = shown.date()
    while date >= begin.date():
        at = datetime.combine(date, begin.time())
        if at <= shown and _says(event, date - begin.date()):
            return shown < at + length
        date -= DAY
    return False


def _says(event: Event, passed: timedelta) -> bool:
    rule = event.window.rule
    if rule is None:
        return not passed
    if rule.frequency is Frequency.DAILY:
        return passed.days % rule.interval == 0
    weekday = (event.window.begin + passed).weekday()
    return weekday in {day for _, day in rule.weekdays}


def _temporary(schedule: Schedule, shown: datetime, at: datetime, usual: set[str]) -> set[str]:
    now = [t for t in schedule.temporary if _between(t.from_, t.to, shown, at)]
    if not now:
        return usual
    return {one.user for t in now for one in t.shifts if _between(one.from_, one.to, shown, at)}


def _open(restrictions: tuple[Restriction, ...], shown: datetime) -> bool:
    return not restrictions or any(_inside(window, shown) for window in restrictions)


def _inside(window: Restriction, shown: datetime) -> bool:
    for ago in range(8):
        date = shown.date() - ago * DAY
        day = list(Day)[date.weekday()]
        opens = datetime.combine(date, window.from_)
        closes = datetime.combine(date, window.to)
        if isinstance(window, DailyWindow):
            if day in window.days and ago < 2:
                closes += DAY if closes <= opens else timedelta()
                if opens <= shown < closes:
                    return True
        elif day is window.from_day:
            while closes <= opens or list(Day)[closes.weekday()] is not window.to_day:
                closes += DAY
            if opens <= shown < closes:
                return True
    return False


def _combined(schedule: Schedule, present: list[tuple[str, ...]]) -> set[str]:
    if schedule.combine is Combine.EVERYBODY:
        return {user for people in present for user in people}
    return set(next((people for people in reversed(present) if people), ()))


def _overridden(schedule: Schedule, scheduled: set[str], shown: datetime, at: datetime) -> set[str]:
    active = [o for o in schedule.overrides if _between(o.from_, o.to, shown, at)]
    covers = any(o.replaces is None and not o.extra for o in active)
    people: set[str] = set()
    for user in scheduled:
        first = next((o for o in active if o.replaces == user), None)
        if first is None and not covers:
            people.add(user)
        if first is not None and first.user is not None:
            people.add(first.user)
    return people | {o.user for o in active if o.replaces is None and o.user is not None}


def _between(from_: datetime, to: datetime, shown: datetime, at: datetime) -> bool:
    begun = from_ <= (shown if from_.tzinfo is None else at)
    ended = to <= (shown if to.tzinfo is None else at)
    return begun and not ended
