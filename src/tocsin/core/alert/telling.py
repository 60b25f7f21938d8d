"""What an alert tells its people, its source and its timeline."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tocsin.core.alert.altering import altered
from tocsin.core.alert.model import Alert, Answered
from tocsin.core.alert.outcome import Refused
from tocsin.core.effects import Effect, Entry, EntryKind, Notify, Purpose, Sync
from tocsin.core.escalation import EscalationPlan
from tocsin.core.kinds import Actor, Via
from tocsin.core.reconcile import IntentKind
from tocsin.core.rules import pages


def entry(kind: EntryKind, by: Actor, comment: str | None = None, **data: object) -> Entry:
    """A timeline line; None among `data` is left out."""
    said = {"comment": comment} if comment else {}
    return Entry(
        kind, by, {**{key: value for key, value in data.items() if value is not None}, **said}
    )


def sync(
    alert: Alert,
    kind: IntentKind,
    by: Actor,
    comment: str | None,
    classification: str | None = None,
) -> tuple[Effect, ...]:
    """A promise to the source, unless there is none or it was the source that said so."""
    if alert.connector is None or by.via is Via.SOURCE:
        return ()
    return (Sync(kind, by, comment, classification),)


def tell(
    alert: Alert, now: datetime, purpose: Purpose, without: int | None = None
) -> tuple[Effect, ...]:
    """One message now to each contact method that has been paged."""
    return tuple(
        Notify(paged.user, paged.method, now, purpose, alert.message_urgency)
        for paged in alert.paged
        if paged.due_at <= now and paged.user != without
    )


def update(
    alert: Alert,
    plan: EscalationPlan,
    now: datetime,
    users: Iterable[int | None],
    purpose: Purpose = Purpose.UPDATE,
) -> tuple[Effect, ...]:
    """One update now to each of these people: where they were paged, else by their first rule."""
    effects: list[Effect] = []
    for user in dict.fromkeys(users):
        methods = [paged.method for paged in alert.paged if paged.user == user]
        for person in plan.everyone:
            if person.id == user and not methods:
                methods = [page.method for page in pages(person, alert.message_urgency, now)[:1]]
        effects += (
            Notify(user, method, now, purpose, alert.message_urgency)
            for method in dict.fromkeys(methods)
            if user is not None
        )
    return tuple(effects)


def closed_already(alert: Alert) -> Refused:
    """The refusal of everything that a closed alert cannot do."""
    return Refused(closed_by(alert))


def closed_by(alert: Alert) -> str:
    """Who closed it, to show."""
    closure = alert.closure
    return f"closed by {closure.name} at {closure.at:%H:%M} UTC" if closure else "closed"


def with_expiry(alert: Alert, plan: EscalationPlan, now: datetime) -> Alert:
    """The alert with an acknowledgement made now: it expires, and its owner is asked before.

    A snooze has its own end, and nobody is asked before it.
    """
    timeout = plan.policy.acknowledge_timeout
    expires = None if timeout is None else now + timeout
    if alert.snoozed_until is not None:
        return altered(alert, next_step_at=alert.snoozed_until, expires_at=None)
    if timeout is None or expires is None or alert.owner is None:
        return altered(alert, next_step_at=expires, expires_at=expires)
    asked = expires - min(timeout / 4, _ASKED_BEFORE)
    return altered(alert, next_step_at=asked, expires_at=expires)


_ASKED_BEFORE = timedelta(minutes=10)
"""How long before it expires an owner is asked, or a quarter of the time if that is shorter."""


def answered(by: Actor, now: datetime) -> Answered:
    """The record of an acknowledgement."""
    return Answered(by.name, by.user, now, by.via)


def has_answered(alert: Alert, by: Actor) -> bool:
    """Whether this person has acknowledged it in this episode."""
    if by.user is not None:
        return any(answer.user == by.user for answer in alert.answers)
    return any(answer.user is None and answer.name == by.name for answer in alert.answers)


def is_owner(alert: Alert, by: Actor) -> bool:
    """Whether it is theirs."""
    if by.user is not None or alert.owner is not None:
        return alert.owner == by.user
    return alert.taken is not None and alert.taken.name == by.name
