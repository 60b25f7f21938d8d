"""Overrides laid over the people whom the rotations put on duty."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime

from tocsin.core.localtime import instant
from tocsin.core.schedule.model import Override, Schedule
from tocsin.core.schedule.results import ByOverride, Duties, Slice, Why


def overridden(
    schedule: Schedule, base: Iterable[Slice], from_: datetime, to: datetime
) -> Iterator[Slice]:
    """The slices of [from_, to) again, cut where an override begins or ends, with its people."""
    zone = schedule.time_zone
    ranges = [(instant(o.from_, zone), instant(o.to, zone), o) for o in schedule.overrides]
    ranges = [entry for entry in ranges if entry[0] < to and from_ < entry[1]]
    cuts = sorted({cut for begin, end, _ in ranges for cut in (begin, end)})
    active: list[tuple[Override, ...]] = [()]  # before the first cut; then from each cut on
    active += [tuple(o for begin, end, o in ranges if begin <= cut < end) for cut in cuts]
    for whole in base:
        begin = whole.from_
        while begin < whole.to:
            index = bisect_right(cuts, begin)
            end = min(whole.to, cuts[index]) if index < len(cuts) else whole.to
            duties, hole = _apply(active[index], whole.duties)
            yield Slice(begin, end, duties, hole)
            begin = end


def _apply(active: tuple[Override, ...], scheduled: Duties) -> tuple[Duties, ByOverride | None]:
    """Who is on duty under the active overrides, and the override that left nobody, if one did.

    Each override looks at the people whom the rotations put on duty, never at what another
    override made of them. Of several that replace the same person the first listed counts.
    """
    if not active:
        return scheduled, None
    replacing: dict[str, Override] = {}
    for override in active:
        if override.replaces is not None:
            replacing.setdefault(override.replaces, override)
    covered = any(override.replaces is None and not override.extra for override in active)
    kept = {user: why for user, why in scheduled if user not in replacing and not covered}
    people: dict[str, Why] = dict(kept)
    hole: ByOverride | None = None
    for user, _ in scheduled:
        replaced_by = replacing.get(user)
        if replaced_by is None:
            continue
        if replaced_by.user is None:
            hole = hole or ByOverride(replaced_by)
        else:
            people.setdefault(replaced_by.user, ByOverride(replaced_by))
    for override in active:
        if override.replaces is None and override.user is not None:
            people.setdefault(override.user, ByOverride(override))
    return tuple(people.items()), None if people else hole
