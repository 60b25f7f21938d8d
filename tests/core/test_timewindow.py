"""Windows that come again: on the wall clock, through the nights in which clocks are moved."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.localtime import resolve
from tocsin.core.timewindow import first_time, span_at, window

BERLIN = "Europe/Berlin"
Span = tuple[datetime, datetime] | None


def at(text: str) -> datetime:
    """An instant, as it is written."""
    return datetime.fromisoformat(text).astimezone(UTC)


def spoken(span: Span) -> str | None:
    """The two instants as clocks in Berlin show them."""
    if span is None:
        return None
    return " .. ".join(f"{end.astimezone(ZoneInfo(BERLIN)):%m-%d %H:%M%z}" for end in span)


def nightly(begin: str, end: str, rule: str | None = "FREQ=DAILY", zone: str = BERLIN) -> "Open":
    return Open(datetime.fromisoformat(begin), datetime.fromisoformat(end), rule, zone)


class Open:
    """A window that is asked for its span at moments written as text."""

    def __init__(self, begin: datetime, end: datetime, rule: str | None, zone: str) -> None:
        self.window = window(begin, end, rule, zone)

    def __call__(self, now: str) -> str | None:
        return spoken(span_at(self.window, at(now)))


def test_a_window_that_comes_once() -> None:
    once = nightly("2026-12-01T00:00", "2026-12-01T04:00", None)
    assert once("2026-11-30T22:59:59Z") is None
    assert once("2026-11-30T23:00Z") == "12-01 00:00+0100 .. 12-01 04:00+0100"
    assert once("2026-12-01T02:59:59Z") == "12-01 00:00+0100 .. 12-01 04:00+0100"
    assert once("2026-12-01T03:00Z") is None  # its end is not in it


def test_an_offset_says_which_of_two_hours_is_meant() -> None:
    second = nightly("2026-10-25T02:00+01:00", "2026-10-25T02:30+01:00", None)
    assert second("2026-10-25T00:15Z") is None
    assert second("2026-10-25T01:15Z") == "10-25 02:00+0100 .. 10-25 02:30+0100"


def test_it_comes_again_at_the_same_time_of_day_in_summer_and_in_winter() -> None:
    sundays = nightly("2026-01-04T22:00", "2026-01-05T02:00", "FREQ=WEEKLY;BYDAY=SU")
    assert sundays("2026-07-05T20:00Z") == "07-05 22:00+0200 .. 07-06 02:00+0200"
    assert sundays("2026-12-06T21:00Z") == "12-06 22:00+0100 .. 12-07 02:00+0100"
    assert sundays("2026-12-05T21:00Z") is None


def test_the_night_in_which_an_hour_is_skipped() -> None:
    inside = nightly("2026-03-01T02:15", "2026-03-01T02:45")
    assert inside("2026-03-29T00:59Z") is None
    assert inside("2026-03-29T01:00Z") is None  # both its ends are the jump itself
    begins = nightly("2026-03-01T02:30", "2026-03-01T04:00")
    assert begins("2026-03-29T00:59Z") is None
    assert begins("2026-03-29T01:00Z") == "03-29 03:00+0200 .. 03-29 04:00+0200"
    ends = nightly("2026-03-01T01:00", "2026-03-01T02:30")
    assert ends("2026-03-29T00:59Z") == "03-29 01:00+0100 .. 03-29 03:00+0200"
    assert ends("2026-03-29T01:00Z") is None


def test_the_night_in_which_an_hour_comes_twice() -> None:
    begins = nightly("2026-10-01T02:30", "2026-10-01T04:00")
    assert begins("2026-10-25T00:30Z") == "10-25 02:30+0200 .. 10-25 04:00+0100"
    assert begins("2026-10-25T01:10Z") == "10-25 02:30+0200 .. 10-25 04:00+0100"  # 02:10 again
    ends = nightly("2026-10-01T01:00", "2026-10-01T02:30")
    assert ends("2026-10-25T00:29Z") == "10-25 01:00+0200 .. 10-25 02:30+0200"
    assert ends("2026-10-25T01:10Z") is None


def test_until_and_count_end_it() -> None:
    until = nightly("2026-11-01T22:00", "2026-11-02T02:00", "FREQ=DAILY;UNTIL=20261103T210000Z")
    assert until("2026-11-03T21:00Z") is not None  # 22:00 in Berlin: the last one counts
    assert until("2026-11-04T21:00Z") is None
    count = nightly("2026-11-01T22:00", "2026-11-02T02:00", "FREQ=DAILY;COUNT=3")
    assert count("2026-11-03T21:00Z") is not None
    assert count("2026-11-04T21:00Z") is None


def test_with_an_offset_it_comes_again_by_the_clock_of_the_zone() -> None:
    made = nightly("2026-11-01T21:00Z", "2026-11-02T01:00Z")
    assert made("2027-07-01T20:00Z") == "07-01 22:00+0200 .. 07-02 02:00+0200"


def test_the_one_that_began_last_counts_where_they_overlap() -> None:
    long = nightly("2026-11-01T22:00", "2026-11-03T04:00")
    assert long("2026-11-05T21:30Z") == "11-05 22:00+0100 .. 11-07 04:00+0100"


def test_its_first_time_may_be_later_than_its_beginning() -> None:
    made = nightly("2026-11-24T22:00", "2026-11-25T02:00", "FREQ=WEEKLY;BYDAY=SU")
    assert first_time(made.window) == datetime.fromisoformat("2026-11-29T22:00")
    assert made("2026-11-24T21:30Z") is None


@pytest.mark.parametrize(
    ("begin", "end", "rule", "what"),
    [
        ("2026-12-01T04:00", "2026-12-01T04:00", None, "it ends before it begins"),
        ("2026-12-01T04:00Z", "2026-12-01T05:00", None, "give an offset (or Z) for both"),
        ("2026-12-01", "2028-12-01", "FREQ=YEARLY", "at most 366 days long"),
        ("2026-12-01", "2026-12-02", "FREQ=SECONDLY", "begin with FREQ=DAILY"),
        ("2026-12-01", "2026-12-02", "FREQ=DAILY;UNTIL=20200101", "names no time that ever comes"),
        ("2026-12-01", "2026-12-02", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "no time that ever"),
        ("2026-12-01", "2026-12-02", "FREQ=YEARLY;INTERVAL=900;COUNT=20", "only 9 of them"),
    ],
)
def test_what_cannot_be_a_window_is_refused(
    begin: str, end: str, rule: str | None, what: str
) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        nightly(begin, end, rule)
    assert what in str(refused.value)


_ZONES = st.sampled_from((BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"))
_BEGINS = st.builds(
    datetime.combine, st.dates(date(2026, 1, 1), date(2026, 12, 1)), st.times()
).map(lambda moment: moment.replace(second=0, microsecond=0))
_LENGTHS = st.integers(1, 3 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
_SEARCHED = st.builds(
    datetime.combine, st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.times()
).map(lambda moment: moment.replace(tzinfo=UTC))


@given(_BEGINS, _LENGTHS, st.integers(1, 9), _ZONES, _SEARCHED)
def test_it_is_open_exactly_when_one_of_its_times_is(
    begin: datetime, length: timedelta, every: int, zone: str, now: datetime
) -> None:
    made = window(begin, begin + length, f"FREQ=DAILY;INTERVAL={every}", zone)
    starts = [begin + timedelta(days=every * number) for number in range(800 // every + 2)]
    spans = [(resolve(start, zone), resolve(start + length, zone)) for start in starts]
    open_now = [span for span in spans if span[0] <= now < span[1]]
    assert span_at(made, now) == (open_now[-1] if open_now else None)


_NIGHTS = st.sampled_from(("2026-03-29", "2026-10-25"))
_MINUTES = st.integers(0, 6 * 60)


@given(_NIGHTS, _MINUTES, _MINUTES, _MINUTES)
def test_nights_in_which_clocks_are_moved_have_no_hole_and_no_overlap(
    night: str, first: int, second: int, minute: int
) -> None:
    low, high = sorted((first, second))
    midnight = datetime.fromisoformat(night)
    now = resolve(midnight, BERLIN) + timedelta(minutes=minute)
    before = nightly_of(midnight, 0, low)
    between = nightly_of(midnight, low, high)
    after = nightly_of(midnight, high, 24 * 60)
    assert sum(span is not None for span in (before(now), between(now), after(now))) == 1


class nightly_of:  # noqa: N801 - called like the function above
    """Each night from one minute after midnight to another; never open where they are one."""

    def __init__(self, midnight: datetime, low: int, high: int) -> None:
        start = midnight - timedelta(days=7) + timedelta(minutes=low)
        end = start + timedelta(minutes=high - low)
        self.window = window(start, end, "FREQ=DAILY", BERLIN) if low < high else None

    def __call__(self, now: datetime) -> Span:
        return span_at(self.window, now) if self.window is not None else None
