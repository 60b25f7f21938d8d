"""Random stories of one alert: any policy, any people, anything that may happen, at any time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st

from tests.core.stories import MINUTE, NIGHT, SECOND, seed
from tocsin.core.alert import Alert, Changed, Outcome, apply, due_change
from tocsin.core.changes import (
    Acknowledged,
    AcknowledgementExpired,
    AcknowledgementExtended,
    Annotated,
    Change,
    Closed,
    DetailsUpdated,
    EscalatedByHand,
    MergedInto,
    OwnerLeft,
    Raised,
    Reassigned,
    Reopened,
    ResponderAnswered,
    RespondersAdded,
    SeenAgain,
    SeverityRaised,
    Snoozed,
    SnoozeEnded,
    StepTimedOut,
    Suppressed,
    SuppressionEnded,
    TakenOver,
    Unacknowledged,
)
from tocsin.core.escalation import (
    FIRST,
    EscalationPlan,
    IfNobody,
    OnDuty,
    OneUser,
    Policy,
    Step,
    Target,
    Unsupported,
    WholeTeam,
)
from tocsin.core.kinds import SYSTEM, Actor, Mode, Severity, Urgency, Via
from tocsin.core.rules import Method, Person, Rule

TARGETS: tuple[Target, ...] = (
    OnDuty("1"),
    OnDuty("manager"),
    OneUser(2),
    WholeTeam(7),
    Unsupported("webhook"),
)
WAITS = (timedelta(0), SECOND, MINUTE, 5 * MINUTE)


@dataclass(frozen=True)
class Move:
    """A change that comes so long after the last one; None is the alert's own timer, when due."""

    delay: timedelta
    change: Change | None
    plan: EscalationPlan


@dataclass(frozen=True)
class Story:
    """A seed, what raised it, and what happens then; `plan` is that of the first moment."""

    seed: Alert
    raised: Raised
    plan: EscalationPlan
    moves: Sequence[Move]

    @property
    def policy(self) -> Policy:
        """The steps that the alert follows."""
        return self.plan.policy


@dataclass(frozen=True)
class Scene:
    """One change of a story, and what came of it."""

    before: Alert
    change: Change
    plan: EscalationPlan
    now: datetime
    outcome: Outcome

    @property
    def by(self) -> Actor:
        """Who did it."""
        by: Actor = getattr(self.change, "by", SYSTEM)
        return by


def play(story: Story) -> list[Scene]:
    """The story from its beginning; the first scene is the raising."""
    now = NIGHT
    scenes = [_scene(story.seed, story.raised, story.plan, now)]
    for move in story.moves:
        last = scenes[-1]
        alert = last.outcome.alert if isinstance(last.outcome, Changed) else last.before
        now += move.delay
        change = move.change
        if change is None:
            timer = due_change(alert)
            if timer is None:
                continue
            now, change = max(now, timer.due or now), timer
        scenes.append(_scene(alert, change, move.plan, now))
    return scenes


def _scene(alert: Alert, change: Change, plan: EscalationPlan, now: datetime) -> Scene:
    return Scene(alert, change, plan, now, apply(alert, change, plan, now))


@st.composite
def stories(
    draw: st.DrawFn,
    modes: Sequence[Mode] = tuple(Mode),
    urgencies: Sequence[Urgency] = tuple(Urgency),
) -> Story:
    """Any story of up to fifteen changes."""
    people = draw(_people)
    policy = draw(_policies)
    urgency = draw(st.sampled_from(urgencies))
    alert = seed(
        urgency=urgency,
        severity=draw(st.sampled_from(Severity)),
        mode=draw(st.sampled_from(modes)),
        acknowledgements_required=draw(st.integers(1, 3)),
        connector=draw(st.sampled_from((5, None))),
    )
    suppressed = draw(st.sampled_from((None, None, "maintenance")))
    if tuple(urgencies) != tuple(Urgency):
        suppressed = None  # asked for stories that page
    plans = _plans(policy, people)
    moves = st.lists(
        st.builds(
            Move,
            st.sampled_from((*WAITS, timedelta(hours=3))),
            st.none() | _changes(people),
            plans,
        ),
        max_size=15,
    )
    raised = Raised(draw(_actors(people)), suppressed)
    return Story(alert, raised, draw(plans), draw(moves))


def _rules(names: Sequence[str]) -> st.SearchStrategy[tuple[Rule, ...]]:
    rule = st.builds(
        Rule,
        st.sampled_from(WAITS),
        st.sampled_from([*names, "gone"]),
        st.sampled_from((None, timedelta(0), 30 * SECOND)),
    )
    return st.lists(rule, max_size=3).map(tuple)


@st.composite
def _person(draw: st.DrawFn, number: int) -> Person:
    names = draw(st.sampled_from(((), ("phone",), ("phone", "mail"))))
    methods = tuple(Method(10 * number + i, name, "webhook") for i, name in enumerate(names))
    rules = draw(st.dictionaries(st.sampled_from(Urgency), _rules(names), max_size=3))
    return Person(number, f"person {number}", methods, rules)


_people = st.tuples(*(_person(number) for number in range(1, 5)))

_policies = st.builds(
    Policy,
    st.lists(
        st.builds(
            Step,
            st.lists(st.sampled_from(TARGETS), max_size=2).map(tuple),
            st.sampled_from(WAITS),
            st.sampled_from(IfNobody),
        ),
        max_size=5,
    ).map(tuple),
    st.integers(0, 3),
    st.sampled_from((None, timedelta(0), 5 * MINUTE, timedelta(hours=4))),
)


def _plans(policy: Policy, people: Sequence[Person]) -> st.SearchStrategy[EscalationPlan]:
    some = _some(people)
    return st.builds(
        EscalationPlan,
        st.just(policy),
        st.dictionaries(st.sampled_from(TARGETS), some),
        some,
        some,
    )


def _some(people: Sequence[Person]) -> st.SearchStrategy[tuple[Person, ...]]:
    return st.lists(st.sampled_from(people), unique_by=lambda person: person.id).map(tuple)


def _named(people: Sequence[Person]) -> st.SearchStrategy[dict[int, str]]:
    return _some(people).map(lambda some: {person.id: person.name for person in some})


def _actors(people: Sequence[Person]) -> st.SearchStrategy[Actor]:
    vias = (Via.REPLY, Via.WEB, Via.SOURCE)
    ours = st.sampled_from([Actor(one.name, one.id, via) for one in people for via in vias])
    return ours | st.sampled_from((SYSTEM, Actor("portal", via=Via.SOURCE), Actor("plant")))


def _changes(people: Sequence[Person]) -> st.SearchStrategy[Change]:
    by, some = _actors(people), _some(people)
    moments = st.integers(0, 400).map(lambda minutes: NIGHT + minutes * MINUTE)
    episodes, word = st.integers(0, 3), st.sampled_from(("a", "b"))
    return st.one_of(
        st.builds(Acknowledged, by),
        st.builds(AcknowledgementExtended, by),
        st.builds(Unacknowledged, by),
        st.builds(TakenOver, by),
        st.builds(EscalatedByHand, by),
        st.builds(Closed, by),
        st.builds(Reopened, by),
        st.builds(ResponderAnswered, by),
        st.builds(SuppressionEnded, by),
        st.builds(Snoozed, by, moments),
        st.builds(Reassigned, by, some, word),
        st.builds(RespondersAdded, by, some),
        st.builds(Annotated, by, word),
        st.builds(OwnerLeft, st.sampled_from([one.id for one in people]), word, _named(people)),
        st.builds(Suppressed, word, by),
        st.builds(MergedInto, word, by),
        st.builds(SeenAgain, st.integers(1, 3)),
        st.builds(DetailsUpdated, word, severity=st.sampled_from(Severity)),
        st.builds(SeverityRaised, st.sampled_from(Severity), st.sampled_from(Urgency), by),
        st.builds(StepTimedOut, moments, episodes, st.sampled_from((FIRST, None))),
        st.builds(AcknowledgementExpired, moments, episodes),
        st.builds(SnoozeEnded, moments, episodes),
    )
