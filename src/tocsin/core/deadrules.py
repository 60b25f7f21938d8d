"""Which notification rules can never ring before the steps that page their person time out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import accumulate

from tocsin.core.escalation import IfNobody, Policy, Step, Target
from tocsin.core.kinds import Urgency
from tocsin.core.rules import Person, Rule


@dataclass(frozen=True, slots=True)
class Escalation:
    """A policy and whom each of its targets may mean, whoever is on duty at the moment.

    `everyone` may be paged by any step: emergency mode is configured for some of its alerts.
    """

    policy: Policy
    people: Mapping[Target, AbstractSet[int]]
    everyone: AbstractSet[int] = field(default_factory=frozenset[int])


@dataclass(frozen=True, slots=True)
class Dead:
    """A rule of a person, by its place, which comes when every step that pages them is over.

    `step` of `escalation` (places, too) is the one that can be over last, `over` after a step
    paged the person.
    """

    user: int
    urgency: Urgency
    rule: int
    after: timedelta
    escalation: int
    step: int
    over: timedelta


def dead_rules(people: Iterable[Person], escalations: Sequence[Escalation]) -> list[Dead]:
    """Rules that come too late in every escalation that may page their person.

    What one step promised survives the next ones, and is not put off when a later step pages the
    same person: so a rule has until the last of the steps that may page them is over, in the last
    round. Steps may be passed over, and people may be paged in the midst of one, so this is the
    longest time there can be, and a rule within it is never named. A rule without `after` rings
    when its step starts, however short. One whose method cannot be used is left out. Not thought
    of: alerts whose sender or raiser asks for emergency mode, and people asked for help by hand.
    """
    late = {person.id: found for person in people if (found := tuple(_with_delay(person)))}
    stays: dict[int, tuple[timedelta, int, int]] = {}
    for place, escalation in enumerate(escalations):
        policy = escalation.policy
        ends = [*accumulate((_longest(step) for step in policy.steps), initial=timedelta())]
        for user, (first, last) in _spans(escalation, late.keys()).items():
            # Whoever is paged by a step is paged when it starts: only its wait is left.
            longest = policy.steps[first].wait + ends[-1] * policy.repeat
            stay = (longest + ends[last + 1] - ends[first + 1], place, last)
            stays[user] = max(stays.get(user, stay), stay, key=lambda found: found[0])
    return [
        Dead(user, urgency, number, rule.after, place, step, over)
        for user, (over, place, step) in stays.items()
        for urgency, number, rule in late[user]
        if rule.after >= over
    ]


def with_delay(people: Iterable[Person]) -> frozenset[int]:
    """Those who have a rule with an `after` and a method for it."""
    return frozenset(person.id for person in people if any(_with_delay(person)))


def steps_without_time(late: AbstractSet[int], escalation: Escalation) -> list[int]:
    """The steps that wait for nothing and page one of `late`, who have rules with an `after`."""
    return [
        place
        for place, step in enumerate(escalation.policy.steps)
        if not step.wait
        and not all(late.isdisjoint(escalation.people.get(one, ())) for one in step.notify)
    ]


def _with_delay(person: Person) -> Iterator[tuple[Urgency, int, Rule]]:
    methods = {method.name for method in person.methods}
    for urgency, rules in person.rules.items():
        for number, rule in enumerate(rules):
            if rule.after and rule.via in methods:
                yield urgency, number, rule


def _longest(step: Step) -> timedelta:
    """How long a step may last: one that is held may begin anew when somebody comes on duty."""
    return step.wait + (step.hold_for if step.if_nobody is IfNobody.HOLD else timedelta())


def _spans(escalation: Escalation, users: AbstractSet[int]) -> dict[int, tuple[int, int]]:
    """The first and the last step that may page each of `users`."""
    places: dict[Target, tuple[int, int]] = {}
    for place, step in enumerate(escalation.policy.steps):
        for target in step.notify:
            places[target] = (places.get(target, (place, place))[0], place)
    spans: dict[int, tuple[int, int]] = {}
    for target, (first, last) in places.items():
        for user in users & escalation.people.get(target, frozenset()):
            known = spans.get(user, (first, last))
            spans[user] = (min(known[0], first), max(known[1], last))
    if escalation.policy.steps:
        whole = (0, len(escalation.policy.steps) - 1)
        spans |= dict.fromkeys(users & escalation.everyone, whole)
    return spans
