"""What is looked at: what the schedules of one team come to over a length of time."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from tocsin.core.schedule import Absence, Gap, Schedule, Timeline, shifts
from tocsin.core.spans import joined, left_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody can be on duty: a schedule by name, and its tier."""

    schedule: str
    tier: str


@dataclass(frozen=True, slots=True)
class Stint:
    """One person on duty in one place, [from_, to) in UTC."""

    place: Place
    user: str
    from_: datetime
    to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamPlan:
    """A team's schedules in [from_, to), UTC, each with its shifts and gaps. Made by `team_plan`.

    `zone` and `holidays` say what a night, a weekend and a holiday are; `absences` are the time
    off of its people; `paged_by` has, by tier, the steps of policies that page whoever is on duty.
    """

    from_: datetime
    to: datetime
    zone: str
    worked_out: tuple[tuple[Schedule, Timeline], ...]
    holidays: Mapping[date, str] = field(default_factory=dict[date, str])
    absences: tuple[Absence, ...] = ()
    paged_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def places(self) -> tuple[Place, ...]:
        """Where somebody can be on duty."""
        return tuple(_place(schedule) for schedule, _ in self.worked_out)

    @property
    def tiers(self) -> tuple[str, ...]:
        """The tiers that have a schedule, in order."""
        return tuple(sorted({schedule.tier for schedule, _ in self.worked_out}))

    def stints(self) -> Iterator[Stint]:
        """Everybody's shifts, schedule by schedule."""
        for schedule, timeline in self.worked_out:
            place = _place(schedule)
            for shift in timeline.shifts:
                yield Stint(place, shift.user, shift.from_, shift.to)


def team_plan(
    worked_out: Iterable[tuple[Schedule, Timeline]],
    from_: datetime,
    to: datetime,
    *,
    zone: str,
    holidays: Mapping[date, str],
    absences: Iterable[Absence] = (),
    paged_by: Mapping[str, tuple[str, ...]] | None = None,
) -> TeamPlan:
    """The schedules of a team, each with what it comes to in [from_, to)."""
    return TeamPlan(
        from_=from_.astimezone(UTC),
        to=to.astimezone(UTC),
        zone=zone,
        worked_out=tuple(worked_out),
        holidays=holidays,
        absences=tuple(absences),
        paged_by=paged_by or {},
    )


def timeline_of(
    schedule: Schedule, from_: datetime, to: datetime, gone: Collection[str] = ()
) -> Timeline:
    """The shifts and gaps of a schedule, where the people in `gone` are never on duty.

    Raises `ValueError` as `core.schedule.shifts` does.
    """
    whole = shifts(schedule, from_, to)
    staying = tuple(shift for shift in whole.shifts if shift.user not in gone)
    if len(staying) == len(whole.shifts):
        return whole
    known = [(gap.from_, gap.to) for gap in whole.gaps]
    taken = joined([*known, *((shift.from_, shift.to) for shift in staying)])
    left = (Gap(begin, end) for begin, end in left_of((from_, to), taken))
    gaps = sorted((*whole.gaps, *left), key=lambda gap: gap.from_)
    return Timeline(staying, tuple(gaps))


def _place(schedule: Schedule) -> Place:
    return Place(schedule.name, schedule.tier)
