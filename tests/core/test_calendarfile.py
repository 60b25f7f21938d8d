"""Calendar files: what is written is read again, and what others wrote is read as they meant it."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import icalendar
import pytest
import recurring_ical_events
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from tocsin.core.calendarfile import CalendarError, Entry, People, Reading, local_days, read, write

SHIPPED = sorted((Path(recurring_ical_events.__file__).parent / "test" / "calendars").glob("*.ics"))
WINDOW = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 5, 1, tzinfo=UTC))


def calendar(*events: str, head: str = "") -> bytes:
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\n{e}\r\nEND:VEVENT\r\n" for n, e in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{head}{body}END:VCALENDAR\r\n".encode()


def reading(content: bytes, zone: str = "Europe/Berlin") -> Reading:
    return read(content, zone=zone, from_=WINDOW[0], to=WINDOW[1], most=1000)


def begins(content: bytes, zone: str = "Europe/Berlin") -> list[str]:
    return [f"{entry.from_:%m-%d %H:%M}" for entry in reading(content, zone).entries]


def weekly(*more: str) -> str:
    lines = ("DTSTART;TZID=Europe/Berlin:20261102T090000", "DURATION:PT8H", "SUMMARY:mara", *more)
    return "\r\n".join(lines)


# The same as the library, on every calendar that it ships


def test_the_library_ships_the_calendars_of_its_own_tests() -> None:
    assert len(SHIPPED) > 90, "without them the comparison below compares nothing"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@seed(20261124)
@settings(max_examples=6, deadline=None, database=None, phases=[Phase.generate])
@given(
    start=st.datetimes(datetime(2011, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - aware below
    days=st.integers(1, 400),
)
def test_our_import_agrees_with_the_library(path: Path, start: datetime, days: int) -> None:
    from_ = start.replace(tzinfo=UTC)
    to = from_ + timedelta(days=days)
    ours = read(path.read_bytes(), zone="UTC", from_=from_, to=to, most=100_000).entries
    found = sorted((entry.from_, entry.to, entry.summary) for entry in ours)
    assert found == theirs(path, from_, to)


def theirs(path: Path, from_: datetime, to: datetime) -> list[tuple[datetime, datetime, str]]:
    """Asked a little wider, because the library counts both ends as inside, and zones apart."""
    found: list[tuple[datetime, datetime, str]] = []
    for query in queries(path):
        for event in query.between(from_ - timedelta(days=2), to + timedelta(days=2)):
            begin, until = _dt(event, "DTSTART"), _dt(event, "DTEND")
            start, end = utc(begin), utc(until)
            if isinstance(begin, datetime) or end > start:
                length = end
            else:  # a day without an end is that day
                length = start + timedelta(days=1)
            kept = event.get("STATUS") != "CANCELLED" and start < length
            if kept and start < to and length > from_:
                found.append((start, length, str(event.get("SUMMARY", ""))))
    return sorted(found)


@cache
def queries(path: Path) -> list[recurring_ical_events.CalendarQuery]:
    return [
        recurring_ical_events.of(one, skip_bad_series=True)
        for one in icalendar.Calendar.from_ical(path.read_bytes(), multiple=True)
    ]


def _dt(event: icalendar.Event, name: str) -> date:
    moment: object = getattr(event[name], "dt", None)
    assert isinstance(moment, date)
    return moment


def utc(moment: date) -> datetime:
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# What we write is what we read


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=120
).map(str.strip)
INSTANT = st.integers(0, 180 * 24 * 3600 - 1).map(
    lambda second: WINDOW[0] + timedelta(seconds=second)
)


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    made: list[Entry] = []
    for number in range(draw(st.integers(0, 5))):
        begin = draw(INSTANT)
        days = None
        end = begin + timedelta(seconds=draw(st.integers(1, 10**6)))
        if draw(st.booleans()):
            first = begin.date()
            days = (first, first + timedelta(days=draw(st.integers(0, 9))))
            begin, end = utc(days[0]), utc(days[1] + timedelta(days=1))
        people = (draw(TEXT),) if draw(st.booleans()) else ()
        made.append(
            Entry(
                f"{number}-{draw(st.uuids())}", begin, end, draw(TEXT), draw(TEXT),
                tuple(word for word in people if word), days, draw(st.integers(0, 2**31 - 1)),
            )
        )  # fmt: skip
    return sorted(made, key=lambda entry: (entry.from_, entry.to, entry.uid))


def written(made: list[Entry], name: str = "duty") -> bytes:
    text = write(made, name=name, stamp=WINDOW[0], refresh=timedelta(hours=1))
    return text.encode()


@seed(20261124)
@settings(max_examples=150, deadline=None)
@given(made=entries(), name=TEXT)
def test_what_is_written_is_read_again(made: list[Entry], name: str) -> None:
    content = written(made, name)
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    found = read(content, zone="UTC", from_=WINDOW[0], to=WINDOW[1], most=100)
    assert list(found.entries) == [one for one in made if one.from_ < WINDOW[1]]
    assert found.notes == ()


def test_the_same_shifts_make_the_same_text() -> None:
    one = Entry("u@x", WINDOW[0], WINDOW[1], "a;b,c\\d\ne", people=("mara",), sequence=7)
    assert written([one]) == written([one])
    text = written([one]).decode()
    assert "SUMMARY:a\\;b\\,c\\\\d\\ne\r\n" in text
    assert "UID:u@x\r\nDTSTAMP:20261101T000000Z\r\nSEQUENCE:7\r\n" in text


def test_a_name_cannot_add_lines_to_the_calendar() -> None:
    bad = "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\x00\x0b\x85\u2028y"
    (entry,) = reading(written([Entry("1", *WINDOW, bad)])).entries
    assert entry.summary.split("\n")[:3] == ["x", "END:VEVENT", "BEGIN:VEVENTy"]


# What others write


def test_times_without_a_zone_are_local_ones() -> None:
    event = "DTSTART:20261110T080000\r\nDTEND:20261110T090000"
    assert begins(calendar(event)) == ["11-10 07:00"]
    assert begins(calendar(event), "America/New_York") == ["11-10 13:00"]


def test_a_whole_day_is_the_local_one_however_long_it_is() -> None:
    event = "DTSTART;VALUE=DATE:20270328\r\nSUMMARY:Easter"
    (entry,) = reading(calendar(event)).entries
    assert entry.days == (date(2027, 3, 28), date(2027, 3, 28))
    assert entry.to - entry.from_ == timedelta(hours=23)
    two = "DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227"
    assert reading(calendar(two)).entries[0].days == (date(2026, 12, 25), date(2026, 12, 26))


def test_an_entry_with_times_covers_the_local_days_that_it_touches() -> None:
    evening = "DTSTART:20261224T170000Z\r\nDTEND:20261224T230000Z"
    (entry,) = reading(calendar(evening)).entries
    assert local_days(entry, "Europe/Berlin") == (date(2026, 12, 24), date(2026, 12, 24))
    assert local_days(entry, "Asia/Kathmandu") == (date(2026, 12, 24), date(2026, 12, 25))


def test_the_zone_names_of_windows_are_known() -> None:
    at = "DTSTART;TZID=W. Europe Standard Time:20261110T080000"
    until = "DTEND;TZID=W. Europe Standard Time:20261110T090000"
    assert begins(calendar(f"{at}\r\n{until}"), "UTC") == ["11-10 07:00"]


def test_a_recurrence_keeps_its_hour_over_a_change_of_the_clock() -> None:
    found = begins(calendar(weekly("RRULE:FREQ=WEEKLY")))
    assert found[:2] == ["11-02 08:00", "11-09 08:00"]
    assert "03-22 08:00" in found
    assert "03-29 07:00" in found


def test_an_exception_is_left_out_a_moved_one_moves_a_cancelled_one_goes() -> None:
    def at(text: str) -> str:
        return f";TZID=Europe/Berlin:202611{text}T090000"

    series = "UID:s\r\n" + weekly("RRULE:FREQ=WEEKLY;COUNT=4", f"EXDATE{at('09')}")
    moved = f"UID:s\r\nRECURRENCE-ID{at('16')}\r\nDTSTART{at('17')}\r\nDURATION:PT1H"
    gone = f"UID:s\r\nRECURRENCE-ID{at('23')}\r\nDTSTART{at('23')}\r\nSTATUS:CANCELLED"
    body = "".join(f"BEGIN:VEVENT\r\n{e}\r\nEND:VEVENT\r\n" for e in (series, moved, gone))
    content = f"BEGIN:VCALENDAR\r\n{body}END:VCALENDAR\r\n".encode()
    assert begins(content) == ["11-02 08:00", "11-17 08:00"]


def test_the_zone_that_google_writes_for_the_whole_calendar_counts() -> None:
    event = "DTSTART:20261110T000000Z\r\nDTEND:20261110T010000Z\r\nRRULE:FREQ=DAILY;COUNT=2"
    head = "X-WR-TIMEZONE:Asia/Shanghai\r\n"
    assert begins(calendar(event, head=head)) == ["11-10 00:00", "11-11 00:00"]


def test_an_end_of_recurrence_in_local_time_counts() -> None:
    found = begins(calendar(weekly("RRULE:FREQ=WEEKLY;UNTIL=20261116T090000")))
    assert found == ["11-02 08:00", "11-09 08:00", "11-16 08:00"]


def test_what_has_no_length_is_no_shift() -> None:
    assert begins(calendar("DTSTART:20261110T080000Z")) == []


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("DTSTART:20261110T080000Z\r\nDTEND:soon", "DTEND cannot be read"),
        ("DTSTART:20261110T080000Z\r\nRRULE:FREQ=WOBBLY", "RRULE cannot be read"),
        (weekly("RRULE:FREQ=SECONDLY"), "it comes again every second"),
        ("SUMMARY:x", "it has no DTSTART"),
        ("DTSTART:00010101T000000Z\r\nDTEND:99991231T000000Z", "it lies in the year 1;"),
        ("DTSTART:20261110T080000Z\r\nDTEND:99991231T000000Z", "it lies in the year 9999;"),
        ("DTSTART:20261110T080000Z\r\nDURATION:-PT1H", "its DURATION is negative"),
    ],
)
def test_what_cannot_be_read_is_passed_over_and_named(event: str, why: str) -> None:
    found = reading(calendar(event, weekly()))
    assert len(found.entries) == 1
    assert len(found.notes) == 1
    assert why in found.notes[0]


def test_a_zone_that_nobody_knows_is_told() -> None:
    at = ";TZID=Nowhere/Town:20261110T0"
    found = reading(calendar(f"DTSTART{at}80000\r\nDTEND{at}90000"))
    assert [f"{entry.from_:%H:%M}" for entry in found.entries] == ["07:00"]
    assert found.notes == (
        "the time zone 'Nowhere/Town' is unknown: its times are read as local ones",
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is not an iCalendar file"),
        (b"<!doctype html><title>Sign in</title>", "it begins with '<!doctype html>"),
        (calendar(weekly())[:-20], "it is cut off"),
        (b"BEGIN:VCALENDAR\r\n\xff\xfe\x00nonsense\r\nEND:VCALENDAR\r\n", "it cannot be read"),
    ],
)
def test_what_is_no_calendar_is_refused_by_name(content: bytes, why: str) -> None:
    with pytest.raises(CalendarError, match=why):
        reading(content)


def test_a_calendar_with_too_many_entries_is_refused() -> None:
    many = calendar(*[weekly("RRULE:FREQ=HOURLY")] * 3)
    with pytest.raises(CalendarError, match="more than 1000 entries between 2026-11-01"):
        reading(many)


# Whom an entry means


USERS = {"mara": "mara@example.org", "jonas": None, "ada": "ada@example.org"}


@pytest.mark.parametrize(
    ("summary", "people", "expected"),
    [
        ("mara", (), ("mara",)),
        ("Mara@Example.org", (), ("mara",)),
        ("On call: jonas", (), ("jonas",)),
        ("Mara, jonas", (), ("mara", "jonas")),
        ("Night shift", ("ada@example.org",), ("ada",)),
        ("Mara Ilves", (), ("mara",)),
        ("Mara Ilves", ("ada@example.org",), ("mara",)),
        ("somebody", ("else@example.org",), ()),
        ("", (), ()),
    ],
)
def test_an_entry_names_users(summary: str, people: tuple[str, ...], expected: object) -> None:
    found = People(USERS, {"Mara Ilves": "mara", "ghost": "nobody"})
    assert found.of(Entry("1", *WINDOW, summary, people=people)) == expected
