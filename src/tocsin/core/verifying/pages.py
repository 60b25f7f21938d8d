"""What became of each notification: sent, settled or taken back with a reason, and not too late."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import assert_never

from tocsin.core.effects import Purpose
from tocsin.core.notification import UNREPORTED, State
from tocsin.core.verifying.episodes import Episode
from tocsin.core.verifying.history import (
    GRACE,
    LATE,
    PAGING,
    Broken,
    Grade,
    History,
    Line,
    Noted,
    Promised,
    length,
)

_ARRIVED = frozenset({"sent", "delivered", "seen", "answered"})
_WITHDRAWN = "withdrawn"
_TRIED = _ARRIVED | {"retry"}
_FOR_ALL = frozenset(
    {
        "acknowledged", "snoozed", "taken_over", "closed", "merged", "suppressed",
        "unacknowledged", "acknowledgement_expired", "snooze_ended", "reopened",
        "suppression_ended", "escalated", "responder_answered", "extended",
    }
)  # fmt: skip
"""Changes that take back what is planned."""
_FOR_SOME = frozenset({"step", "came_on_duty", "left_duty", "responders_added"})
"""Changes that take back what is planned for the people whom they name."""


def check_pages(
    history: History, episodes: Mapping[int, Episode], now: datetime, lease: timedelta
) -> Iterator[Broken]:
    """What was not sent, sent twice without the mark, or sent after its end."""
    for row in history.notifications:
        if row.due_at <= now - GRACE:
            yield from _settled(row, history, episodes.get(row.episode), now, lease)
        yield from _late(row)
        yield from _twice(row)
        yield from _too_late(row, episodes.get(row.episode), lease)


def _settled(
    row: Promised, history: History, episode: Episode | None, now: datetime, lease: timedelta
) -> Iterator[Broken]:
    match row.state:
        case State.PLANNED | State.LEASED:
            yield from _waiting(row, history, now, lease)
        case State.CANCELLED:
            yield from _cancelled(row, history, episode)
        case State.BUNDLED:
            if not row.carried:
                how = "is said to be part of another message, and of none that is known"
                yield Broken(due=row.due_at, what=row.what, how=how)
        case State.SENT | State.DELIVERED | State.SEEN | State.ANSWERED:
            if not any(one.state in _ARRIVED for one in row.ledger):
                how = "is said to be sent, and the ledger does not know of it"
                yield Broken(due=row.due_at, what=row.what, how=how)
        case State.FAILED | State.EXPIRED:
            if not any(one.state == row.state for one in row.ledger):
                how = f"is said to be {row.state}, and the ledger does not know of it"
                yield Broken(due=row.due_at, what=row.what, how=how)
        case _:
            assert_never(row.state)


def _waiting(row: Promised, history: History, now: datetime, lease: timedelta) -> Iterator[Broken]:
    last = row.ledger[-1] if row.ledger else None
    if last is None:
        put_off = row.next_try_at is not None and row.next_try_at > now - GRACE
        if not (put_off and _throttled(history, row)):
            yield Broken(due=row.due_at, what=row.what, how="was never sent")
    elif last.state == State.LEASED:
        if last.at + lease <= now - GRACE:
            how = f"was not settled within {length(lease)} of being taken on"
            yield Broken(due=row.due_at, what=row.what, how=how)
    elif row.next_try_at is None:
        yield Broken(due=row.due_at, what=row.what, how="waits, and will not be tried again")
    elif row.next_try_at <= now - GRACE:
        how = f"was not tried again, {length(row.next_try_at - row.due_at)} after it was due"
        yield Broken(due=row.due_at, what=row.what, how=how)


def _throttled(history: History, row: Promised) -> bool:
    kinds = {"throttled", "bundled"}
    return any(line.kind in kinds and line.at >= row.planned_at for line in history.lines)


def _cancelled(row: Promised, history: History, episode: Episode | None) -> Iterator[Broken]:
    noted = next((one for one in row.ledger if one.state == State.CANCELLED), None)
    if noted is not None and noted.detail not in {None, _WITHDRAWN}:
        if not _excused(row, noted, history, episode):
            how = f"was cancelled for a reason that does not hold: {noted.detail}"
            yield Broken(due=row.due_at, what=row.what, how=how)
        return
    reason = _taken_back_by(row, history.lines)
    if reason is None:
        how = "was taken back, and nothing happened that would do so"
        yield Broken(due=row.due_at, what=row.what, how=how)
    elif not row.ledger and reason.at - row.due_at > LATE:
        how = f"was still not sent {length(reason.at - row.due_at)} later, when it was taken back"
        yield Broken(due=row.due_at, what=row.what, how=how, grade=Grade.LATE)


def _excused(row: Promised, noted: Noted, history: History, episode: Episode | None) -> bool:
    """Whether the reason in the ledger is one that the timeline knows; others are believed."""
    reason = noted.detail or ""
    until = noted.at + GRACE
    if reason == "acknowledged by this person":
        return any(line.by_user == row.user and line.at <= until for line in history.lines)
    ended = reason.startswith(
        ("acknowledged meanwhile", "closed meanwhile", "suppressed", "a newer")
    )
    if ended and row.purpose is Purpose.ESCALATION and episode is not None and episode.sure:
        return episode.over_at is not None and episode.over_at <= until
    return bool(reason)


def _taken_back_by(row: Promised, lines: Sequence[Line]) -> Line | None:
    """The first change that took it back."""
    paging_anew = [line for line in lines if line.at == row.planned_at and _anew(line, row)]
    if len(paging_anew) > 1:  # it was promised by one of them, and by another at the same moment
        return paging_anew[-1]
    return next((line for line in lines if _takes_back(line, row)), None)


def _takes_back(line: Line, row: Promised) -> bool:
    # A line bears the moment in which its transaction began; it may have waited for one that began
    # later and planned a repetition meanwhile.
    waited = row.planned_at - GRACE if row.attempt > 1 else row.planned_at
    if line.kind in _FOR_ALL:
        return line.at >= waited
    # What is planned by the line itself is a first page; a repetition was there before it.
    after = line.at >= waited if row.attempt > 1 else line.at > row.planned_at
    return after and _anew(line, row)


def _anew(line: Line, row: Promised) -> bool:
    """Whether this person was paged anew, or dropped."""
    if line.kind in {"reassigned", "severity_raised"}:
        return True
    return line.kind in _FOR_SOME and line.concerns(row.name, row.user)


def _late(row: Promised) -> Iterator[Broken]:
    """First tried long after it was due, without a line that says why."""
    first = row.ledger[0] if row.ledger else None
    if first is None or first.state != State.LEASED or row.purpose not in PAGING:
        return
    late = first.at - row.due_at
    if late > LATE and row.state is not State.CANCELLED:
        how = f"was first tried {length(late)} late"
        yield Broken(due=row.due_at, what=row.what, how=how, grade=Grade.LATE)


def _twice(row: Promised) -> Iterator[Broken]:
    sent = [one for one in row.ledger if one.state == State.SENT and one.detail != UNREPORTED]
    if any(not one.possible_duplicate for one in sent[1:]):
        how = f"was sent {len(sent)} times, and is not marked as a possible duplicate"
        yield Broken(due=row.due_at, what=row.what, how=how)
    told = _TRIED | {"leased", "planned", "failed", "cancelled"}  # planned: put back untried
    steps = [one for one in row.ledger if one.state in told]
    if any(
        one.state == after.state == State.LEASED and not after.possible_duplicate
        for one, after in pairwise(steps)
    ):
        how = "was taken on again while it may have been sent, and is not marked"
        yield Broken(due=row.due_at, what=row.what, how=how)


def _too_late(row: Promised, episode: Episode | None, lease: timedelta) -> Iterator[Broken]:
    """An escalation that went out although its alert was taken or closed (I5)."""
    if row.purpose is not Purpose.ESCALATION or episode is None or not episode.sure:
        return
    over = episode.over_at
    taken = [
        one.at
        for one, after in pairwise(row.ledger)
        if one.state == State.LEASED and after.state in _TRIED
    ]
    late = [at for at in taken if over is not None and at > over + lease]
    if over is not None and late:
        how = f"went out {length(late[0] - over)} after its escalation had ended"
        yield Broken(due=row.due_at, what=row.what, how=how)
