"""Who is paged on each step of a policy, and how long each step waits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from tocsin.core.kinds import Mode, Severity
from tocsin.core.localtime import wall_clock
from tocsin.core.rules import Person
from tocsin.core.schedule import Day


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Whoever is on duty in a tier (`1`, `2`, `3` or `manager`): of the alert's team, or `team`."""

    tier: str
    team: int | None = None


@dataclass(frozen=True, slots=True)
class OneUser:
    """This person, on duty or not."""

    user: int


@dataclass(frozen=True, slots=True)
class WholeTeam:
    """Every member of a team, on duty or not."""

    team: int


@dataclass(frozen=True, slots=True)
class Webhook:
    """The outgoing webhook with this name, or at this address."""

    name: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A target that means nobody: who or what it names is gone, or leads back to itself."""

    described: str


Target = OnDuty | OneUser | WholeTeam | Webhook | Unsupported


class IfNobody(StrEnum):
    """What happens to a step whose targets mean nobody just now."""

    SKIP = "skip"  # the next step starts at once
    CONTINUE = "continue"  # its wait runs, then the next step
    HOLD = "hold"  # it waits until somebody comes on duty, no longer than `hold_for`


class Pick(StrEnum):
    """Which of the people whom a step means are paged."""

    ALL = "all"
    ROUND_ROBIN = "round_robin"  # one of them, the next one at the next alert
    NEXT = "next"  # of duty targets: who comes on duty next


@dataclass(frozen=True, slots=True)
class Condition:
    """When a step counts; what is not given holds always.

    `days`, `from_` and `to` are read on the team's clock, or on each responder's. A `to` not after
    `from_` means the next day; a window over midnight belongs to the day on which it begins.
    """

    severities: tuple[Severity, ...] = ()
    days: tuple[Day, ...] = ()
    from_: time | None = None
    to: time | None = None
    responder_clock: bool = False
    holiday: bool | None = None
    older_than: timedelta | None = None

    def open_at(self, wall: datetime) -> bool:
        """Whether the window is open when a clock shows `wall`."""
        opens, closes = self.from_ or time(), self.to or time()
        for start in (wall.date(), wall.date() - timedelta(days=1)):
            begin, end = datetime.combine(start, opens), datetime.combine(start, closes)
            if end <= begin:
                end += timedelta(days=1)
            named = not self.days or any(day.number == start.weekday() for day in self.days)
            if named and begin <= wall < end:
                return True
        return False


HOLD_FOR = timedelta(minutes=30)
"""How long a step waits for somebody to come on duty where it does not say."""


@dataclass(frozen=True, slots=True)
class Step:
    """Page these targets, then wait this long for an answer; all of `when` must hold."""

    notify: tuple[Target, ...]
    wait: timedelta
    if_nobody: IfNobody = IfNobody.SKIP
    hold_for: timedelta = HOLD_FOR
    when: tuple[Condition, ...] = ()
    pick: Pick = Pick.ALL

    @property
    def names_people(self) -> bool:
        """Whether it is meant to page somebody, not only to call webhooks."""
        return any(not isinstance(target, Webhook) for target in self.notify)


@dataclass(frozen=True, slots=True)
class Policy:
    """The steps as they were when the alert was raised; `repeat` = rounds after the first.

    `mode` and `acknowledgements` hold for new alerts whose sender and category do not say, and
    `close_after` for all of them: without news for so long they close by themselves.
    """

    steps: tuple[Step, ...]
    repeat: int = 0
    acknowledge_timeout: timedelta | None = None
    mode: Mode | None = None
    acknowledgements: int | None = None
    close_after: timedelta | None = None

    def step(self, position: "Position") -> Step | None:
        """The step at a position; None where a copy that is gone left a policy without steps."""
        return self.steps[position.step] if position.step < len(self.steps) else None


@dataclass(frozen=True, slots=True)
class EscalationPlan:
    """A policy together with what its targets mean at this moment.

    `people` is looked up in the transaction that starts a step. `everyone` are the team's members
    (emergency mode), `admins` those who are told when nobody answered. `next_on_duty` are who comes
    next for a duty target, `turns` how many turns each round-robin step has used. `time_zone` and
    `holidays` (local days) are the team's.
    """

    policy: Policy
    people: Mapping[Target, tuple[Person, ...]] = field(
        default_factory=dict[Target, tuple[Person, ...]]
    )
    everyone: tuple[Person, ...] = ()
    admins: tuple[Person, ...] = ()
    next_on_duty: Mapping[Target, tuple[Person, ...]] = field(
        default_factory=dict[Target, tuple[Person, ...]]
    )
    turns: Mapping[int, int] = field(default_factory=dict[int, int])
    time_zone: str = "UTC"
    holidays: frozenset[date] = frozenset()

    def turn_taken(self, step: int) -> "EscalationPlan":
        """The same when one more turn of this step is used."""
        return replace(self, turns={**self.turns, step: self.turns.get(step, 0) + 1})

    def people_of(self, step: Step) -> tuple[Person, ...]:
        """The people a step may page now, each once, in the order of its targets."""
        return distinct(
            person for target in step.notify for person in self._people_of(target, step.pick)
        )

    def is_holiday(self, now: datetime) -> bool:
        """Whether it is a holiday of the team."""
        return wall_clock(now, self.time_zone).date() in self.holidays

    def _people_of(self, target: Target, pick: Pick) -> tuple[Person, ...]:
        if pick is Pick.NEXT and isinstance(target, OnDuty):
            return self.next_on_duty.get(target, ())
        return self.people.get(target, ())


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
