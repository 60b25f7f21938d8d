"""Wall-clock times and instants around every kind of clock change."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tocsin.core.localtime import UnknownZone, check_zone, instant, resolve, wall_clock

ZONES = (
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Europe/Berlin",
    "America/New_York",
)
NO_NAMES = (
    *("", "Europe", "Mars/Phobos", "../etc/passwd", "/etc/passwd", "a\0b", "é", "x" * 5000),
    *("zone.tab", "CET-1CEST", "SYSTEM"),
)
wall = datetime.fromisoformat  # ruff asks for a zone where a naive time is built from numbers
walls = st.datetimes(wall("1975-01-01T00:00"), wall("2036-01-01T00:00"))
zones = st.sampled_from(ZONES)


@pytest.mark.parametrize(
    ("zone", "shown", "utc"),
    [
        ("Europe/Berlin", "2026-07-01T09:00", "2026-07-01T07:00Z"),
        ("Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z"),
        ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00Z"),
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00Z"),
        ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00Z"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30Z"),
        ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00Z"),
        ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00Z"),
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30Z"),
        ("Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-03T15:30Z"),  # 02:00 → 02:30
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z"),  # 02:00 → 01:30
        ("Australia/Lord_Howe", "2026-04-05T02:00", "2026-04-04T15:30Z"),
        ("Pacific/Apia", "2011-12-30T08:00", "2011-12-30T10:00Z"),  # no 30 December
        ("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00Z"),
        ("Africa/Casablanca", "2024-03-10T02:30", "2024-03-10T01:30Z"),  # Ramadan begins
        ("Africa/Casablanca", "2024-04-14T02:30", "2024-04-14T02:00Z"),  # and ends
        ("Asia/Kathmandu", "1986-01-01T00:05", "1985-12-31T18:30Z"),  # 00:00 → 00:15
        ("America/Sao_Paulo", "2018-11-04T00:30", "2018-11-04T03:00Z"),  # no midnight
        ("America/Sao_Paulo", "2019-02-16T23:30", "2019-02-17T01:30Z"),  # 24:00 → 23:00
    ],
)
def test_a_skipped_time_is_the_jump_and_a_repeated_time_the_first(
    zone: str, shown: str, utc: str
) -> None:
    assert resolve(wall(shown), zone) == datetime.fromisoformat(utc)


@given(walls, walls, zones)
def test_later_wall_times_are_never_earlier_instants(
    one: datetime, other: datetime, zone: str
) -> None:
    low, high = sorted((one, other))
    assert resolve(low, zone) <= resolve(high, zone)


@given(walls, zones)
@example(wall("2011-12-30T08:00"), "Pacific/Apia")
@example(wall("2026-03-08T02:30"), "America/New_York")
@example(wall("2026-10-04T02:10"), "Australia/Lord_Howe")
def test_the_instant_is_the_first_at_which_the_clock_shows_the_time_or_a_later_one(
    local: datetime, zone: str
) -> None:
    at = resolve(local, zone)
    assert at.tzinfo is UTC
    assert _read(at, zone) >= local
    for before in (timedelta(microseconds=1), timedelta(minutes=1), timedelta(hours=3)):
        assert _read(at - before, zone) < local


@given(
    st.datetimes(wall("1975-01-01T00:00"), wall("2036-01-01T00:00"), timezones=st.just(UTC)), zones
)
def test_the_wall_clock_agrees_with_the_standard_library(at: datetime, zone: str) -> None:
    assert wall_clock(at, zone) == _read(at, zone)


def test_a_time_with_an_offset_is_an_instant_already() -> None:
    east = datetime(2026, 6, 1, 9, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert instant(east, "Europe/Berlin") == datetime(2026, 6, 1, 3, 15, tzinfo=UTC)
    assert instant(east, "Europe/Berlin").tzinfo is UTC
    assert instant(wall("2026-06-01T09:00"), "Europe/Berlin").hour == 7


def test_the_fold_of_a_wall_time_is_not_looked_at() -> None:
    second = wall("2026-10-25T02:30").replace(fold=1)
    assert resolve(second, "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_wall_time_with_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        resolve(datetime(2026, 6, 1, tzinfo=UTC), "Europe/Berlin")


@pytest.mark.parametrize(
    "name",
    [*NO_NAMES, "localtime", "posixrules", "Factory", "right/UTC", "posix/UTC"],
)
def test_a_name_that_is_no_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnknownZone, match="not a time zone"):
        check_zone(name)


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_wall_time_in_no_zone_has_no_instant(name: str) -> None:
    with pytest.raises(UnknownZone, match="not a time zone"):
        resolve(wall("2026-01-01T00:00"), name)
    with pytest.raises(UnknownZone, match="not a time zone"):
        wall_clock(datetime(2026, 1, 1, tzinfo=UTC), name)


@pytest.mark.parametrize("name", [*ZONES, "UTC", "Etc/GMT+5", "europe/berlin"])
def test_names_of_the_zone_database_are_accepted_in_any_case(name: str) -> None:
    check_zone(name)


def _read(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
