"""Escalation policies as values: names become ids, and other policies become their steps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from itertools import islice

from tocsin.core.escalation import (
    HOLD_FOR,
    Condition,
    IfNobody,
    OnDuty,
    OneUser,
    Pick,
    Policy,
    Step,
    Target,
    Unsupported,
    Webhook,
    WholeTeam,
)
from tocsin.core.kinds import Mode, Severity
from tocsin.core.notation import clock, duration, listing, mapping, texts
from tocsin.core.schedule import Day

MOST_STEPS = 1000
"""Steps that a policy may have, those of the policies that it names counted in."""

DEEPEST = 10
"""Policies that may name each other in a row."""


@dataclass(frozen=True, slots=True)
class Names:
    """The ids of users and teams by name, and the definitions of policies by (team, policy).

    `home` is the team whose policy is read: its duty is not named in the copy.
    """

    users: Mapping[str, int]
    teams: Mapping[str, int]
    policies: Mapping[tuple[str, str], Mapping[str, object]] = field(
        default_factory=dict[tuple[str, str], Mapping[str, object]]
    )
    home: str = ""


def policy_of(body: Mapping[str, object], names: Names, name: str = "") -> Policy:
    """The policy called `name` from its definition in the configuration.

    The steps of another team's policy stand in place of the step that names it, with the duty of
    that team. What cannot be paged is kept visible as `Unsupported`: who or what is gone, and a
    policy that leads back to itself.
    """
    repeat, timeout = body.get("repeat"), body.get("acknowledge_timeout")
    mode, count, close = body.get("mode"), body.get("acknowledgements"), body.get("close_after")
    return Policy(
        steps=steps_of(body, names, name)[:MOST_STEPS],
        repeat=repeat if isinstance(repeat, int) else 0,
        acknowledge_timeout=None if timeout is None else duration(str(timeout)),
        mode=None if mode is None else Mode(str(mode)),
        acknowledgements=count if isinstance(count, int) else None,
        close_after=None if close is None else duration(str(close)),
    )


def steps_of(body: Mapping[str, object], names: Names, name: str) -> tuple[Step, ...]:
    """The steps of a policy and of those that it names, up to one more than it may have."""
    return tuple(islice(_steps(body, names, ((names.home, name),)), MOST_STEPS + 1))


_Trail = tuple[tuple[str, str], ...]
"""(team, policy) of every policy on the way to the one that is read, which is the last."""


def _steps(body: Mapping[str, object], names: Names, trail: _Trail) -> Iterator[Step]:
    for entry in listing(body.get("steps")):
        definition = mapping(entry)
        targets = [mapping(target) for target in listing(definition.get("notify"))]
        others = [str(target["policy"]) for target in targets if "policy" in target]
        own = tuple(_target(target, names, trail) for target in targets if "policy" not in target)
        step = _step(definition, own)
        yield from _joined(step, others, names, trail) if others else (step,)


def _joined(step: Step, others: Sequence[str], names: Names, trail: _Trail) -> Iterator[Step]:
    """The other policies' steps, own targets with the first; no shorter than the own wait."""
    reached = (inner for other in others for inner in _other(other, names, trail))
    found = list(islice(reached, MOST_STEPS + 1))  # each level ends there: chains may multiply
    found = [*_with_own(step, found[0]), *found[1:]]
    missing = step.wait - sum((inner.wait for inner in found), timedelta())
    for inner in found[:-1]:
        yield replace(inner, when=(*step.when, *inner.when))
    for last in found[-1:]:
        wait = last.wait + max(missing, timedelta())
        yield replace(last, when=(*step.when, *last.when), wait=wait)


def _with_own(step: Step, first: Step) -> Iterator[Step]:
    """The own targets beside the first of another policy.

    Where that chooses among its people, or counts only sometimes, they are paged just before it.
    """
    if not step.notify:
        yield first
    elif first.when or first.pick is not Pick.ALL:
        yield replace(step, wait=timedelta(), if_nobody=IfNobody.SKIP)
        yield first
    else:
        yield replace(first, notify=(*step.notify, *first.notify))


def _other(reference: str, names: Names, trail: _Trail) -> Iterator[Step]:
    team, _, policy = reference.partition("/")
    body = names.policies.get((team, policy))
    if (team, policy) in trail:
        again = Unsupported(f"policy {reference}, which leads back to itself")
        yield Step(notify=(again,), wait=timedelta())
    elif body is None:
        yield Step(notify=(Unsupported(f"policy {reference}"),), wait=timedelta())
    elif len(trail) > DEEPEST:
        deep = Unsupported(f"policy {reference}, more than {DEEPEST} policies down")
        yield Step(notify=(deep,), wait=timedelta())
    else:
        yield from _steps(body, names, (*trail, (team, policy)))


def _step(body: Mapping[str, object], notify: tuple[Target, ...]) -> Step:
    wait, hold, when = body.get("wait"), body.get("hold_for"), body.get("when")
    return Step(
        notify=notify,
        wait=timedelta() if wait is None else duration(str(wait)),
        if_nobody=IfNobody(str(body.get("if_nobody") or IfNobody.SKIP)),
        hold_for=HOLD_FOR if hold is None else duration(str(hold)),
        when=() if when is None else (_condition(mapping(when)),),
        pick=Pick(str(body.get("pick") or Pick.ALL)),
    )


def _condition(body: Mapping[str, object]) -> Condition:
    severity, older = body.get("severity"), body.get("older_than")
    severities = (severity,) if isinstance(severity, str) else texts(severity)
    holiday = body.get("holiday")
    return Condition(
        severities=tuple(Severity(one) for one in severities),
        days=tuple(Day(day) for day in texts(body.get("days"))),
        from_=_time(body.get("from")),
        to=_time(body.get("to")),
        responder_clock=body.get("clock") == "responder",
        holiday=holiday if isinstance(holiday, bool) else None,
        older_than=None if older is None else duration(str(older)),
    )


def _time(value: object) -> time | None:
    return None if value is None else clock(str(value))


def _target(body: Mapping[str, object], names: Names, trail: _Trail) -> Target:
    (kind, value), *_ = body.items()
    match kind:
        case "duty":
            team = trail[-1][0]
            return OnDuty(str(value), None if team == names.home else names.teams.get(team))
        case "user" if (user := names.users.get(str(value))) is not None:
            return OneUser(user)
        case "team" if (number := names.teams.get(str(value))) is not None:
            return WholeTeam(number)
        case "webhook":
            return Webhook(str(value))
        case _:
            return Unsupported(f"{kind} {value}")
