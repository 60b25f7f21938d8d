"""How an alert starts, moves along and ends its escalation."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from tocsin.core.alert.model import Alert, Paged
from tocsin.core.effects import Effect, Entry, EntryKind, Notify, Purpose, Wake, Withdraw
from tocsin.core.escalation import EscalationPlan, IfNobody, Position, Step, first, following
from tocsin.core.kinds import Mode, Status, Urgency
from tocsin.core.rules import Page, Person, pages

Stepped = tuple[Alert, tuple[Effect, ...]]


def begin(alert: Alert, plan: EscalationPlan, now: datetime, at: Position | None = None) -> Stepped:
    """A new episode: open, owned by nobody, from the first step (or from `at`)."""
    fresh = replace(
        alert,
        status=Status.OPEN,
        episode=alert.episode + 1,
        answers=(),
        owner=None,
        closure=None,
        snoozed_until=None,
        awaiting_owner=False,
        exhausted=False,
        paged=(),
        responders=(),
        acknowledgements_required=_required(alert, plan),
    )
    withdrawn: tuple[Effect, ...] = (Withdraw(responders=True),) if alert.episode else ()
    if fresh.suppressed is not None or fresh.urgency is Urgency.RECORD:
        return replace(fresh, position=None, next_step_at=None), (*withdrawn, Wake(None))
    started, effects = start_step(fresh, plan, at or first(), now)
    return started, (*withdrawn, *effects)


def start_step(alert: Alert, plan: EscalationPlan, at: Position | None, now: datetime) -> Stepped:
    """Page the step at `at`, or the next one that has somebody; after the last, nobody answered."""
    effects: list[Effect] = []
    if not plan.policy.steps:
        at = None
    while at is not None:
        step = plan.policy.steps[at.step]
        people = _people(alert, plan, step)
        due = tuple(page for person in people for page in pages(person, alert.urgency, now))
        if not due:
            effects.append(_nobody(at, people))
        if due or step.if_nobody is IfNobody.CONTINUE:
            moved, paging = page(replace(alert, position=at), due, Purpose.ESCALATION)
            until = now + step.wait
            effects += (_step_entry(at, people, due), *paging, Wake(until))
            return replace(moved, next_step_at=until, exhausted=False), tuple(effects)
        at = following(at, plan.policy)
    ended, telling = _nobody_answered(alert, plan, now)
    return ended, (*effects, *telling)


def page(alert: Alert, due: tuple[Page, ...], purpose: Purpose) -> Stepped:
    """Promise these pages; what was planned before for the same people is taken back."""
    users = tuple(dict.fromkeys(item.user for item in due))
    effects: list[Effect] = []
    if any(known.user in users for known in alert.paged):
        effects.append(Withdraw(users=users, responders=purpose is Purpose.RESPONDER))
    effects += (
        Notify(item.user, item.method, item.due_at, purpose, alert.urgency, item.repeat_every)
        for item in due
    )
    return replace(alert, paged=_merged(alert.paged, due)), tuple(effects)


def reachable(people: Iterable[Person], alert: Alert, now: datetime) -> tuple[Page, ...]:
    """The pages that the rules of `people` ask for now, by every method if only recorded so far."""
    urgency = Urgency.NORMAL if alert.urgency is Urgency.RECORD else alert.urgency
    return tuple(item for person in people for item in pages(person, urgency, now))


def _required(alert: Alert, plan: EscalationPlan) -> int:
    match alert.mode:
        case Mode.SINGLE:
            return 1
        case Mode.MULTI:
            return max(1, alert.acknowledgements_required)
        case Mode.EMERGENCY:
            return max(1, len(plan.everyone))


def _people(alert: Alert, plan: EscalationPlan, step: Step) -> tuple[Person, ...]:
    everybody = plan.everyone if alert.mode is Mode.EMERGENCY else plan.people_of(step)
    answered = {answer.user for answer in alert.answers}
    return tuple(person for person in everybody if person.id not in answered)


def _nobody_answered(alert: Alert, plan: EscalationPlan, now: datetime) -> Stepped:
    due = tuple(item for admin in plan.admins for item in pages(admin, alert.urgency, now))
    told, paging = page(
        alert, tuple(replace(item, repeat_every=None) for item in due), Purpose.ESCALATION
    )
    entry = Entry(EntryKind.NOBODY_ANSWERED, data={"told": [admin.name for admin in plan.admins]})
    return replace(told, exhausted=True, next_step_at=None), (entry, *paging, Wake(None))


def _nobody(at: Position, people: tuple[Person, ...]) -> Entry:
    reason = "no contact method" if people else "nobody on duty"
    data = {"step": at.step + 1, "round": at.round + 1, "reason": reason}
    return Entry(EntryKind.NOBODY, data=data)


def _step_entry(at: Position, people: tuple[Person, ...], due: tuple[Page, ...]) -> Entry:
    reached = {item.user for item in due}
    data: dict[str, object] = {
        "step": at.step + 1,
        "round": at.round + 1,
        "people": [person.name for person in people if person.id in reached],
    }
    unreachable = [person.name for person in people if person.id not in reached]
    if unreachable:
        data["unreachable"] = unreachable
    return Entry(EntryKind.STEP, data=data)


def _merged(known: tuple[Paged, ...], due: tuple[Page, ...]) -> tuple[Paged, ...]:
    merged = {(item.user, item.method): item for item in known}
    for item in due:
        merged.setdefault((item.user, item.method), Paged(item.user, item.method, item.due_at))
    return tuple(merged.values())
