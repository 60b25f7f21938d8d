"""Notification rules that come when every step which pages their person is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from tests.core.stories import HOUR, MINUTE, NIGHT, seed
from tocsin.core.alert import Alert, Changed, Outcome, apply, due_change
from tocsin.core.changes import DutyChanged, Raised
from tocsin.core.deadrules import Dead, Escalation, dead_rules, steps_without_time, with_delay
from tocsin.core.effects import Notify, Withdraw
from tocsin.core.escalation import (
    EscalationPlan,
    IfNobody,
    OnDuty,
    OneUser,
    Policy,
    Step,
    Target,
    Webhook,
    WholeTeam,
)
from tocsin.core.kinds import Urgency
from tocsin.core.rules import Method, Person, Rule

MARA, ADA = 1, 2
FIRST, LEAD, TEAM = OnDuty("1"), OneUser(ADA), WholeTeam(7)
MEANT: Mapping[Target, frozenset[int]] = {
    FIRST: frozenset((MARA,)),
    LEAD: frozenset((ADA,)),
    TEAM: frozenset((MARA, ADA)),
}


def person(*minutes: float, user: int = MARA) -> Person:
    """Somebody with a rule, and a method of its own, after each of these times."""
    methods = tuple(Method(user * 100 + n, f"m{n}", "webhook") for n in range(len(minutes)))
    rules = tuple(Rule(n * MINUTE, f"m{place}") for place, n in enumerate(minutes))
    return Person(user, f"user {user}", methods, {Urgency.URGENT: rules})


def step(target: Target, minutes: float, if_nobody: IfNobody = IfNobody.SKIP) -> Step:
    return Step((target,), minutes * MINUTE, if_nobody)


def found(mara: Person, *steps: Step, repeat: int = 0) -> list[tuple[int, int, float]]:
    """(rule, step, minutes until that step is over at the latest) of each rule that is dead."""
    dead = dead_rules([mara], [Escalation(Policy(steps, repeat), MEANT)])
    return [(one.rule, one.step, one.over / MINUTE) for one in dead]


def test_a_rule_that_comes_when_its_step_is_over_is_found() -> None:
    assert found(person(0, 4, 5, 30), step(FIRST, 5)) == [(2, 0, 5), (3, 0, 5)]


def test_the_steps_after_those_that_page_somebody_give_them_no_time() -> None:
    assert found(person(0, 6), step(LEAD, 10), step(FIRST, 5), step(LEAD, 10)) == [(1, 1, 5)]


def test_what_an_early_step_promised_may_ring_in_a_later_one() -> None:
    steps = (step(FIRST, 5), step(LEAD, 10), step(TEAM, 5))
    assert found(person(19), *steps) == []
    assert found(person(20), *steps) == [(0, 2, 20)]


def test_rounds_count_up_to_the_last_step_that_pages_the_person() -> None:
    steps = (step(FIRST, 5), step(LEAD, 10))
    assert found(person(34), *steps, repeat=2) == []
    assert found(person(35), *steps, repeat=2) == [(0, 0, 35)]


def test_a_step_that_is_held_may_last_longer_but_not_for_those_whom_it_pages_first() -> None:
    held = Step((TEAM,), 5 * MINUTE, IfNobody.HOLD, hold_for=10 * MINUTE)
    assert found(person(5), held) == [(0, 0, 5)]
    assert found(person(19), step(FIRST, 5), held) == []
    assert found(person(20), step(FIRST, 5), held) == [(0, 1, 20)]


def test_the_escalation_that_gives_most_time_counts() -> None:
    short, long = (Escalation(Policy((step(FIRST, minutes),)), MEANT) for minutes in (5, 20))
    (dead,) = dead_rules([person(10, 25)], [short, long])
    assert dead == Dead(MARA, Urgency.URGENT, 1, 25 * MINUTE, 1, 0, 20 * MINUTE)
    assert dead_rules([person(10, 25)], [long, short])[0].escalation == 0


def test_in_emergency_mode_every_step_pages_everyone() -> None:
    policy = Policy((step(FIRST, 5), step(LEAD, 10)))
    emergency = Escalation(policy, MEANT, frozenset((MARA,)))
    assert dead_rules([person(14)], [emergency]) == []
    assert [one.over for one in dead_rules([person(15)], [emergency])] == [15 * MINUTE]


def test_who_is_paged_by_no_step_has_no_dead_rules() -> None:
    assert found(person(60), step(LEAD, 5)) == []
    assert found(person(60)) == []


def test_a_rule_whose_method_cannot_be_used_is_left_out() -> None:
    mara = person(0, 60)
    quiet = Person(mara.id, mara.name, mara.methods[:1], mara.rules)
    assert found(mara, step(FIRST, 5)) == [(1, 0, 5)]
    assert found(quiet, step(FIRST, 5)) == []


def test_a_step_without_time_is_found_where_somebody_loses_a_rule_by_it() -> None:
    policy = Policy((step(FIRST, 0), step(LEAD, 0), step(Webhook("wall"), 0), step(TEAM, 1)))
    escalation = Escalation(policy, MEANT)
    late = with_delay([person(0, 2), person(0, user=ADA)])
    assert steps_without_time(late, escalation) == [0]
    assert found(person(0), step(FIRST, 0)) == []


def test_a_thousand_people_on_a_thousand_steps_take_no_time() -> None:
    count = 1000
    people = [person(0, 5, 60 * 24 * 7, user=number) for number in range(count)]
    everybody = frozenset(range(count))
    policy = Policy(tuple(step(TEAM, 1) for _ in range(count)), repeat=1000)
    started = perf_counter()
    assert dead_rules(people, [Escalation(policy, {TEAM: everybody})] * 20) == []
    assert perf_counter() - started < 2


# What the core does, held against what is said of it.

HELD = 3 * MINUTE


def some_step(target: Target, minutes: int, if_nobody: IfNobody) -> Step:
    return Step((target,), minutes * MINUTE, if_nobody, HELD)


STEPS = st.lists(
    st.builds(
        some_step,
        st.sampled_from((FIRST, LEAD, TEAM, Webhook("wall"))),
        st.sampled_from((0, 1, 2, 5)),
        st.sampled_from(IfNobody),
    ),
    min_size=1,
    max_size=4,
).map(tuple)
MINUTES = st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True)


@dataclass
class Run:
    """An escalation that nobody answers: when Mara's methods rang, while which steps paged her."""

    rung: dict[int, list[datetime]] = field(default_factory=dict[int, list[datetime]])
    stretches: list[tuple[datetime, datetime]] = field(
        default_factory=list[tuple[datetime, datetime]]
    )
    planned: dict[int, datetime] = field(default_factory=dict[int, datetime])

    def in_time(self, method: int) -> bool:
        """Whether a method rang while a step waited that pages her."""
        return any(
            since <= at < until
            for at in self.rung.get(method, ())
            for since, until in self.stretches
        )

    def heed(self, before: Alert, outcome: Outcome) -> Alert:
        """Take note of what is taken back and what is promised; the alert as it is then."""
        if not isinstance(outcome, Changed):
            return before
        for effect in outcome.effects:
            if isinstance(effect, Withdraw) and (effect.users is None or MARA in effect.users):
                self.planned.clear()
            if isinstance(effect, Notify) and effect.user == MARA:
                self.planned[effect.method] = effect.due_at
        return outcome.alert

    def wait(self, alert: Alert, now: datetime, until: datetime) -> None:
        """Nothing happens from `now` until shortly before `until`, but for what rings."""
        if MARA in alert.crew and not alert.held and not alert.exhausted:
            self.stretches.append((now, until))
        for method, at in list(self.planned.items()):
            if at < until:
                self.rung.setdefault(method, []).append(at)
                del self.planned[method]


def run(mara: Person, policy: Policy, presence: Sequence[bool]) -> Run:
    """Play it to its end. `presence`: whether Mara is on duty, at each look, in the end always."""
    told, now, left = Run(), NIGHT, list(presence)

    def plan() -> EscalationPlan:
        here = left.pop(0) if left else True
        ada = person(0, user=ADA)
        people: dict[Target, tuple[Person, ...]] = {LEAD: (ada,), TEAM: (mara, ada)}
        return EscalationPlan(policy, people | {FIRST: (mara,) if here else ()})

    alert = told.heed(seed(), apply(seed(), Raised(), plan(), now))
    while (due := alert.next_step_at) is not None:
        middle = now + (due - now) / 2
        told.wait(alert, now, middle)
        alert = told.heed(alert, apply(alert, DutyChanged(), plan(), middle))
        now = middle
        if alert.next_step_at == due:
            told.wait(alert, middle, due)
            timer = due_change(alert)
            assert timer is not None
            alert = told.heed(alert, apply(alert, timer, plan(), due))
            now = due
    told.wait(alert, now, NIGHT + 1000 * HOUR)
    return told


def dead_methods(mara: Person, policy: Policy) -> set[int]:
    dead = dead_rules([mara], [Escalation(policy, MEANT)])
    return {mara.methods[one.rule].id for one in dead}


@given(MINUTES, STEPS, st.integers(0, 2), st.lists(st.booleans(), max_size=12))
def test_a_rule_that_is_named_never_rings_while_a_step_pages_its_person(
    minutes: list[int], steps: tuple[Step, ...], repeat: int, presence: list[bool]
) -> None:
    mara, policy = person(*minutes), Policy(steps, repeat)
    told = run(mara, policy, presence)
    assert not any(told.in_time(method) for method in dead_methods(mara, policy))


@given(MINUTES, st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 2))
def test_a_rule_that_is_not_named_rings_in_time_where_every_step_pages_its_person(
    minutes: list[int], waits: list[int], repeat: int
) -> None:
    mara, policy = person(*minutes), Policy(tuple(step(TEAM, n) for n in waits), repeat)
    told = run(mara, policy, ())
    late = {method.id for method in mara.methods if not told.in_time(method.id)}
    assert dead_methods(mara, policy) == late
    assert set(told.rung) == {method.id for method in mara.methods}  # and all ring in the end
