"""Whether a page was repeated for as long as nobody answered."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.core.effects import Purpose
from tocsin.core.notification import State
from tocsin.core.verifying.episodes import Episode
from tocsin.core.verifying.history import GRACE, PAGING, Broken, History, Line, Promised

_Whom = tuple[int | None, int | None]
"""A person and a contact method."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """The pages to one contact method, each list in the order of time.

    `planned`: when each was planned and the how manieth it is; `due`: those not cancelled.
    """

    planned: list[tuple[datetime, int]] = field(default_factory=list[tuple[datetime, int]])
    due: list[datetime] = field(default_factory=list[datetime])

    def goes_on(self, row: Promised, sent_at: datetime, until: datetime) -> bool:
        """Whether another page followed: planned later, or due in the time of the repetition."""
        place = bisect_right(self.planned, (row.planned_at, row.attempt))
        if place < len(self.planned) and self.planned[place][0] <= until:
            return True
        place = bisect_right(self.due, sent_at)
        return place < len(self.due) and self.due[place] <= until


_ENDS_ASKING = frozenset(
    {"closed", "merged", "reassigned", "taken_over", "reopened", "unacknowledged", "suppressed"}
)


def check_repeats(
    history: History, episodes: Mapping[int, Episode], now: datetime
) -> Iterator[Broken]:
    """Repetitions that did not follow, or are missing among others."""
    chains: defaultdict[_Whom, _Chain] = defaultdict(_Chain)
    known: set[tuple[object, ...]] = set()
    for row in history.notifications:
        if row.purpose in PAGING:
            chain = chains[row.user, row.method]
            chain.planned.append((row.planned_at, row.attempt))
            if row.state is not State.CANCELLED:
                chain.due.append(row.due_at)
            known.add(_link(row, row.attempt))
    for chain in chains.values():
        chain.planned.sort()
        chain.due.sort()
    for row in history.notifications:
        if row.purpose not in PAGING:
            continue
        if row.attempt > 1 and _link(row, row.attempt - 1) not in known:
            how = f"follows attempt {row.attempt - 1}, and that is missing"
            yield Broken(due=row.due_at, what=row.what, how=how)
        if row.repeat_every is not None:
            chain = chains[row.user, row.method]
            yield from _repeated(row, row.repeat_every, history, episodes, chain, now)


def _link(row: Promised, attempt: int) -> tuple[object, ...]:
    return (row.user, row.method, row.purpose, row.episode, row.position, attempt)


def _repeated(
    row: Promised,
    every: timedelta,
    history: History,
    episodes: Mapping[int, Episode],
    chain: _Chain,
    now: datetime,
) -> Iterator[Broken]:
    if row.state is State.ANSWERED:
        return
    sent_at = next((one.at for one in row.ledger if one.state == State.SENT), None)
    until = now if sent_at is None else sent_at + every + GRACE
    if sent_at is None or until >= now or _ended(row, until, history, episodes):
        return
    if not chain.goes_on(row, sent_at, until):
        yield Broken(due=sent_at + every, what=row.what, how="was not repeated")


def _ended(
    row: Promised, until: datetime, history: History, episodes: Mapping[int, Episode]
) -> bool:
    """Whether there was a reason not to repeat it before the repetition was due."""
    episode = episodes.get(row.episode)
    if episode is None or not episode.sure:
        return True
    over = episode.over_at
    if row.purpose is Purpose.ESCALATION and over is not None and over <= until:
        return True
    return any(_stops(line, row) for line in history.lines if line.at <= until)


def _stops(line: Line, row: Promised) -> bool:
    if line.at < row.planned_at:
        # Whoever left duty stays away, unless a later page says otherwise.
        return line.kind == "left_duty" and line.concerns(row.name, row.user)
    if row.user is not None and line.by_user == row.user:
        return True
    if line.kind in {"left_duty", "throttled", "bundled"}:
        return line.kind != "left_duty" or line.concerns(row.name, row.user)
    return row.purpose is Purpose.RESPONDER and line.kind in _ENDS_ASKING
