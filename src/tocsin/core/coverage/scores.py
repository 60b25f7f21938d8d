"""How much of a length of time somebody is on duty, and when nobody is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.core.coverage.model import Place, Stint
from tocsin.core.spans import Span, joined, left_of, length


@dataclass(frozen=True, slots=True)
class Coverage:
    """Somebody is on duty for `covered` of `asked`; `gaps` are the rest, in order."""

    asked: timedelta
    covered: timedelta
    gaps: tuple[Span, ...]

    @property
    def score(self) -> float:
        """The part of the time with somebody on duty, 0 to 1; 1 only where there is no gap.

        Six digits, cut off and not rounded.
        """
        if not self.gaps:
            return 1.0
        return (1_000_000 * self.covered // self.asked) / 1_000_000


@dataclass(frozen=True, slots=True)
class TeamCoverage:
    """How a team is covered: in each schedule, in each tier, and by anybody in any tier."""

    schedules: Mapping[Place, Coverage]
    tiers: Mapping[str, Coverage]
    team: Coverage


def scored(spans: Iterable[Span], from_: datetime, to: datetime) -> Coverage:
    """How `spans` of somebody on duty cover [from_, to)."""
    gaps = left_of((from_, to), joined(spans))
    return Coverage(to - from_, to - from_ - length(gaps), tuple(gaps))


def team_coverage(
    stints: Iterable[Stint], places: Iterable[Place], from_: datetime, to: datetime
) -> TeamCoverage:
    """How the duty of a team covers [from_, to).

    `places` are scored each for itself, also where nobody is on duty; duty elsewhere, as that
    taken by hand, counts in its tier and in the team.
    """
    known = {place.schedule: place for place in places}
    by_place: dict[Place, list[Span]] = {place: [] for place in known.values()}
    by_tier: dict[str, list[Span]] = {place.tier: [] for place in by_place}
    for stint in stints:
        span = stint.from_, stint.to
        by_tier.setdefault(stint.place.tier, []).append(span)
        if stint.place.schedule in known:
            by_place[known[stint.place.schedule]].append(span)
    every = [span for spans in by_tier.values() for span in spans]
    return TeamCoverage(
        {place: scored(spans, from_, to) for place, spans in by_place.items()},
        {tier: scored(by_tier[tier], from_, to) for tier in sorted(by_tier)},
        scored(every, from_, to),
    )
