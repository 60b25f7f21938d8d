"""Shifts that calendars say: one layer above rotations and events, below overrides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tocsin.core.schedule import (
    ByCalendar,
    Combine,
    ImportedShift,
    Override,
    Rotation,
    Schedule,
    Unit,
    shifts,
    told,
)

DAY = datetime(2026, 12, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


def said(user: str, begin: float, end: float) -> ImportedShift:
    return ImportedShift(user, at(begin), at(end), "sap")


ROTATION = Rotation("days", (("mara",),), datetime(2026, 1, 1), Unit.DAY)  # noqa: DTZ001 - wall time
PLAIN = Schedule("primary", "1", "UTC", (ROTATION,))


def line(schedule: Schedule) -> list[tuple[str, float, float]]:
    found = shifts(schedule, at(0), at(24)).shifts
    hour = timedelta(hours=1)
    return [(one.user, (one.from_ - DAY) / hour, (one.to - DAY) / hour) for one in found]


def test_an_imported_shift_wins_over_rotations_or_stands_beside_them() -> None:
    schedule = replace(PLAIN, imported=(said("ada", 8, 16),))
    assert line(schedule) == [("mara", 0, 8), ("ada", 8, 16), ("mara", 16, 24)]
    both = replace(schedule, combine=Combine.EVERYBODY)
    assert line(both) == [("mara", 0, 24), ("ada", 8, 16)]


def test_those_who_overlap_are_on_duty_together() -> None:
    schedule = replace(PLAIN, imported=(said("ada", 8, 16), said("jonas", 12, 20)))
    assert line(schedule)[1:3] == [("ada", 8, 16), ("jonas", 12, 20)]


def test_each_entry_is_a_shift_of_its_own_with_its_reason() -> None:
    schedule = replace(PLAIN, imported=(said("ada", 16, 20), said("ada", 8, 16)))
    found = [one for one in shifts(schedule, at(0), at(24)).shifts if one.user == "ada"]
    assert [one.why for one in found] == [ByCalendar("sap", at(8)), ByCalendar("sap", at(16))]
    assert told(found[0].why) == "calendar sap"


def test_an_override_looks_at_imported_shifts_as_at_rotations() -> None:
    cover = Override(at(10), at(12), user="jonas", replaces="ada")
    schedule = replace(PLAIN, imported=(said("ada", 8, 16),), overrides=(cover,))
    assert ("jonas", 10, 12) in line(schedule)


@seed(20261124)
@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(-30, 60), st.integers(1, 30)), max_size=8
    )
)
def test_at_every_hour_those_are_on_duty_whose_entries_say_so(
    made: list[tuple[str, int, int]],
) -> None:
    entries = tuple(said(user, begin, begin + length) for user, begin, length in made)
    found = shifts(Schedule("primary", "1", "UTC", imported=entries), at(0), at(24))
    for half in range(48):
        now = at(half / 2)
        expected = {one.user for one in entries if one.from_ <= now < one.to}
        assert {one.user for one in found.shifts if one.from_ <= now < one.to} == expected


def test_a_file_that_piles_shifts_up_is_worked_out_in_time() -> None:
    entries = tuple(said(user, n / 100, n / 100 + 20) for n in range(2500) for user in "ab")
    schedule = replace(PLAIN, imported=entries)
    assert {user for user, *_ in line(schedule)} == {"a", "b"}
