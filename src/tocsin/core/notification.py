"""The life of one notification, and how late or repeated reports change it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.core.alert import Alert
from tocsin.core.effects import Purpose
from tocsin.core.kinds import Mode, Status, Urgency
from tocsin.core.localtime import resolve, wall_clock
from tocsin.core.schedule import Restriction, open_between


class State(StrEnum):
    """What has become of a notification; a higher rank is never replaced by a lower one."""

    PLANNED = "planned"  # due at its time, nobody is working on it
    LEASED = "leased"  # a worker is handing it to a provider; it goes out again if that worker dies
    SENT = "sent"  # the provider accepted it
    DELIVERED = "delivered"  # the device has it, says the provider
    SEEN = "seen"  # a person has seen it
    ANSWERED = "answered"  # somebody answered it
    FAILED = "failed"  # it will not be tried again
    EXPIRED = "expired"  # nobody could send it while it was still of use
    CANCELLED = "cancelled"  # no longer wanted when its time came
    BUNDLED = "bundled"  # another message carried it


_RANK = {
    State.PLANNED: 0,
    State.LEASED: 1,
    State.CANCELLED: 2,
    State.EXPIRED: 2,
    State.BUNDLED: 2,
    State.FAILED: 3,
    State.SENT: 4,
    State.DELIVERED: 5,
    State.SEEN: 6,
    State.ANSWERED: 7,
}


def reported(state: State, report: State) -> State:
    """The state after a report that may come late, twice or out of order: the higher rank wins.

    That an attempt failed does not end a page that is still being tried.
    """
    if report is State.FAILED and state in {State.PLANNED, State.LEASED}:
        return state
    return report if _RANK[report] > _RANK[state] else state


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What decides whether a notification is still wanted when its time has come.

    `user` and `method` are None for a webhook that a step names.
    """

    user: int | None
    method: int | None
    purpose: Purpose
    episode: int
    planned_at: datetime


def still_wanted(promise: Promise, alert: Alert | None, now: datetime) -> str | None:
    """None when it is to be sent, else the reason why not, for the ledger.

    `alert` is None for a notice, which is about none, and where the alert is gone.
    """
    if promise.purpose is Purpose.NOTICE:
        return _TOO_OLD if now - promise.planned_at > NOTICE_USEFUL_FOR else None
    if alert is None:
        return "the alert or its team is gone"
    match promise.purpose:
        case Purpose.ESCALATION:
            return _why_not_escalation(promise, alert)
        case Purpose.RESPONDER:
            if alert.status is Status.CLOSED:
                return "closed meanwhile"
            return None if promise.user in alert.responders else "answered meanwhile"
        case Purpose.UPDATE:
            if alert.status is Status.CLOSED:
                return "closed meanwhile"
        case Purpose.ACKNOWLEDGED | Purpose.STILL_ON_IT:
            if alert.status is not Status.ACKNOWLEDGED:
                return f"{alert.status} meanwhile"
        case Purpose.OFFERED:
            if alert.status is not Status.ACKNOWLEDGED:
                return f"{alert.status} meanwhile"
            if alert.owner == promise.user:
                return "taken over meanwhile"
        case Purpose.RESOLVED:
            if alert.status is not Status.CLOSED:
                return "reopened meanwhile"
    return _TOO_OLD if now - promise.planned_at > UPDATE_USEFUL_FOR else None


PAGES = frozenset({Purpose.ESCALATION, Purpose.RESPONDER})
"""What wakes somebody, and is repeated where the rule says so."""

NEWS = frozenset({Purpose.UPDATE, Purpose.ACKNOWLEDGED, Purpose.RESOLVED})
"""What those who were paged are told of an alert."""

UPDATE_USEFUL_FOR = timedelta(hours=1)
"""News of an alert that could not be sent for so long is dropped; pages never are."""

NOTICE_USEFUL_FOR = timedelta(hours=24)
"""Words of their own, for example that a storm is over or that nobody answered."""

_TOO_OLD = "too old to be of use"


def _why_not_escalation(promise: Promise, alert: Alert) -> str | None:
    if alert.status is not Status.OPEN:
        return f"{alert.status} meanwhile"
    if alert.suppressed is not None:
        return f"suppressed: {alert.suppressed}"
    if promise.episode != alert.episode:
        return "a newer escalation replaced it"
    mine = promise.user is not None
    if mine and any(answer.user == promise.user for answer in alert.answers):
        return "acknowledged by this person"
    return None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When a person is left alone, on the wall clock of `zone`; `on_duty`: they are, just now."""

    windows: tuple[Restriction, ...]
    zone: str
    on_duty: bool


def held_until(
    promise: Promise, urgency: Urgency, quiet: QuietHours, now: datetime, alert: Alert | None = None
) -> datetime | None:
    """Until when quiet hours hold a message, None when it goes out.

    Not held is what somebody asked for by hand, what is urgent for a person on duty, the question
    whether an owner is still on it or somebody takes it over, and an alert that everybody has to
    acknowledge; news of alerts are held in any case. Raises `UnknownZone`.
    """
    asked = promise.purpose in _QUESTIONS
    if alert is not None and promise.purpose in PAGES:
        asked = asked or promise.user in alert.asked or alert.mode is Mode.EMERGENCY
    urgent = urgency is Urgency.URGENT and quiet.on_duty and promise.purpose not in NEWS
    if asked or urgent or not quiet.windows:
        return None
    wall = wall_clock(now, quiet.zone)
    opens, closes = next(open_between(quiet.windows, wall, wall + _WEEK), (None, wall))
    if opens != wall:
        return None
    return max(resolve(closes, quiet.zone), now + timedelta(seconds=1))


_QUESTIONS = {Purpose.RESPONDER, Purpose.STILL_ON_IT, Purpose.OFFERED}
_WEEK = timedelta(days=7)


UNREPORTED = "no report of its delivery in time"
"""What the ledger says of a sent message whose channel should have reported by then."""


def repeat_at(repeat_every: timedelta | None, purpose: Purpose, now: datetime) -> datetime | None:
    """When a message that went out at `now` is due again, if its rule repeats."""
    if repeat_every is None or purpose not in PAGES:
        return None
    return now + repeat_every


_BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 10, 20, 30, 60, 120, 300))


def retry_at(attempts: int, retry_after: timedelta | None, now: datetime) -> datetime:
    """When to try again after the `attempts`-th attempt (from 1) failed for now.

    There is no last attempt: a page is tried for as long as it is wanted.
    """
    wait = _BACKOFF[min(attempts, len(_BACKOFF)) - 1]
    return now + (min(max(wait, retry_after), timedelta(minutes=10)) if retry_after else wait)
