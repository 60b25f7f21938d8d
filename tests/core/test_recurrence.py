"""Recurrence rules: the same times as python-dateutil, and a clear word for what is refused."""

from datetime import date, datetime, time, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.recurrence import Rule, backwards, ends, first, parse

wall = datetime.fromisoformat
START = wall("2026-11-24T22:30")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _listed(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=3, unique=True).map(",".join)


def _numbers(most: int, *, negative: bool = True) -> st.SearchStrategy[str]:
    numbers = st.integers(1, most)
    return _listed((numbers | numbers.map(int.__neg__) if negative else numbers).map(str))


_PLAIN = _listed(st.sampled_from(DAYS))
# The other implementation takes plain and numbered days together for days that are both.
_NUMBERED = _PLAIN | _listed(
    st.tuples(st.sampled_from(("1", "2", "5", "-1")), st.sampled_from(DAYS)).map("".join)
)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """The text of a rule that may be anything that is understood."""
    frequency = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 12))}"]
    maybe = st.booleans()
    if draw(maybe):
        parts.append(f"BYMONTH={draw(_numbers(12, negative=False))}")
    if draw(maybe) and frequency != "WEEKLY":
        parts.append(f"BYMONTHDAY={draw(_numbers(31))}")
    if draw(maybe):
        numbered = frequency in {"MONTHLY", "YEARLY"}
        parts.append(f"BYDAY={draw(_NUMBERED if numbered else _PLAIN)}")
    if draw(maybe) and len(parts) > 2:
        parts.append(f"BYSETPOS={draw(_numbers(4))}")
    if draw(maybe):
        parts.append(f"WKST={draw(st.sampled_from(DAYS))}")
    end = draw(st.sampled_from(("", "COUNT", "UNTIL")))
    if end == "COUNT":
        parts.append(f"COUNT={draw(st.integers(1, 30))}")
    elif end == "UNTIL":
        until = draw(st.dates(date(2026, 11, 1), date(2032, 1, 1)))
        parts.append(f"UNTIL={until:%Y%m%d}T223000")
    return ";".join(parts)


_STARTS = st.builds(
    datetime.combine, st.dates(date(2018, 1, 1), date(2026, 12, 31)), st.just(time(22, 30))
)


@given(rules(), _STARTS, st.integers(0, 5000), st.integers(0, 900))
def test_the_times_are_those_of_another_implementation(
    text: str, start: datetime, ahead: int, span: int
) -> None:
    earliest = start + timedelta(days=ahead)
    latest = earliest + timedelta(days=span)
    rule = parse(text)
    if _unreachable(rule, start):
        return
    if "COUNT" not in text and "UNTIL" not in text:
        text += f";UNTIL={latest:%Y%m%dT%H%M%S}"  # it would look for more up to the year 9999
    other = rrulestr(text, dtstart=start)
    expected = [at for at in other if earliest <= at <= latest]
    assert list(backwards(rule, start, latest, earliest)) == expected[::-1]


def _unreachable(rule: Rule, start: datetime) -> bool:
    """Whether the rule never comes, or not as often as it counts: such are refused."""
    try:
        return first(rule, start) is None or (ends(rule, start) is None and rule.count is not None)
    except ValueError:
        return True


def test_a_start_long_ago_costs_nothing() -> None:
    rule, start = parse("FREQ=DAILY"), wall("1901-01-01T22:30")
    now = wall("2026-11-24T23:00")
    assert list(backwards(rule, start, now, now - timedelta(days=1))) == [START]
    assert next(backwards(rule, start, wall("8900-01-01T00:00"), start)).year == 8899


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "'' is not KEY=VALUE"),
        ("every sunday", "'EVERY SUNDAY' is not KEY=VALUE"),
        ("FREQ=SECONDLY", "begin with FREQ=DAILY"),
        ("FREQ=HOURLY;COUNT=2", "begin with FREQ=DAILY"),
        ("BYDAY=SU", "begin with FREQ=DAILY"),
        ("FREQ=DAILY;COUNT=1000000000", "COUNT=1000000000: give a number from 1 to 1000"),
        ("FREQ=DAILY;COUNT=0", "COUNT=0: give a number from 1 to 1000"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL=-1: give a number from 1 to 999"),
        ("FREQ=DAILY;INTERVAL=\u0663", "give a number from 1 to 999"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ stands here twice"),
        ("FREQ=DAILY;BYHOUR=1,2,3", "BYHOUR is not understood here: the time of day is"),
        ("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO is not understood here: give the days by"),
        ("FREQ=DAILY;X-NAME=1", "'X-NAME' is no part of a recurrence rule"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "give COUNT or UNTIL, not both"),
        ("FREQ=DAILY;UNTIL=20270230", "UNTIL=20270230: write it as 20261231"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL=SOON: write it as 20261231"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY does not go with FREQ=WEEKLY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY=1MO: numbered days go with FREQ=MONTHLY"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY=0MO: give MO, TU"),
        ("FREQ=MONTHLY;BYDAY=Monday", "BYDAY=MONDAY: give MO, TU"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32: give numbers from 1 to 31"),
        ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH=-1: give numbers from 1 to 12"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS chooses among the days of another part"),
        ("FREQ=MONTHLY;WKST=XX", "WKST=XX: give one of MO"),
    ],
)
def test_what_is_refused_is_named(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse(text)
    assert what in str(refused.value)


def test_a_rule_may_begin_with_its_name_and_be_in_small_letters() -> None:
    assert parse("rrule:freq=weekly;byday=su") == parse("FREQ=WEEKLY;BYDAY=SU")


@pytest.mark.parametrize("text", ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=6MO"])
def test_a_rule_that_never_comes_has_no_first_time(text: str) -> None:
    assert first(parse(text), START) is None


def test_plain_and_numbered_days_are_both_meant() -> None:
    rule, start = parse("FREQ=MONTHLY;BYDAY=1MO,FR"), wall("2026-12-01T00:00")
    found = [at.day for at in backwards(rule, start, wall("2026-12-31T00:00"), start)]
    assert found == [25, 18, 11, 7, 4]


def test_the_first_time_is_the_first_that_the_rule_names() -> None:
    assert first(parse("FREQ=WEEKLY;BYDAY=SU"), START) == wall("2026-11-29T22:30")
    assert first(parse("FREQ=WEEKLY"), START) == START
