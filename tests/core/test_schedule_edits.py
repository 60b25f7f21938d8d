"""What an edit leaves alone: who is on duty where that is asked, and the past always."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whenever import clear_tzcache, reset_tzpath

from tests.core.schedule_draws import DAY, MINUTE, ZONES, Asked, asked
from tests.core.schedule_tables import DAILY, always, at, plan, table
from tocsin.core.localtime import resolve
from tocsin.core.schedule import (
    Absence,
    AsBefore,
    Combine,
    Gap,
    Override,
    Schedule,
    Shift,
    Why,
    as_it_was,
    collisions,
    keep_current,
    rewriting,
    shifts,
    told,
)

NOW = at("2026-01-01T12:00Z")
Span = tuple[str, datetime, datetime]
Record = dict[int, tuple[tuple[str, Why], datetime, datetime]]
"""Shifts as they are recorded: who and why, beginning, end."""


def test_an_edit_that_keeps_who_is_on_duty_takes_effect_at_the_end_of_the_shift() -> None:
    edited = replace(plan(always("zoe")), kept=keep_current(plan(DAILY), NOW))
    assert table(edited, "2026-01-01T12:00Z", "2026-01-03T08:00Z") == [
        "01 12:00/02 08:00 ada",
        "02 08:00/03 08:00 zoe",
    ]
    (shift,) = shifts(edited, NOW, NOW + MINUTE).shifts
    assert shift.why == AsBefore("rotation days")


def test_where_several_are_on_duty_the_plan_holds_until_the_last_of_them_leaves() -> None:
    week = replace(DAILY, name="weeks", participants=(("emil",),), every=3)
    before = plan(DAILY, week, combine=Combine.EVERYBODY)
    edited = replace(plan(always("zoe")), kept=keep_current(before, NOW))
    assert table(edited, "2026-01-01T12:00Z", "2026-01-05T08:00Z") == [
        "01 12:00/02 08:00 ada",
        "01 12:00/04 08:00 emil",
        "02 08:00/03 08:00 ben",
        "03 08:00/04 08:00 cleo",
        "04 08:00/05 08:00 zoe",
    ]


def test_a_cover_ends_as_it_was_planned_and_with_it_what_is_kept() -> None:
    cover = Override(at("2026-01-01T10:00Z"), at("2026-01-01T18:00Z"), user="cleo")
    kept = keep_current(plan(DAILY, overrides=(cover,)), NOW)
    edited = replace(plan(always("zoe"), overrides=(cover,)), kept=kept)
    assert table(edited, "2026-01-01T12:00Z", "2026-01-02T08:00Z") == [
        "01 12:00/01 18:00 cleo",
        "01 18:00/02 08:00 zoe",
    ]


def test_overrides_made_after_the_edit_look_at_whom_it_keeps() -> None:
    hole = Override(at("2026-01-01T14:00Z"), at("2026-01-01T15:00Z"), replaces="ada")
    kept = keep_current(plan(DAILY), NOW)
    edited = replace(plan(always("zoe"), overrides=(hole,)), kept=kept)
    assert table(edited, "2026-01-01T12:00Z", "2026-01-02T08:00Z") == [
        "01 12:00/01 14:00 ada",
        "01 14:00/01 15:00 -",
        "01 15:00/02 08:00 ada",
    ]


def test_where_nobody_is_on_duty_there_is_nobody_to_keep() -> None:
    assert keep_current(plan(), NOW) is None


@settings(deadline=None)
@given(asked(), asked(), st.data())
def test_whatever_is_edited_those_on_duty_stay_until_their_shifts_end(
    one: Asked, other: Asked, data: st.DataObject
) -> None:
    before, from_, to = one
    now = from_ + data.draw(st.integers(0, (to - from_) // MINUTE - 1)) * MINUTE
    kept = keep_current(before, now)
    edited = replace(other[0], overrides=before.overrides, kept=kept, time_zone=before.time_zone)
    if kept is None or before.temporary:
        return
    assert _joined(edited, now, kept.to) == _joined(before, now, kept.to)
    after = kept.to + timedelta(days=2)
    plain = replace(edited, kept=None)
    assert _joined(edited, kept.to, after) == _joined(plain, kept.to, after)


@settings(deadline=None)
@given(asked(), st.lists(asked(), min_size=1, max_size=4), st.data())
def test_working_shifts_out_anew_never_alters_the_past(
    first: Asked, others: list[Asked], data: st.DataObject
) -> None:
    """Each time by another schedule in another zone, as after an edit or with new zone data."""
    _, from_, to = first
    record: Record = {}
    numbers = count()
    now = from_
    for schedule, _, _ in (first, *others):
        before = _until(record, now)
        _work_out(record, schedule, now, to + timedelta(days=4), numbers)
        assert _until(record, now) == before
        assert _from(record, now) == sorted(_spans(schedule, now, to + timedelta(days=4)))
        now += data.draw(st.integers(0, 2000)) * MINUTE


@pytest.fixture(scope="module")
def other_rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Zone data in which each zone of the tests has the rules of another one."""
    folder = tmp_path_factory.mktemp("zoneinfo")
    for zone, other in zip(ZONES, (*ZONES[1:], ZONES[0]), strict=True):
        file = folder / zone
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((files("tzdata") / "zoneinfo" / other).read_bytes())
    return folder


@settings(deadline=None)
@given(asked(), st.data())
def test_new_zone_data_changes_what_comes_and_never_the_past(
    other_rules: Path, question: Asked, data: st.DataObject
) -> None:
    schedule, from_, to = question
    record: Record = {}
    numbers = count()
    _work_out(record, schedule, from_, to, numbers)
    now = from_ + data.draw(st.integers(0, (to - from_) // MINUTE)) * MINUTE
    past = _until(record, now)
    with _zones_from(other_rules):
        _work_out(record, schedule, now, to, numbers)
        ahead = sorted(_spans(schedule, now, to))
    assert _until(record, now) == past
    assert _from(record, now) == ahead


def test_other_zone_data_is_really_read(other_rules: Path) -> None:
    moment = at("2026-07-01T12:00")
    before = resolve(moment, "Europe/Berlin")
    with _zones_from(other_rules):
        assert resolve(moment, "Europe/Berlin") != before
    assert resolve(moment, "Europe/Berlin") == before


@contextmanager
def _zones_from(folder: Path) -> Generator[None]:
    reset_tzpath([str(folder)])
    clear_tzcache()
    try:
        yield
    finally:
        reset_tzpath()
        clear_tzcache()


def _work_out(
    record: Record, schedule: Schedule, now: datetime, to: datetime, numbers: Iterator[int]
) -> None:
    found = shifts(schedule, now, to).shifts
    wanted = {((shift.user, shift.why), shift.from_): shift.to for shift in found}
    ahead = [(number, *entry) for number, entry in record.items() if entry[2] > now]
    changes = rewriting(ahead, wanted, now)
    for number in changes.gone:
        del record[number]
    for number, ends in changes.moved.items():
        record[number] = (*record[number][:2], ends)
    for (who, begins), ends in changes.added.items():
        record[next(numbers)] = (who, begins, ends)


def _until(record: Record, now: datetime) -> list[Span]:
    """What is recorded of the time before `now`."""
    past = [(who[0], begin, min(end, now)) for who, begin, end in record.values()]
    return sorted(span for span in past if span[1] < span[2])


def _from(record: Record, now: datetime) -> list[Span]:
    """What is recorded of the time from `now` on."""
    ahead = [(who[0], max(begin, now), end) for who, begin, end in record.values()]
    return sorted(span for span in ahead if span[1] < span[2])


def _joined(schedule: Schedule, from_: datetime, to: datetime) -> list[Span]:
    """Each person's duty, joined where it touches, whatever the reasons."""
    return _cut(shifts(schedule, from_, to).shifts, from_, to)


def _spans(schedule: Schedule, from_: datetime, to: datetime) -> list[Span]:
    return [(s.user, s.from_, s.to) for s in shifts(schedule, from_, to).shifts]


@settings(deadline=None)
@given(asked(), asked(), st.data())
def test_the_past_is_shown_as_it_was_and_covers_its_time_exactly(
    one: Asked, other: Asked, data: st.DataObject
) -> None:
    before, from_, to = one
    steps = st.integers(0, (to - from_) // MINUTE)
    since, now = (from_ + n * MINUTE for n in sorted((data.draw(steps), data.draw(steps))))
    was = shifts(before, from_ - DAY, to).shifts
    planned = shifts(other[0], from_, to)
    shown = as_it_was(planned, was, since, now)
    assert _cut(shown.shifts, since, now) == _cut(was, since, now)
    assert _cut(shown.shifts, from_, since) == _cut(planned.shifts, from_, since)
    assert _cut(shown.shifts, now, to) == _cut(planned.shifts, now, to)
    pieces: list[Shift | Gap] = [*shown.shifts, *shown.gaps]
    covered = from_
    for piece in sorted(pieces, key=lambda piece: piece.from_):
        assert piece.from_ <= covered
        covered = max(covered, piece.to)
    assert covered == to
    for gap in shown.gaps:
        assert all(s.to <= gap.from_ or gap.to <= s.from_ for s in shown.shifts)


@settings(deadline=None)
@given(asked(), st.data())
def test_a_past_as_it_was_planned_is_shown_as_planned(question: Asked, data: st.DataObject) -> None:
    schedule, from_, to = question
    now = from_ + data.draw(st.integers(0, (to - from_) // MINUTE)) * MINUTE
    planned = shifts(schedule, from_, to)
    was = [replace(shift, why=AsBefore(told(shift.why))) for shift in planned.shifts]
    shown = as_it_was(planned, was, from_, now)
    assert [_known(shift) for shift in shown.shifts] == [_known(shift) for shift in planned.shifts]
    assert shown.gaps == planned.gaps


def _known(shift: Shift) -> tuple[str, datetime, datetime, str]:
    return shift.user, shift.from_, shift.to, told(shift.why)


def _cut(found: Iterable[Shift], from_: datetime, to: datetime) -> list[Span]:
    """Each person's duty in [from_, to), joined where it touches."""
    joined: list[Span] = []
    for user, begin, end in sorted((s.user, max(s.from_, from_), min(s.to, to)) for s in found):
        if begin >= end:
            continue
        if joined and joined[-1][0] == user and joined[-1][2] == begin:
            joined[-1] = (user, joined[-1][1], end)
        else:
            joined.append((user, begin, end))
    return joined


def test_time_off_is_told_for_each_shift_that_it_touches_and_takes_nobody_off() -> None:
    off = Absence("ben", at("2026-01-02T12:00"), at("2026-01-05T12:00"))
    away = Absence("ada", at("2026-01-02T12:00"), at("2026-01-03T12:00"))
    found = shifts(plan(DAILY), at("2026-01-01T08:00Z"), at("2026-01-09T08:00Z")).shifts
    known = list(collisions((off, away), found, "Europe/Berlin"))
    assert [(c.absence, f"{c.from_:%d %H}", f"{c.to:%d %H}") for c in known] == [
        (off, "02 11", "03 08"),
        (off, "05 08", "05 11"),
    ]
    assert [c.shift.from_.day for c in known] == [2, 5]
