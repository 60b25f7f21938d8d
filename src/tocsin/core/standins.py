"""Who stands in for whom: overrides that put one person where another is on duty."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.core.schedule import ByOverride, Override, Schedule, Shift, shifts, told
from tocsin.core.spans import Span, joined, left_of


@dataclass(frozen=True, slots=True)
class Give:
    """`giver` gives their duty in a schedule (by row) over [from_, to) to `taker`, or to nobody."""

    schedule: int
    giver: str
    taker: str | None
    from_: datetime
    to: datetime


@dataclass(frozen=True, slots=True)
class Impossible:
    """Why a stand-in cannot be arranged, in one sentence, and what helps."""

    reason: str
    remedy: str


Laid = dict[int, tuple[Override, ...]]
"""The overrides to be made, by the row of their schedule."""


def arranged(schedules: Mapping[int, Schedule], gives: Iterable[Give]) -> Laid | Impossible:
    """The overrides that make all these gives true at once, each checked against the schedules.

    Everybody must be on duty for the whole of what they give, and free for the whole of what they
    take, but for what they give in the same breath.
    """
    wanted = list(gives)
    for give in wanted:
        refused = not_theirs(schedules, give) or _not_free(schedules, give, wanted)
        if refused is not None:
            return refused
    laid: Laid = {}
    after = dict(schedules)
    for give in wanted:
        made = in_place(after[give.schedule], give)
        if isinstance(made, Impossible):
            return made
        former = after[give.schedule]
        after[give.schedule] = replace(former, overrides=(*made, *former.overrides))
        laid[give.schedule] = (*laid.get(give.schedule, ()), *made)
    return laid


def in_place(schedule: Schedule, give: Give) -> tuple[Override, ...] | Impossible:
    """The overrides that put the taker, or a hole, wherever the giver is on duty in that time.

    An override looks at whom the rotations put on duty; where the giver stands in for somebody
    already, the taker replaces that same person, and the newer override counts. The result is
    worked out and looked at, so that none is made that would not do what it says.
    """
    pieces = _pieces(schedule, give)
    made: list[Override] = []
    for piece in pieces:
        replaces = _replaced(piece)
        if replaces is None:
            return _unmovable(give.giver, schedule, piece)
        last = made[-1] if made else None
        if last is not None and last.to == piece.from_ and last.replaces == replaces:
            made[-1] = replace(last, to=piece.to)
        else:
            made.append(Override(piece.from_, piece.to, user=give.taker, replaces=replaces))
    after = shifts(
        replace(schedule, overrides=(*made, *schedule.overrides)), give.from_, give.to
    ).shifts
    takers = [(shift.from_, shift.to) for shift in after if shift.user == give.taker]
    stays = any(shift.user == give.giver for shift in after) and give.giver != give.taker
    missed = give.taker is not None and any(left_of(one, joined(takers)) for one in _spans(pieces))
    if stays or missed:
        return _unmovable(give.giver, schedule, pieces[0])
    return tuple(made)


def not_theirs(schedules: Mapping[int, Schedule], give: Give) -> Impossible | None:
    """Why the giver has not all of what they would give, None where they have."""
    schedule = schedules.get(give.schedule)
    if schedule is None:
        return Impossible("The schedule is gone.", "Look at the schedules as they are now.")
    left = left_of((give.from_, give.to), joined(_spans(_pieces(schedule, give))))
    if not left:
        return None
    return Impossible(
        f"{give.giver} is not on duty in {schedule.name} for the whole of that time.",
        "Name a time that lies within a shift as it is now.",
    )


def busy(schedules: Iterable[Schedule], from_: datetime, to: datetime) -> frozenset[str]:
    """Everybody who is on duty at some moment of that time."""
    return frozenset(
        shift.user for schedule in schedules for shift in shifts(schedule, from_, to).shifts
    )


def _not_free(
    schedules: Mapping[int, Schedule], give: Give, gives: Iterable[Give]
) -> Impossible | None:
    others = [other for other in gives if other.giver == give.taker]
    for row, schedule in schedules.items():
        given = [(other.from_, other.to) for other in others if other.schedule == row]
        for shift in shifts(schedule, give.from_, give.to).shifts:
            if shift.user == give.taker and left_of((shift.from_, shift.to), joined(given)):
                return Impossible(
                    f"{give.taker} is on duty in {schedule.name} then already: the shifts overlap.",
                    "Choose a time at which they are free, or somebody else.",
                )
    return None


def _pieces(schedule: Schedule, give: Give) -> list[Shift]:
    within = shifts(schedule, give.from_, give.to).shifts
    return [shift for shift in within if shift.user == give.giver]


def _replaced(piece: Shift) -> str | None:
    """Whom the rotations have where this person is on duty; None: nobody that could be replaced."""
    return piece.why.override.replaces if isinstance(piece.why, ByOverride) else piece.user


def _unmovable(giver: str, schedule: Schedule, piece: Shift) -> Impossible:
    why = told(piece.why)
    return Impossible(
        f"{giver} is on duty in {schedule.name} by {why}, and no override can be laid over it.",
        f"Change that {why.partition(' ')[0]}.",
    )


def _spans(pieces: Iterable[Shift]) -> list[Span]:
    return [(piece.from_, piece.to) for piece in pieces]
