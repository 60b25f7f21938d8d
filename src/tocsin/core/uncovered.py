"""Times in which nobody of a tier is on duty, and which of them are news."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.core.localtime import resolve, wall_clock
from tocsin.core.schedule import Timeline
from tocsin.core.spans import Span, joined, left_of

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Hole:
    """Nobody is on duty in a tier over [from_, to); `emptied`: an override took somebody off."""

    tier: str
    from_: datetime
    to: datetime
    emptied: bool = False


@dataclass(frozen=True, slots=True)
class Punched:
    """Somebody is on duty in a tier by hand."""

    tier: str
    from_: datetime
    to: datetime


def holes(lines: Iterable[tuple[str, Timeline]], punched: Iterable[Punched] = ()) -> list[Hole]:
    """Where no schedule of a tier and nobody by hand is on duty, in order; `lines` by tier."""
    by_tier: dict[str, list[Timeline]] = {}
    for tier, line in lines:
        by_tier.setdefault(tier, []).append(line)
    by_hand = list(punched)
    found: list[Hole] = []
    for tier, several in by_tier.items():
        shifts = [(shift.from_, shift.to) for line in several for shift in line.shifts]
        punches = [(one.from_, one.to) for one in by_hand if one.tier == tier]
        taken = joined([*shifts, *punches])
        pieces = [
            Hole(tier, from_, to, emptied=gap.why is not None)
            for line in several
            for gap in line.gaps
            for from_, to in left_of((gap.from_, gap.to), taken)
        ]
        found += _joined(sorted(pieces, key=lambda hole: (hole.from_, hole.to)))
    return found


def news(now: Iterable[Hole], before: Iterable[Hole], zone: str) -> list[Hole]:
    """The holes that are not simply how the week looks.

    `before` are the holes a week earlier. A time at which nobody was planned then either is meant,
    such as the nights of a team that works by day; a hole that an override made never is.
    """
    spans: dict[str, list[Span]] = {}
    for hole in before:
        if not hole.emptied:
            span = (_a_week_later(hole.from_, zone), _a_week_later(hole.to, zone))
            spans.setdefault(hole.tier, []).append(span)
    meant = {tier: joined(several) for tier, several in spans.items()}
    return [
        hole
        for hole in now
        if hole.emptied or left_of((hole.from_, hole.to), meant.get(hole.tier, ()))
    ]


def _a_week_later(at: datetime, zone: str) -> datetime:
    """On the clock of the wall: a hand-over keeps its hour when the clocks change in between."""
    return resolve(wall_clock(at, zone) + WEEK, zone)


def _joined(pieces: Iterable[Hole]) -> list[Hole]:
    """Pieces that touch or overlap are one hole."""
    joined: list[Hole] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last is not None and piece.from_ <= last.to:
            to, emptied = max(last.to, piece.to), last.emptied or piece.emptied
            joined[-1] = Hole(last.tier, last.from_, to, emptied)
        else:
            joined.append(piece)
    return joined
