"""What a change of duty means for an alert whose step waits."""

from collections.abc import Mapping
from datetime import datetime

from tocsin.core.alert.altering import altered
from tocsin.core.alert.meaning import meant
from tocsin.core.alert.model import Alert, Leaving
from tocsin.core.alert.outcome import Changed, Outcome, Unchanged
from tocsin.core.alert.stepping import names, page, people_of, reachable, start_step, withdraw
from tocsin.core.alert.telling import entry
from tocsin.core.changes import DutyChanged
from tocsin.core.effects import Effect, Entry, EntryKind, Notify, Purpose
from tocsin.core.escalation import EscalationPlan, IfNobody, Position, following
from tocsin.core.kinds import SYSTEM, Status
from tocsin.core.rules import Person, pages

_NOTHING = Unchanged("nobody came, nobody left")


def duty_changed(alert: Alert, change: DutyChanged, plan: EscalationPlan, now: datetime) -> Outcome:
    """Open: who comes on duty is paged, who leaves stays until relieved, who is gone drops out.

    Acknowledged: it stays with its owner, and who comes on duty is told once.
    """
    at = alert.position
    if alert.status is Status.CLOSED or alert.suppressed is not None or at is None:
        return _NOTHING
    people = people_of(alert, plan, at, now)
    if alert.status is Status.ACKNOWLEDGED:
        return _told(alert, people, now)
    if alert.held:
        if not reachable(people, alert, now):
            return _NOTHING
        return Changed(*start_step(alert, plan, at, now))
    if alert.exhausted and not alert.crew:
        return _begin_late(alert, plan, now)
    dropped, dropping = _drop(alert, change, now)
    called = {person.id: person.name for person in (*plan.everyone, *plan.admins)}
    moved, leaving = _leave(dropped, people, {**called, **change.names})
    paged, paging = _come(moved, people, now)
    if not (dropping or leaving or paging):
        return _NOTHING
    effects = (*dropping, *leaving, *paging)
    if not alert.exhausted and _empty(paged, people, now):
        return _on(paged, plan, at, now, effects)
    return Changed(altered(paged, duty_at=now), effects)


def _begin_late(alert: Alert, plan: EscalationPlan, now: datetime) -> Outcome:
    """No step has found anybody yet: it starts with the first one that does now."""
    for number, step in enumerate(plan.policy.steps):
        at = Position(0, number)
        people = meant(alert, plan, at, step, now).people
        due = reachable(people, alert, now)
        if due:
            moved, effects = start_step(alert, plan, at, now)
            came = Entry(EntryKind.CAME_ON_DUTY, data=names(people, due))
            return Changed(moved, (came, *effects))
    return _NOTHING


def _told(alert: Alert, people: tuple[Person, ...], now: datetime) -> Outcome:
    known = {*alert.crew, alert.owner}
    came = tuple(person for person in people if person.id not in known)
    if not came:
        return _NOTHING
    firsts = tuple(
        first for person in came for first in pages(person, alert.message_urgency, now)[:1]
    )
    told = tuple(
        Notify(first.user, first.method, now, Purpose.UPDATE, alert.message_urgency)
        for first in firsts
    )
    line = Entry(EntryKind.CAME_ON_DUTY, data={**names(came, firsts), "told": True})
    crew = (*alert.crew, *(person.id for person in came))
    return Changed(altered(alert, crew=crew, duty_at=now), (line, *told))


def _drop(alert: Alert, change: DutyChanged, now: datetime) -> tuple[Alert, tuple[Effect, ...]]:
    """Those who are deactivated are paged no more, at once."""
    paged = dict.fromkeys((*alert.crew, *(one.user for one in alert.leaving)))
    gone = tuple(user for user in paged if user in change.inactive)
    if not gone:
        return alert, ()
    quiet, withdrawn = withdraw(alert, now, gone)
    crew = tuple(user for user in alert.crew if user not in gone)
    leaving = tuple(one for one in alert.leaving if one.user not in gone)
    called = [change.inactive[user] for user in gone]
    line = entry(EntryKind.LEFT_DUTY, SYSTEM, reason="deactivated", people=called)
    return altered(quiet, crew=crew, leaving=leaving), (line, *withdrawn)


def _leave(
    alert: Alert, people: tuple[Person, ...], called: Mapping[int, str]
) -> tuple[Alert, tuple[Effect, ...]]:
    """Those whom the step means no more stay paged until somebody who follows them is reached."""
    now_meant = tuple(person.id for person in people)
    answered = {answer.user for answer in alert.answers}
    known = {one.user for one in alert.leaving}
    left = [u for u in alert.crew if u not in now_meant and u not in answered and u not in known]
    back = tuple(one for one in alert.leaving if one.user not in now_meant)
    # Whoever comes later relieves those who wait since a hole in the schedule.
    renewed = tuple(Leaving(one.user, now_meant or one.successors) for one in back)
    leaving = (*renewed, *(Leaving(user, now_meant) for user in left))
    if leaving == alert.leaving:
        return alert, ()
    # Whoever is back is paged anew: the pages of before may have ended with the relief.
    crew = tuple(user for user in alert.crew if user not in known or user not in now_meant)
    people_left = [called.get(user, f"user {user}") for user in left]
    line = Entry(EntryKind.LEFT_DUTY, data={"people": people_left})
    return altered(alert, leaving=leaving, crew=crew), (line,) if left else ()


def _come(
    alert: Alert, people: tuple[Person, ...], now: datetime
) -> tuple[Alert, tuple[Effect, ...]]:
    """Those who came, and those whose every method of before is out of use, are paged now."""
    came = tuple(person for person in people if person.id not in alert.crew or _lost(alert, person))
    due = reachable(came, alert, now)
    crew = tuple(dict.fromkeys((*alert.crew, *(person.id for person in came))))
    if not came or (not due and crew == alert.crew):
        return alert, ()
    paged, effects = page(altered(alert, crew=crew), due, now)
    line = Entry(EntryKind.CAME_ON_DUTY, data=names(came, due))
    return paged, (line, *effects)


def _lost(alert: Alert, person: Person) -> bool:
    """Whether somebody can be reached now, and by none of the methods that were promised."""
    usable = {method.id for method in person.methods}
    promised = {known.method for known in alert.paged if known.user == person.id}
    return bool(usable) and not promised & usable


def _empty(alert: Alert, people: tuple[Person, ...], now: datetime) -> bool:
    return not reachable(people, alert, now) and not alert.leaving


def _on(
    alert: Alert,
    plan: EscalationPlan,
    at: Position,
    now: datetime,
    effects: tuple[Effect, ...],
) -> Outcome:
    """Nobody is left whom the step could reach: what it says for that case happens now."""
    step = plan.policy.step(at)
    if step is None or step.if_nobody is IfNobody.CONTINUE:
        return Changed(altered(alert, duty_at=now), effects)
    again = at if step.if_nobody is IfNobody.HOLD else following(at, plan.policy)
    moved, moving = start_step(alert, plan, again, now)
    return Changed(moved, (*effects, *moving))
