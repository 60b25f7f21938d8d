"""What of the recorded shifts changes when schedules are worked out anew; the past never does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

Who = TypeVar("Who")
"""Whatever makes two shifts the same but their times: schedule, tier, user, reason."""


@dataclass(frozen=True, slots=True)
class Rewriting(Generic[Who]):
    """Records to delete, records that end at another time, shifts to add (with their ends)."""

    gone: tuple[int, ...]
    moved: Mapping[int, datetime]
    added: Mapping[tuple[Who, datetime], datetime]


def rewriting(
    recorded: Iterable[tuple[int, Who, datetime, datetime]],
    wanted: Mapping[tuple[Who, datetime], datetime],
    now: datetime,
) -> Rewriting[Who]:
    """What makes the record from `now` on what is wanted, and leaves it as it was before `now`.

    `recorded` has number, who, beginning and end of what ends after `now`; `wanted` the end of
    each shift by who and beginning, clipped to begin at `now`. A shift that runs keeps its
    beginning, and ends at `now` where it is not wanted any more.
    """
    added = dict(wanted)
    gone: list[int] = []
    moved: dict[int, datetime] = {}
    for number, who, from_, to in recorded:
        ends = added.pop((who, max(from_, now)), None)
        if ends is None and from_ >= now:
            gone.append(number)
        elif ends != to:
            moved[number] = ends or now
    return Rewriting(tuple(gone), moved, added)
