"""What to watch out for in a plan: gaps, short rest, many nights, clock changes, collisions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations, groupby, pairwise
from operator import attrgetter

from tocsin.core.coverage.fairness import COUNTS_FROM, nights
from tocsin.core.coverage.model import Place, Stint, TeamPlan
from tocsin.core.coverage.scores import scored
from tocsin.core.localtime import wall_clock
from tocsin.core.schedule import Schedule, Timeline, collisions, told
from tocsin.core.spans import Span, common, joined, overlaps


class Kind(StrEnum):
    """What a finding is about."""

    GAP = "gap"  # nobody is on duty in a tier
    EMPTY_SHIFT = "empty_shift"  # somebody was planned in a schedule, and is taken off it
    SHORT_REST = "short_rest"  # little time between two shifts of one person
    NIGHTS_IN_A_ROW = "nights_in_a_row"
    CLOCK_CHANGE = "clock_change"  # a shift is longer or shorter than its clock times say
    TWO_PLACES = "two_places"  # on duty in two schedules at once
    TIME_OFF = "time_off"  # on duty and absent


@dataclass(frozen=True, slots=True)
class Limits:
    """From how little rest and from how many nights on a person is named."""

    rest: timedelta = timedelta(hours=11)
    nights: int = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to watch out for in [from_, to), UTC.

    `length` is the rest that is left, or by how much a shift is longer (shorter: negative) than
    its clock times say; `nights` how many there are; `why` what made a shift empty.
    """

    kind: Kind
    from_: datetime
    to: datetime
    user: str | None = None
    tier: str | None = None
    schedules: tuple[str, ...] = ()
    length: timedelta | None = None
    nights: int | None = None
    why: str | None = None


DEFAULT = Limits()


def findings(plan: TeamPlan, limits: Limits = DEFAULT) -> tuple[Finding, ...]:
    """All that there is to watch out for, in the order of its kinds, then of time."""
    stints = sorted(plan.stints(), key=attrgetter("user", "from_", "to"))
    found = [*_gaps(plan, stints), *_by_schedule(plan)]
    for user, own in groupby(stints, key=attrgetter("user")):
        mine = list(own)
        found += _two_places(user, mine)
        found += _short_rests(user, plan, mine, limits.rest)
        found += _nights(user, plan, mine, limits.nights)
    order = {kind: number for number, kind in enumerate(Kind)}
    return tuple(sorted(found, key=lambda one: (order[one.kind], one.from_, one.user or "")))


def _gaps(plan: TeamPlan, stints: Iterable[Stint]) -> Iterator[Finding]:
    by_tier: dict[str, list[Span]] = {tier: [] for tier in plan.tiers}
    for stint in stints:
        by_tier[stint.place.tier].append((stint.from_, stint.to))
    for tier, spans in by_tier.items():
        for from_, to in scored(spans, plan.from_, plan.to).gaps:
            yield Finding(Kind.GAP, from_, to, tier=tier)


def _by_schedule(plan: TeamPlan) -> Iterator[Finding]:
    for schedule, timeline in plan.worked_out:
        where = (schedule.name,)
        for gap in timeline.gaps:
            if gap.why is not None:
                yield Finding(
                    Kind.EMPTY_SHIFT, gap.from_, gap.to,
                    tier=schedule.tier, schedules=where, why=told(gap.why),
                )  # fmt: skip
        yield from _clock_changes(plan.zone, schedule, timeline)
        for one in collisions(plan.absences, timeline.shifts, plan.zone):
            yield Finding(
                Kind.TIME_OFF, one.from_, one.to,
                user=one.shift.user, tier=schedule.tier, schedules=where,
            )  # fmt: skip


def _clock_changes(zone: str, schedule: Schedule, timeline: Timeline) -> Iterator[Finding]:
    for shift in timeline.shifts:
        shown = wall_clock(shift.to, zone) - wall_clock(shift.from_, zone)
        longer = (shift.to - shift.from_) - shown
        if longer:
            yield Finding(
                Kind.CLOCK_CHANGE, shift.from_, shift.to,
                user=shift.user, tier=schedule.tier, schedules=(schedule.name,), length=longer,
            )  # fmt: skip


def _two_places(user: str, own: list[Stint]) -> Iterator[Finding]:
    by_place: dict[Place, list[Span]] = {}
    for stint in own:
        by_place.setdefault(stint.place, []).append((stint.from_, stint.to))
    for (one, spans), (other, others) in combinations(sorted(by_place.items(), key=_name), 2):
        where = (one.schedule, other.schedule)
        for from_, to in overlaps(joined(spans), joined(others)):
            yield Finding(Kind.TWO_PLACES, from_, to, user=user, schedules=where)


def _name(entry: tuple[Place, list[Span]]) -> tuple[str, str]:
    return entry[0].schedule, entry[0].tier


def _short_rests(
    user: str, plan: TeamPlan, own: list[Stint], least: timedelta
) -> Iterator[Finding]:
    worked = joined((stint.from_, stint.to) for stint in own)
    pauses = _pauses(user, plan)
    for (_, end), (begin, _) in pairwise(worked):
        if begin - end < least and (end, begin) not in pauses:
            near = (s.place.schedule for s in own if s.to == end or s.from_ == begin)
            where = tuple(dict.fromkeys(near))
            yield Finding(
                Kind.SHORT_REST, end, begin, user=user, schedules=where, length=begin - end
            )


def _pauses(user: str, plan: TeamPlan) -> set[Span]:
    """The breaks inside one turn that only overrides or other rotations make: it is one shift."""
    found: set[Span] = set()
    for _, timeline in plan.worked_out:
        own = [shift for shift in timeline.shifts if shift.user == user]
        breaks = [(a.to, b.from_) for a, b in pairwise(own) if a.why == b.why]
        closed = common(breaks, [(gap.from_, gap.to) for gap in timeline.gaps if gap.why is None])
        found |= {one for one, gap in zip(breaks, closed, strict=True) if not gap}
    return found


def _nights(user: str, plan: TeamPlan, own: list[Stint], most: int) -> Iterator[Finding]:
    every = list(nights((plan.from_, plan.to), plan.zone))
    worked = common(every, joined((stint.from_, stint.to) for stint in own))
    run: list[Span] = []
    for night, length in [*zip(every, worked, strict=True), (every[-1], timedelta())]:
        if length >= COUNTS_FROM:
            run.append(night)
            continue
        if len(run) > most:
            begin, end = max(run[0][0], plan.from_), min(run[-1][1], plan.to)
            yield Finding(Kind.NIGHTS_IN_A_ROW, begin, end, user=user, nights=len(run))
        run = []
