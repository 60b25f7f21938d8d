"""Overrides that put one person where another is on duty."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.schedule import Combine, Override, Rotation, Schedule, Unit, shifts
from tocsin.core.spans import joined, left_of
from tocsin.core.standins import Give, Impossible, arranged, in_place, not_theirs

ZONE = "Europe/Berlin"
START = datetime(2026, 11, 2, 9, 0)  # noqa: DTZ001 - wall time
DAYS = Rotation("days", (("mara",), ("jonas",), ("ada",)), START, Unit.DAY)
PRIMARY = Schedule("primary", "1", ZONE, (DAYS,))


def at(day: int, hour: int = 8) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def who(schedule: Schedule, from_: datetime, to: datetime) -> list[str]:
    return [shift.user for shift in shifts(schedule, from_, to).shifts]


def laid_over(schedule: Schedule, made: object) -> Schedule:
    assert isinstance(made, tuple), made
    return replace(schedule, overrides=(*made, *schedule.overrides))


def test_a_swap_is_two_overrides_and_everybody_else_stays() -> None:
    gives = [Give(1, "mara", "jonas", at(5), at(6)), Give(1, "jonas", "mara", at(6), at(7))]
    laid = arranged({1: PRIMARY}, gives)
    assert not isinstance(laid, Impossible)
    assert [(one.user, one.replaces) for one in laid[1]] == [("jonas", "mara"), ("mara", "jonas")]
    after = laid_over(PRIMARY, laid[1])
    assert who(after, at(5), at(8)) == ["jonas", "mara", "ada"]


def test_a_part_of_a_shift_leaves_the_rest_with_its_owner() -> None:
    made = in_place(PRIMARY, Give(1, "mara", "ada", at(5, 12), at(5, 14)))
    assert who(laid_over(PRIMARY, made), at(5), at(6)) == ["mara", "ada", "mara"]


def test_who_stands_in_already_can_be_replaced_again_and_overrides_never_chain() -> None:
    once = laid_over(PRIMARY, in_place(PRIMARY, Give(1, "mara", "jonas", at(5), at(6))))
    made = in_place(once, Give(1, "jonas", "ada", at(5), at(6)))
    assert not isinstance(made, Impossible)
    assert [one.replaces for one in made] == ["mara"]
    assert who(laid_over(once, made), at(5), at(6)) == ["ada"]


def test_an_override_for_everybody_cannot_be_laid_over_and_says_so() -> None:
    cover = Override(at(5), at(6), user="mara")
    schedule = replace(PRIMARY, overrides=(cover,))
    refused = in_place(schedule, Give(1, "mara", "jonas", at(5), at(6)))
    assert isinstance(refused, Impossible)
    assert "no override can be laid over it" in refused.reason
    extra = replace(PRIMARY, overrides=(Override(at(5), at(6), user="jonas", extra=True),))
    assert isinstance(in_place(extra, Give(1, "jonas", "ada", at(5), at(6))), Impossible)


def test_nobody_gives_what_is_not_theirs() -> None:
    for give in (
        Give(1, "mara", "jonas", at(6), at(7)),  # jonas's own
        Give(1, "mara", "jonas", at(5), at(6, 9)),  # an hour too long
        Give(2, "mara", "jonas", at(5), at(6)),  # no such schedule
    ):
        assert not_theirs({1: PRIMARY}, give) is not None
        assert isinstance(arranged({1: PRIMARY}, [give]), Impossible)


def test_nobody_takes_what_overlaps_with_their_own_duty() -> None:
    second = Schedule("second", "2", ZONE, (replace(DAYS, participants=(("jonas",),)),))
    refused = arranged({1: PRIMARY, 2: second}, [Give(1, "mara", "jonas", at(5), at(6))])
    assert isinstance(refused, Impossible)
    assert "the shifts overlap" in refused.reason
    both = [Give(1, "mara", "jonas", at(5), at(6)), Give(2, "jonas", "mara", at(5), at(6))]
    laid = arranged({1: PRIMARY, 2: second}, both)  # each takes the other's line
    assert not isinstance(laid, Impossible)
    assert set(laid) == {1, 2}


def test_a_swap_over_a_night_on_which_the_clock_changes_is_whole() -> None:
    spring = replace(DAYS, start=datetime(2026, 3, 27, 2, 30))  # noqa: DTZ001 - wall time
    schedule = replace(PRIMARY, rotations=(spring,))
    line = shifts(schedule, datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    night = next(shift for shift in line.shifts if shift.to - shift.from_ < timedelta(hours=24))
    taker = "mara" if night.user == "jonas" else "jonas"
    made = in_place(schedule, Give(1, night.user, taker, night.from_, night.to))
    after = shifts(laid_over(schedule, made), night.from_, night.to).shifts
    assert [(one.user, one.from_, one.to) for one in after] == [(taker, night.from_, night.to)]


@given(st.integers(0, 20), st.integers(1, 100), st.sampled_from(list(Combine)))
def test_whoever_gives_is_off_and_whoever_takes_is_on_for_exactly_that_time(
    begins: int, hours: int, combine: Combine
) -> None:
    schedule = replace(PRIMARY, combine=combine)
    from_ = at(4) + timedelta(hours=begins)
    to = from_ + timedelta(hours=hours)
    mine = [(s.from_, s.to) for s in shifts(schedule, from_, to).shifts if s.user == "mara"]
    made = in_place(schedule, Give(1, "mara", "lea", from_, to))
    after = shifts(laid_over(schedule, made), at(1), at(30)).shifts
    lea = [(s.from_, s.to) for s in after if s.user == "lea"]
    assert [piece for piece in mine if left_of(piece, joined(lea))] == []
    assert sum((end - begin for begin, end in lea), timedelta()) == sum(
        (end - begin for begin, end in mine), timedelta()
    )
    assert not [s for s in after if s.user == "mara" and s.from_ < to and from_ < s.to]
