"""The past as it was recorded, in the place of what a schedule of today says of it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from tocsin.core.schedule.results import Gap, Shift, Timeline, told

_P = TypeVar("_P", Shift, Gap)
_Span = tuple[datetime, datetime]


def as_it_was(
    planned: Timeline, recorded: Iterable[Shift], from_: datetime, to: datetime
) -> Timeline:
    """`planned` with what was recorded of [from_, to) in its place.

    A shift that goes on at either end is one. A gap keeps its reason where the plan has it too.
    """
    if to <= from_:
        return planned
    was = [part for shift in recorded for part in _inside(shift, from_, to)]
    rest = [part for shift in planned.shifts for part in _outside(shift, from_, to)]
    free = _free(was, from_, to)
    gaps = [part for gap in planned.gaps for part in _outside(gap, from_, to)]
    for begin, end in free:
        known = [part for gap in planned.gaps for part in _inside(gap, begin, end)]
        gaps += known
        gaps += [Gap(*span) for span in _free(known, begin, end)]
    shifts = _joined([*was, *rest], {from_, to})
    return Timeline(tuple(shifts), tuple(_touching(gaps)))


def _inside(piece: _P, from_: datetime, to: datetime) -> Iterator[_P]:
    begin, end = max(piece.from_, from_), min(piece.to, to)
    if begin < end:
        yield replace(piece, from_=begin, to=end)


def _outside(piece: _P, from_: datetime, to: datetime) -> Iterator[_P]:
    if piece.from_ < from_:
        yield replace(piece, to=min(piece.to, from_))
    if to < piece.to:
        yield replace(piece, from_=max(piece.from_, to))


def _free(pieces: Iterable[Shift | Gap], from_: datetime, to: datetime) -> list[_Span]:
    """The parts of [from_, to) that none of the pieces covers."""
    found: list[_Span] = []
    covered = from_
    for piece in sorted(pieces, key=lambda piece: piece.from_):
        if covered < piece.from_:
            found.append((covered, piece.from_))
        covered = max(covered, piece.to)
    if covered < to:
        found.append((covered, to))
    return found


def _joined(pieces: Iterable[Shift], cuts: set[datetime]) -> list[Shift]:
    """The shifts in order; those that were cut, of the same person for the same reason, are one."""
    found: dict[int, Shift] = {}
    running: dict[str, int] = {}
    for number, piece in enumerate(sorted(pieces, key=lambda piece: piece.from_)):
        place = running.get(piece.user, number)
        before = found.get(place)
        if before is not None and piece.from_ in cuts and _goes_on(before, piece):
            found[place] = replace(before, to=piece.to)
        else:
            found[number] = piece
            running[piece.user] = number
    return list(found.values())


def _goes_on(one: Shift, other: Shift) -> bool:
    return one.to == other.from_ and told(one.why) == told(other.why)


def _touching(gaps: Iterable[Gap]) -> list[Gap]:
    found: list[Gap] = []
    for gap in sorted(gaps, key=lambda gap: gap.from_):
        if found and found[-1].to == gap.from_ and found[-1].why == gap.why:
            found[-1] = replace(found[-1], to=gap.to)
        else:
            found.append(gap)
    return found
