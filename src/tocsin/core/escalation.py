"""Who is paged on each step of a policy, and how long each step waits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from tocsin.core.kinds import Mode
from tocsin.core.rules import Person


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Whoever is on duty in a tier (`1`, `2`, `3` or `manager`) of the alert's team."""

    tier: str


@dataclass(frozen=True, slots=True)
class OneUser:
    """This person, on duty or not."""

    user: int


@dataclass(frozen=True, slots=True)
class WholeTeam:
    """Every member of a team, on duty or not."""

    team: int


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A target that this version stores and shows, and cannot page yet."""

    described: str


Target = OnDuty | OneUser | WholeTeam | Unsupported


class IfNobody(StrEnum):
    """What happens to a step whose targets mean nobody just now."""

    SKIP = "skip"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Step:
    """Page these targets, then wait this long for an answer."""

    notify: tuple[Target, ...]
    wait: timedelta
    if_nobody: IfNobody = IfNobody.SKIP


@dataclass(frozen=True, slots=True)
class Policy:
    """The steps as they were when the alert was raised; `repeat` = rounds after the first.

    `mode` and `acknowledgements` hold for new alerts whose sender and category do not say.
    """

    steps: tuple[Step, ...]
    repeat: int = 0
    acknowledge_timeout: timedelta | None = None
    mode: Mode | None = None
    acknowledgements: int | None = None

    def step(self, position: "Position") -> Step | None:
        """The step at a position; None where a copy that is gone left a policy without steps."""
        return self.steps[position.step] if position.step < len(self.steps) else None


@dataclass(frozen=True, slots=True)
class EscalationPlan:
    """A policy together with what its targets mean at this moment.

    `people` is looked up in the transaction that starts a step. `everyone` are the team's members
    (emergency mode), `admins` those who are told when nobody answered.
    """

    policy: Policy
    people: Mapping[Target, tuple[Person, ...]] = field(
        default_factory=dict[Target, tuple[Person, ...]]
    )
    everyone: tuple[Person, ...] = ()
    admins: tuple[Person, ...] = ()

    def people_of(self, step: Step) -> tuple[Person, ...]:
        """The people a step pages now, each once, in the order of its targets."""
        return distinct(person for target in step.notify for person in self.people.get(target, ()))


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where an escalation stands; `round` and `step` count from 0."""

    round: int
    step: int


FIRST = Position(0, 0)
"""Where every escalation begins."""


def following(position: Position, policy: Policy) -> Position | None:
    """The step after `position`, the first of the next round, or None after the last round."""
    if position.step + 1 < len(policy.steps):
        return Position(position.round, position.step + 1)
    if position.round < policy.repeat and policy.steps:
        return Position(position.round + 1, 0)
    return None


def distinct(people: Iterable[Person]) -> tuple[Person, ...]:
    """Each person once, in order of first appearance."""
    return tuple({person.id: person for person in people}.values())
