"""How an alert starts, moves along and ends its escalation."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from tocsin.core.alert.model import Alert, Paged
from tocsin.core.effects import Effect, Entry, EntryKind, Notify, Purpose, Wake, Withdraw
from tocsin.core.escalation import (
    FIRST,
    EscalationPlan,
    IfNobody,
    Position,
    Step,
    distinct,
    following,
)
from tocsin.core.kinds import Mode, Status, Urgency
from tocsin.core.rules import Page, Person, pages

Stepped = tuple[Alert, tuple[Effect, ...]]


def begin(
    alert: Alert, plan: EscalationPlan, now: datetime, at: Position | None = FIRST
) -> Stepped:
    """A new episode: open, owned by nobody, from the first step or from `at`.

    Responders asked for by hand stay asked; the former owner is paged as everybody else.
    """
    freed, freeing = end_asking(alert, now, {alert.owner})
    left, leaving = withdraw(freed, now) if alert.episode else (freed, ())
    fresh = replace(
        left,
        status=Status.OPEN,
        episode=alert.episode + 1,
        position=None,
        next_step_at=None,
        answers=(),
        owner=None,
        closure=None,
        snoozed_until=None,
        awaiting_owner=False,
        exhausted=False,
        paged=tuple(paged for paged in left.paged if paged.user in left.responders),
        acknowledgements_required=_required(alert, plan, now),
    )
    if fresh.suppressed is not None or fresh.urgency is Urgency.RECORD:
        return fresh, (*freeing, *leaving, Wake(None))
    started, effects = start_step(fresh, plan, at, now)
    return started, (*freeing, *leaving, *effects)


def start_step(alert: Alert, plan: EscalationPlan, at: Position | None, now: datetime) -> Stepped:
    """Page the step at `at`, or the next one that has somebody; after the last, nobody answered."""
    effects: list[Effect] = []
    while at is not None and (step := plan.policy.step(at)) is not None:
        people = people_of(alert, plan, step)
        due = reachable(people, alert, now)
        if not due:
            effects.append(_nobody(at, people, answered=bool(_meant(alert, plan, step))))
        if due or step.if_nobody is IfNobody.CONTINUE:
            moved, paging = page(replace(alert, position=at), due, now)
            until = now + step.wait
            effects += (_step_entry(at, people, due), *paging, Wake(until))
            return replace(moved, next_step_at=until, exhausted=False), tuple(effects)
        at = following(at, plan.policy)
    ended, telling = _nobody_answered(alert, plan, now)
    return ended, (*effects, *telling)


def page(alert: Alert, due: tuple[Page, ...], now: datetime) -> Stepped:
    """Promise these pages; what was planned before for the same people is taken back.

    A method that would have rung earlier by what was planned before rings then: a step that comes
    again sooner than a rule's minute must not put the minute off for ever. Pages of people asked
    for by hand outlive an acknowledgement, those of others do not.
    """
    users = tuple(dict.fromkeys(item.user for item in due))
    withdrawn: tuple[Effect, ...] = ()
    if any(known.user in users for known in alert.paged):
        due = _no_later(alert, due, now)
        alert, withdrawn = withdraw(alert, now, users, responders=True)
    promised, promises = _promise(alert, due)
    return promised, (*withdrawn, *promises)


def _no_later(alert: Alert, due: tuple[Page, ...], now: datetime) -> tuple[Page, ...]:
    """`due`, where the first page of a method comes no later than what it replaces."""
    planned = {
        known.method: at for known in alert.paged if (at := known.again_at or known.due_at) >= now
    }
    moved: list[Page] = []
    for item in sorted(due, key=lambda item: item.due_at):
        at = planned.pop(item.method, item.due_at)
        moved.append(replace(item, due_at=min(at, item.due_at)))
    return tuple(moved)


def withdraw(
    alert: Alert,
    now: datetime,
    users: tuple[int, ...] | None = None,
    *,
    responders: bool = False,
) -> Stepped:
    """Take back what is not sent (see `Withdraw`); methods it would have reached first are unpaged.

    So that news of the alert goes only to where it was announced.
    """

    def stays(known: Paged) -> bool:
        return (users is not None and known.user not in users) or (
            not responders and known.user in alert.responders
        )

    paged = tuple(
        known if stays(known) else replace(known, again_at=None)
        for known in alert.paged
        if known.due_at <= now or stays(known)
    )
    return replace(alert, paged=paged), (Withdraw(users, responders),)


def end_asking(alert: Alert, now: datetime, users: Collection[int | None]) -> Stepped:
    """Those of `users` who were asked for help are asked no more."""
    ended = tuple(user for user in alert.responders if user in users)
    if not ended:
        return alert, ()
    rest = tuple(user for user in alert.responders if user not in ended)
    return withdraw(replace(alert, responders=rest), now, ended, responders=True)


def people_of(alert: Alert, plan: EscalationPlan, step: Step) -> tuple[Person, ...]:
    """Whom a step pages now: those it means, without those who have answered."""
    answered = {answer.user for answer in alert.answers}
    return tuple(person for person in _meant(alert, plan, step) if person.id not in answered)


def reachable(people: Iterable[Person], alert: Alert, now: datetime) -> tuple[Page, ...]:
    """The pages that the rules of `people` ask for now."""
    return tuple(
        item for person in distinct(people) for item in pages(person, alert.message_urgency, now)
    )


def names(people: Iterable[Person], due: tuple[Page, ...]) -> dict[str, object]:
    """For the timeline: who of `people` is paged, and who cannot be reached."""
    reached = {item.user for item in due}
    data: dict[str, object] = {"people": [person.name for person in people if person.id in reached]}
    unreachable = [person.name for person in people if person.id not in reached]
    return {**data, "unreachable": unreachable} if unreachable else data


def _required(alert: Alert, plan: EscalationPlan, now: datetime) -> int:
    match alert.mode:
        case Mode.SINGLE:
            return 1
        case Mode.MULTI:
            return max(1, alert.acknowledgements_required)
        case Mode.EMERGENCY:
            # Whoever cannot be reached cannot be waited for.
            return max(1, len({item.user for item in reachable(plan.everyone, alert, now)}))


def _meant(alert: Alert, plan: EscalationPlan, step: Step) -> tuple[Person, ...]:
    return plan.everyone if alert.mode is Mode.EMERGENCY else plan.people_of(step)


def _promise(alert: Alert, due: tuple[Page, ...]) -> Stepped:
    promises = tuple(
        Notify(
            item.user,
            item.method,
            item.due_at,
            Purpose.RESPONDER if item.user in alert.responders else Purpose.ESCALATION,
            alert.message_urgency,
            item.repeat_every,
        )
        for item in due
    )
    return replace(alert, paged=_merged(alert.paged, due)), promises


def _nobody_answered(alert: Alert, plan: EscalationPlan, now: datetime) -> Stepped:
    """The admins are told once, beside what is still repeated to those paged before."""
    due = reachable(plan.admins, alert, now)
    told, telling = _promise(alert, tuple(replace(item, repeat_every=None) for item in due))
    reached = names(plan.admins, due)["people"]
    entry = Entry(EntryKind.NOBODY_ANSWERED, data={"told": reached})
    return replace(told, exhausted=True, next_step_at=None), (entry, *telling, Wake(None))


def _nobody(at: Position, people: tuple[Person, ...], *, answered: bool) -> Entry:
    reason = "nobody on duty"
    if people:
        reason = "no contact method"
    elif answered:
        reason = "all have acknowledged"
    return Entry(EntryKind.NOBODY, data={**_numbers(at), "reason": reason})


def _step_entry(at: Position, people: tuple[Person, ...], due: tuple[Page, ...]) -> Entry:
    return Entry(EntryKind.STEP, data={**_numbers(at), **names(people, due)})


def _numbers(at: Position) -> dict[str, object]:
    return {"step": at.step + 1, "round": at.round + 1}


def _merged(known: tuple[Paged, ...], due: tuple[Page, ...]) -> tuple[Paged, ...]:
    merged = {(item.user, item.method): item for item in known}
    promised: set[tuple[int, int]] = set()
    for item in sorted(due, key=lambda item: item.due_at):
        key = (item.user, item.method)
        if key in promised:
            continue
        promised.add(key)
        before = merged.get(key)
        merged[key] = (
            Paged(item.user, item.method, item.due_at)
            if before is None
            else replace(before, again_at=item.due_at)
        )
    return tuple(merged.values())
