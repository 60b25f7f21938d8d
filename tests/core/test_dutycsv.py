"""The CSV files of shifts and duty hours."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.dutycsv import (
    Duty,
    Rows,
    RowsError,
    Span,
    laid_over,
    merged,
    read_rows,
    write_hours,
)

USERS = {"mara@example.org": "mara", "ada@example.org": "ada"}


def at(hour: int, day: int = 1) -> datetime:
    return datetime(2026, 12, day, tzinfo=UTC) + timedelta(hours=hour)


def test_rows_are_shifts_and_ranges_to_clear() -> None:
    text = (
        "\ufeffEmail,Start,End\r\n"
        "DELETE,2026-12-01T00:00:00Z,2026-12-31T00:00:00.000Z\r\n"
        "mara@example.org,2026-12-01T08:00:00Z,2026-12-01T16:00:00Z\r\n"
        "ada@example.org,2026-12-01T17:00:00+01:00,2026-12-02T00:00\r\n\r\n"
    )
    found = read_rows(text, USERS.get)
    assert found.cleared == ((at(0), at(0, 31)),)
    assert found.spans == (Span("mara", at(8), at(16)), Span("ada", at(16), at(24)))


def test_semicolons_and_quotes_are_read_as_well() -> None:
    text = '"Email";"Start";"End"\n"mara@example.org";"2026-12-01T08:00Z";"2026-12-01T09:00Z"'
    assert read_rows(text, USERS.get).spans == (Span("mara", at(8), at(9)),)


def test_every_fault_is_named_with_its_line() -> None:
    text = (
        "Email,Start,End\n"
        "ghost@example.org,2026-12-01T08:00:00Z,2026-12-01T16:00:00Z\n"
        "mara@example.org,2026-12-01T16:00:00Z,2026-12-01T08:00:00Z\n"
        "mara@example.org,tomorrow,2026-12-01T08:00:00Z\n"
        "mara@example.org\n"
    )
    with pytest.raises(RowsError) as refused:
        read_rows(text, USERS.get)
    assert [line for line, _ in refused.value.faults] == [2, 3, 4, 5]
    assert "nobody in the team has the address 'ghost@example.org'" in str(refused.value)
    with pytest.raises(RowsError, match="no row follows"):
        read_rows("Email,Start,End\n", USERS.get)


def test_a_file_takes_the_place_of_earlier_ones_where_it_says_something() -> None:
    former = [Span("mara", at(0), at(24)), Span("ada", at(30), at(40))]
    clear = read_rows("DELETE,2026-12-01T10:00Z,2026-12-02T12:00Z", USERS.get)
    assert laid_over(former, clear) == (Span("mara", at(0), at(10)), Span("ada", at(36), at(40)))
    two = read_rows(
        "mara@example.org,2026-12-01T08:00Z,2026-12-01T09:00Z\n"
        "ada@example.org,2026-12-01T08:00Z,2026-12-01T09:00Z",
        USERS.get,
    )
    assert laid_over(former[:1], two) == (
        Span("mara", at(0), at(8)),
        Span("ada", at(8), at(9)),
        Span("mara", at(8), at(9)),
        Span("mara", at(9), at(24)),
    )
    assert laid_over(laid_over(former, two), two) == laid_over(former, two)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(1, 9)), max_size=12),
    st.lists(st.tuples(st.sampled_from("abX"), st.integers(0, 30), st.integers(1, 9)), max_size=12),
)
def test_every_hour_says_what_the_last_file_said_of_it(
    former: list[tuple[str, int, int]], file: list[tuple[str, int, int]]
) -> None:
    """`X` clears."""
    rows = Rows(
        tuple((at(hour), at(hour + size)) for who, hour, size in file if who == "X"),
        tuple(Span(who, at(hour), at(hour + size)) for who, hour, size in file if who != "X"),
    )
    stands = laid_over([Span(who, at(hour), at(hour + size)) for who, hour, size in former], rows)
    for now in range(40):
        said = [who for who, hour, size in file if hour <= now < hour + size]
        before = {who for who, hour, size in former if hour <= now < hour + size}
        on_duty = {span.user for span in stands if span.from_ <= at(now) < span.to}
        assert on_duty == (set(said) - {"X"} if said else before)


def test_nobodys_hour_counts_twice() -> None:
    found = merged(
        [
            Duty("Mara", "m@x", at(8), at(16)),
            Duty("Ada", "a@x", at(9), at(10)),
            Duty("Mara", "m@x", at(12), at(20)),
            Duty("Mara", "m@x", at(20), at(21)),
            Duty("Mara", "m@x", at(22), at(23)),
        ]
    )
    assert [(one.name, one.from_, one.to) for one in found] == [
        ("Mara", at(8), at(21)),
        ("Ada", at(9), at(10)),
        ("Mara", at(22), at(23)),
    ]


def test_hours_are_written_as_signl4_does_on_the_clock_of_the_team() -> None:
    short = Duty("Mara Ilves", "mara@example.org", at(8), at(8) + timedelta(minutes=39))
    assert write_hours([short], "Asia/Kathmandu") == (
        '"Name";"Email";"Start";"End";"Hours"\r\n'
        '"Mara Ilves";"mara@example.org";"2026-12-01T13:45:00+05:45";"2026-12-01T14:24:00+05:45";'
        '"0:39"\r\n'
    )
    west = write_hours([Duty("M", "m", at(0), at(720))], "America/New_York")
    assert '"2026-11-30T19:00:00-05:00"' in west
    assert west.endswith('"720:00"\r\n')


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1"])
def test_no_cell_is_a_formula(name: str) -> None:
    text = write_hours([Duty(name, "=cmd|'/C calc'!A0", at(8), at(9))], "UTC")
    row = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))[1]
    assert row[0] == f"'{name}"
    assert row[1].startswith("'=")
