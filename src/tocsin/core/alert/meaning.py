"""Whom a step means at a moment: its targets, its conditions, whose turn it is."""

from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.core.alert.model import Alert
from tocsin.core.escalation import (
    Condition,
    EscalationPlan,
    Pick,
    Position,
    Step,
    Webhook,
    distinct,
)
from tocsin.core.kinds import Mode
from tocsin.core.localtime import wall_clock
from tocsin.core.rules import Person


@dataclass(frozen=True, slots=True)
class Meant:
    """The people of a step without those who have answered, and the webhooks it names.

    `passed_over` is the condition that does not hold, `turn` that it is one person's turn;
    `answered` that there are people, and all have acknowledged.
    """

    people: tuple[Person, ...] = ()
    webhooks: tuple[str, ...] = ()
    passed_over: str | None = None
    turn: bool = False
    answered: bool = False


def meant(alert: Alert, plan: EscalationPlan, at: Position, step: Step, now: datetime) -> Meant:
    """Whom the step at `at` means when it starts now; in emergency mode everybody."""
    if alert.mode is Mode.EMERGENCY:
        return _unanswered(alert, plan.everyone, step)
    people = plan.people_of(step)
    for condition in step.when:
        failing = _failing(condition, alert, plan, now)
        if failing is not None:
            return Meant(passed_over=failing)
        awake = _awake(people, condition, plan, now)
        if people and not awake:
            return Meant(passed_over="outside its hours for everybody")
        people = awake
    if step.pick is Pick.ROUND_ROBIN and len(people) > 1:
        return _in_turn(alert, plan, at, step, people)
    return _unanswered(alert, people, step)


def still_meant(
    alert: Alert, plan: EscalationPlan, at: Position, step: Step, now: datetime
) -> tuple[Person, ...]:
    """Whom a step that runs means now: its conditions held when it started, its turn is taken.

    Whoever was chosen then stays chosen; each responder's own hours count for those who come.
    """
    if alert.mode is Mode.EMERGENCY:
        return _unanswered(alert, plan.everyone, step).people
    people = plan.people_of(step)
    if step.pick is not Pick.ALL:
        # The one who was next is on duty by now.
        known = distinct((*people, *plan.people_of(replace(step, pick=Pick.ALL))))
        if chosen := tuple(one for one in known if one.id in alert.crew):
            return _unanswered(alert, chosen, step).people
        return meant(alert, plan, at, replace(step, when=_own_hours(step)), now).people
    for condition in _own_hours(step):
        awake = _awake(people, condition, plan, now)
        people = tuple(one for one in people if one in awake or one.id in alert.crew)
    return _unanswered(alert, people, step).people


def _own_hours(step: Step) -> tuple[Condition, ...]:
    """What is left of the conditions of a step that runs: the hours of each responder."""
    return tuple(
        Condition(days=one.days, from_=one.from_, to=one.to, responder_clock=True)
        for one in step.when
        if one.responder_clock
    )


def _awake(
    people: tuple[Person, ...], condition: Condition, plan: EscalationPlan, now: datetime
) -> tuple[Person, ...]:
    """Those whose own clock is inside the condition's window, where it asks for that."""
    if not condition.responder_clock:
        return people
    return tuple(one for one in people if condition.open_at(_wall(one, plan, now)))


def _failing(condition: Condition, alert: Alert, plan: EscalationPlan, now: datetime) -> str | None:
    """The first condition that does not hold, in words."""
    if condition.severities and alert.severity not in condition.severities:
        return f"severity {alert.severity}"
    if condition.older_than is not None and now - alert.created_at < condition.older_than:
        return "not old enough"
    if condition.holiday is not None and condition.holiday is not plan.is_holiday(now):
        return "no holiday" if condition.holiday else "a holiday"
    if not condition.responder_clock and not condition.open_at(wall_clock(now, plan.time_zone)):
        return "outside its hours"
    return None


def _wall(person: Person, plan: EscalationPlan, now: datetime) -> datetime:
    return wall_clock(now, person.time_zone or plan.time_zone)


def _in_turn(
    alert: Alert, plan: EscalationPlan, at: Position, step: Step, people: tuple[Person, ...]
) -> Meant:
    """The one whose turn it is."""
    first = plan.turns.get(at.step, 0) % len(people)
    answered = {answer.user for answer in alert.answers}
    turned = (*people[first:], *people[:first])
    found = _unanswered(alert, tuple(p for p in turned if p.id not in answered)[:1], step)
    return Meant(found.people, found.webhooks, turn=True, answered=not found.people)


def _unanswered(alert: Alert, people: tuple[Person, ...], step: Step) -> Meant:
    answered = {answer.user for answer in alert.answers}
    left = tuple(person for person in people if person.id not in answered)
    webhooks = tuple(target.name for target in step.notify if isinstance(target, Webhook))
    return Meant(left, webhooks, answered=bool(people))
