"""Overrides by example."""

from dataclasses import replace

import pytest

from tests.core.schedule_tables import DAILY, always, at, plan, table
from tocsin.core.schedule import ByOverride, ByRotation, Combine, Gap, Override, shifts

BEGIN, END = at("2026-01-01T12:00Z"), at("2026-01-01T16:00Z")
DAY = ("2026-01-01T08:00Z", "2026-01-02T08:00Z")
PAIR = replace(DAILY, participants=(("ada", "ben"),))
COVER = Override(BEGIN, END, user="zoe")
HOLE = Override(BEGIN, END, replaces="ada")


def test_a_cover_takes_over_from_everybody() -> None:
    assert table(plan(PAIR, overrides=(COVER,)), *DAY) == [
        "01 08:00/01 12:00 ada",
        "01 08:00/01 12:00 ben",
        "01 12:00/01 16:00 zoe",
        "01 16:00/02 08:00 ada",
        "01 16:00/02 08:00 ben",
    ]


def test_a_cover_is_on_duty_also_where_nobody_was() -> None:
    assert table(plan(overrides=(COVER,)), *DAY) == [
        "01 08:00/01 12:00 -",
        "01 12:00/01 16:00 zoe",
        "01 16:00/02 08:00 -",
    ]


def test_a_cover_over_several_turns_is_one_shift_with_its_reason() -> None:
    long = Override(at("2026-01-01T12:00Z"), at("2026-01-04T12:00Z"), user="zoe")
    timeline = shifts(plan(DAILY, overrides=(long,)), long.from_, long.to)
    (shift,) = timeline.shifts
    assert (shift.from_, shift.to, shift.why) == (long.from_, long.to, ByOverride(long))


def test_a_replacement_takes_over_only_where_that_person_is_scheduled() -> None:
    swap = Override(BEGIN, at("2026-01-04T12:00Z"), user="zoe", replaces="ben")
    assert table(plan(DAILY, overrides=(swap,)), "2026-01-01T08:00Z", "2026-01-04T08:00Z") == [
        "01 08:00/02 08:00 ada",
        "02 08:00/03 08:00 zoe",
        "03 08:00/04 08:00 cleo",
    ]


def test_a_replacement_leaves_the_others_of_the_group_on_duty() -> None:
    swap = Override(BEGIN, END, user="zoe", replaces="ben")
    assert table(plan(PAIR, overrides=(swap,)), *DAY) == [
        "01 08:00/01 12:00 ben",
        "01 08:00/02 08:00 ada",
        "01 12:00/01 16:00 zoe",
        "01 16:00/02 08:00 ben",
    ]


def test_a_replacement_without_a_successor_leaves_a_hole_that_names_it() -> None:
    holed = plan(always("dora"), DAILY, overrides=(HOLE,))  # dora does not step in
    timeline = shifts(holed, at(DAY[0]), at(DAY[1]))
    assert timeline.gaps == (Gap(BEGIN, END, ByOverride(HOLE)),)


def test_a_gap_of_the_rotations_and_a_hole_of_an_override_are_told_apart() -> None:
    ending = replace(DAILY, active_until=at("2026-01-01T14:00Z"))
    timeline = shifts(plan(ending, overrides=(HOLE,)), BEGIN, END)
    middle = at("2026-01-01T14:00Z")
    assert timeline.gaps == (Gap(BEGIN, middle, ByOverride(HOLE)), Gap(middle, END))


def test_an_extra_person_is_on_duty_beside_the_others() -> None:
    extra = Override(BEGIN, END, user="zoe", extra=True)
    assert table(plan(DAILY, overrides=(extra,)), *DAY) == [
        "01 08:00/02 08:00 ada",
        "01 12:00/01 16:00 zoe",
    ]


def test_an_extra_person_who_is_on_duty_anyway_stays_so_by_the_rotation() -> None:
    extra = Override(BEGIN, END, user="ada", extra=True)
    (shift,) = shifts(plan(DAILY, overrides=(extra,)), at(DAY[0]), at(DAY[1])).shifts
    assert shift.why == ByRotation("days", 0)


def test_overrides_do_not_chain() -> None:
    """Who came by an override is not looked at by another one."""
    first = Override(BEGIN, END, user="ben", replaces="ada")
    second = Override(BEGIN, END, user="zoe", replaces="ben")
    for order in ((first, second), (second, first)):
        rows = table(plan(DAILY, overrides=order), *DAY)
        assert rows[1] == "01 12:00/01 16:00 ben"


def test_of_two_that_replace_the_same_person_the_first_listed_counts() -> None:
    one = Override(BEGIN, END, user="yara", replaces="ada")
    other = Override(BEGIN, END, user="zoe", replaces="ada")
    assert "01 12:00/01 16:00 yara" in table(plan(DAILY, overrides=(one, other)), *DAY)
    assert "01 12:00/01 16:00 zoe" in table(plan(DAILY, overrides=(other, one)), *DAY)


def test_a_cover_fills_the_hole_of_another_override_in_either_order() -> None:
    for order in ((HOLE, COVER), (COVER, HOLE)):
        assert "01 12:00/01 16:00 zoe" in table(plan(DAILY, overrides=order), *DAY)


def test_two_covers_at_once_are_both_on_duty() -> None:
    """Each looks at the rotations only; one person too many is better than nobody."""
    other = Override(BEGIN, END, user="yara")
    rows = table(plan(DAILY, overrides=(COVER, other)), *DAY)
    assert rows[1:3] == ["01 12:00/01 16:00 yara", "01 12:00/01 16:00 zoe"]


def test_an_override_without_an_offset_is_wall_time_of_the_schedule() -> None:
    local = Override(at("2026-01-01T13:00"), at("2026-01-01T17:00"), user="zoe")
    assert table(plan(DAILY, overrides=(local,)), *DAY) == table(
        plan(DAILY, overrides=(COVER,)), *DAY
    )


def test_with_everybody_a_replacement_works_on_each_rotation() -> None:
    both = plan(DAILY, always("dora"), combine=Combine.EVERYBODY, overrides=(HOLE,))
    assert table(both, *DAY) == [
        "01 08:00/01 12:00 ada",
        "01 08:00/02 08:00 dora",
        "01 16:00/02 08:00 ada",
    ]


def test_an_override_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="names `user`"):
        Override(BEGIN, END)
    with pytest.raises(ValueError, match="replaces nobody"):
        Override(BEGIN, END, user="zoe", replaces="ada", extra=True)
    with pytest.raises(ValueError, match="replaces nobody"):
        Override(BEGIN, END, replaces="ada", extra=True)
    for from_, to in ((END, BEGIN), (BEGIN, BEGIN)):
        with pytest.raises(ValueError, match="ends after it begins"):
            Override(from_, to, user="zoe")
