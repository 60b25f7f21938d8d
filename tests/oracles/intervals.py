"""The time intervals of another engine, read as recurring events of ours."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any  # JSON of unknown depth; each function takes out what it names

from tocsin.core.recurrence import Rule, first, parse
from tocsin.core.schedule import Event, Schedule
from tocsin.core.timewindow import window

_ALL_DAY = [["00:00", "24:00"]]
_EVER = [[2000, 2100]]
_LONGEST_MONTH = 31


def active(intervals: list[dict[str, Any]]) -> Schedule:
    """A schedule that has `ACTIVE` on duty while any of the intervals is."""
    events = tuple(event for interval in intervals for event in _events(interval))
    return Schedule("intervals", "1", "UTC", events=events)


ACTIVE = "active"


def _events(interval: dict[str, Any]) -> Iterator[Event]:
    rule = "FREQ=DAILY"
    if "weekdays" in interval:
        rule += f";BYDAY={','.join(day[:2].upper() for day in interval['weekdays'])}"
    if "days_of_month" in interval:
        rule += f";BYMONTHDAY={_numbers(map(_days, interval['days_of_month']))}"
    if "months" in interval:
        rule += f";BYMONTH={_numbers(range(a, b + 1) for a, b in interval['months'])}"
    for year, last in interval.get("years", _EVER):
        for opens, closes in interval.get("times", _ALL_DAY):
            begin = datetime.fromisoformat(f"{year}-01-01T{opens}")
            end = begin.replace(hour=0, minute=0)
            if closes == "24:00":
                end = end.replace(day=2)
            else:
                end = datetime.fromisoformat(f"{year}-01-01T{closes}")
            text = f"{rule};UNTIL={last}1231T235959"
            if _comes(parse(text), begin):
                yield Event((ACTIVE,), window(begin, end, text, interval["zone"]))


def _comes(rule: Rule, begin: datetime) -> bool:
    """Whether there is such a day; 30 February never comes, and we refuse a window for it."""
    found = first(rule, begin)
    return found is not None and (rule.until is None or found <= rule.until)


def _days(range_: list[int]) -> range:
    """The days from the first to the last; below 0 they count from the end of the month."""
    begin, end = range_
    if begin == -_LONGEST_MONTH:
        begin = 1
    if begin > 0 and end == -1:
        end = _LONGEST_MONTH
    assert (begin > 0) == (end > 0), "such a range is not the same days in every month"
    return range(begin, end + 1)


def _numbers(ranges: Iterator[range]) -> str:
    return ",".join(str(number) for range_ in ranges for number in range_)
