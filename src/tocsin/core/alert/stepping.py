"""How an alert starts, moves along and ends its escalation."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from tocsin.core.alert.altering import altered
from tocsin.core.alert.meaning import Meant, meant, still_meant
from tocsin.core.alert.model import Alert, Paged
from tocsin.core.effects import (
    Call,
    Effect,
    Entry,
    EntryKind,
    Notify,
    Purpose,
    TakeTurn,
    Wake,
    Withdraw,
)
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
from tocsin.core.notation import utc_text
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
    fresh = altered(
        left,
        status=Status.OPEN,
        episode=alert.episode + 1,
        position=None,
        next_step_at=None,
        answers=(),
        owner=None,
        closure=None,
        snoozed_until=None,
        expires_at=None,
        awaiting_owner=False,
        exhausted=False,
        held=False,
        crew=(),
        leaving=(),
        suppressed_until=left.suppressed_until if left.suppressed is not None else None,
        paged=tuple(paged for paged in left.paged if paged.user in left.responders),
        acknowledgements_required=_required(alert, plan, now),
    )
    if fresh.suppressed is not None or fresh.urgency is Urgency.RECORD:
        quiet = altered(fresh, next_step_at=fresh.suppressed_until)
        return quiet, (*freeing, *leaving, Wake(quiet.next_step_at))
    started, effects = start_step(fresh, plan, at, now)
    return started, (*freeing, *leaving, *effects)


def start_step(alert: Alert, plan: EscalationPlan, at: Position | None, now: datetime) -> Stepped:
    """Page the step at `at`, or the next one that has somebody; after the last, nobody answered.

    So it is when one whole round has nobody: another one at the same moment has nobody either.
    """
    effects: list[Effect] = []
    last, left = at, len(plan.policy.steps)
    while at is not None and left and (step := plan.policy.step(at)) is not None:
        found = meant(alert, plan, at, step, now)
        due = reachable(found.people, alert, now)
        if found.passed_over is not None:
            data = {**_numbers(at), "reason": found.passed_over}
            effects.append(Entry(EntryKind.PASSED_OVER, data=data))
        elif due or (found.webhooks and not step.names_people):
            started, starting = _start(alert, at, step, found, due, now)
            return started, (*effects, *starting)
        elif step.if_nobody is not IfNobody.SKIP:
            waiting, lines = _wait(alert, at, step, found, now)
            calls = _calls(alert, at, found, now)
            return waiting, (*effects, *lines, *calls, Wake(waiting.next_step_at))
        else:
            effects += (_nobody(at, found), *_calls(alert, at, found, now))
        last, at, left = at, following(at, plan.policy), left - 1
    ended, telling = _nobody_answered(altered(alert, position=alert.position or last), plan, now)
    return ended, (*effects, *telling)


def _start(
    alert: Alert, at: Position, step: Step, found: Meant, due: tuple[Page, ...], now: datetime
) -> Stepped:
    """The step begins: its people are paged, its webhooks called, its wait runs."""
    until = now + step.wait
    began = altered(_fresh(alert, at, found, now), next_step_at=until, exhausted=False, held=False)
    moved, paging = page(began, due, now)
    calls = _calls(alert, at, found, now)
    turn = (TakeTurn(at.step),) if found.turn else ()
    return moved, (_step_entry(at, found, due), *turn, *paging, *calls, Wake(until))


def _calls(alert: Alert, at: Position, found: Meant, now: datetime) -> tuple[Call, ...]:
    """What the step posts to its webhooks; of one that was held they were called before."""
    if alert.held and alert.position == at:
        return ()
    return tuple(Call(name, now, alert.message_urgency) for name in found.webhooks)


def _wait(
    alert: Alert, at: Position, step: Step, found: Meant, now: datetime
) -> tuple[Alert, tuple[Entry, ...]]:
    """Nobody can be reached, and the step waits: for its time, or for somebody to come on duty."""
    fresh = altered(_fresh(alert, at, found, now), exhausted=False)
    if step.if_nobody is IfNobody.HOLD:
        until = now + step.hold_for
        held = altered(fresh, next_step_at=until, held=True)
        return held, (_nobody(at, found, held_until=utc_text(until)),)
    waiting = altered(fresh, next_step_at=now + step.wait, held=False)
    return waiting, (_nobody(at, found), _step_entry(at, found, ()))


def _fresh(alert: Alert, at: Position, found: Meant, now: datetime) -> Alert:
    """The alert on a step that begins now; those who are paged again are not leaving."""
    crew = tuple(person.id for person in found.people)
    leaving = tuple(one for one in alert.leaving if one.user not in crew)
    return altered(alert, position=at, crew=crew, leaving=leaving, duty_at=now)


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
    return altered(alert, paged=paged), (Withdraw(users, responders),)


def end_asking(alert: Alert, now: datetime, users: Collection[int | None]) -> Stepped:
    """Those of `users` who were asked for help are asked no more."""
    ended = tuple(user for user in alert.responders if user in users)
    if not ended:
        return alert, ()
    rest = tuple(user for user in alert.responders if user not in ended)
    return withdraw(altered(alert, responders=rest), now, ended, responders=True)


def people_of(
    alert: Alert, plan: EscalationPlan, at: Position, now: datetime
) -> tuple[Person, ...]:
    """Whom the running step at a position means now, without those who have answered."""
    step = plan.policy.step(at)
    return still_meant(alert, plan, at, step, now) if step is not None else ()


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
    return altered(alert, paged=_merged(alert.paged, due)), promises


def _nobody_answered(alert: Alert, plan: EscalationPlan, now: datetime) -> Stepped:
    """The admins are told once, beside what is still repeated to those paged before."""
    due = reachable(plan.admins, alert, now)
    told, telling = _promise(alert, tuple(replace(item, repeat_every=None) for item in due))
    reached = names(plan.admins, due)["people"]
    entry = Entry(EntryKind.NOBODY_ANSWERED, data={"told": reached})
    return altered(told, exhausted=True, held=False, next_step_at=None), (
        entry,
        *telling,
        Wake(None),
    )


def _nobody(at: Position, found: Meant, **data: object) -> Entry:
    if found.webhooks:
        data["webhooks"] = list(found.webhooks)
    reason = "nobody on duty"
    if found.people:
        reason = "no contact method"
    elif found.answered:
        reason = "all have acknowledged"
    return Entry(EntryKind.NOBODY, data={**_numbers(at), "reason": reason, **data})


def _step_entry(at: Position, found: Meant, due: tuple[Page, ...]) -> Entry:
    data = {**_numbers(at), **names(found.people, due)}
    return Entry(
        EntryKind.STEP, data={**data, "webhooks": list(found.webhooks)} if found.webhooks else data
    )


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
