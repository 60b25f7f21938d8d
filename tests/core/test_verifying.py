"""What `ledger verify` makes of a history: nothing of a good one, and each fault by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings

from tests.core.alert_stories import Story, stories
from tests.core.recorded import LEASE, Recorder
from tests.core.stories import ADA, JONAS, MARA, MINUTE, NIGHT, POLICY, SECOND, at, by, plan
from tocsin.core.changes import (
    Acknowledged,
    Closed,
    DutyChanged,
    EscalatedByHand,
    Raised,
    Suppressed,
    Unacknowledged,
)
from tocsin.core.effects import Purpose
from tocsin.core.escalation import EscalationPlan, IfNobody, OnDuty, Target, Unsupported
from tocsin.core.kinds import Urgency
from tocsin.core.notification import State
from tocsin.core.rules import Person
from tocsin.core.verifying import (
    Duty,
    Grade,
    History,
    Line,
    Noted,
    Promised,
    broken_promises,
)

EVENING, MORNING = NIGHT - timedelta(hours=6), NIGHT + timedelta(hours=6)
DUTIES = (
    Duty(tier="1", name="Mara", since=EVENING, until=MORNING),
    Duty(tier="manager", name="Ada", since=EVENING, until=MORNING),
)
LATER = at(30)
TICK = timedelta(microseconds=1)


def good() -> History:
    """Mara is paged at 02:58, Ada at 03:00; Ada acknowledges at 03:01 and closes at 03:20."""
    night = Recorder()
    night.change(Raised(), NIGHT)
    night.change(Acknowledged(by(ADA)), at(3.1))
    night.change(Closed(by(ADA)), at(20))
    night.until(at(30))
    return replace(night.history(), duties=DUTIES)


def running() -> History:
    """The same, two minutes and a half after it was raised: Ada was paged, Mara is repeated."""
    night = Recorder()
    night.change(Raised(), NIGHT)
    night.until(at(2.6))
    return replace(night.history(), duties=DUTIES)


def told(history: History, now: datetime = LATER) -> list[str]:
    return [f"{one.what} {one.how}" for one in broken_promises(history, now, LEASE)]


def with_row(
    history: History, place: int, change: Callable[[Promised], Promised | None]
) -> History:
    rows = list(history.notifications)
    changed = change(rows[place])
    rows[place : place + 1] = [] if changed is None else [changed]
    return replace(history, notifications=tuple(rows))


def with_lines(history: History, change: Callable[[Line], Line | None]) -> History:
    lines = [changed for line in history.lines if (changed := change(line)) is not None]
    return replace(history, lines=tuple(lines))


def row_of(history: History, name: str, state: State = State.SENT, skip: int = 0) -> int:
    """The place of the `skip`th page of a person."""
    places = [
        place
        for place, row in enumerate(history.notifications)
        if (row.name, row.state, row.purpose) == (name, state, Purpose.ESCALATION)
    ]
    return places[skip]


def test_a_good_night_has_nothing_broken() -> None:
    assert told(good()) == []
    assert told(running(), at(2.6)) == []


# (a) steps


def test_a_step_that_did_not_start_is_named() -> None:
    history = with_lines(running(), lambda line: line if _step(line) != 2 else None)
    assert "step 2 of round 1 has not come" in told(history, at(2.6))
    assert [one.due for one in broken_promises(history, at(2.6), LEASE)][:1] == [at(2)]


def test_a_step_that_did_not_start_before_somebody_answered_is_named() -> None:
    history = with_lines(good(), lambda line: line if _step(line) != 2 else None)
    assert told(history) == [
        "step 2 of round 1 had not come when the escalation ended 1 min 6 s later"
    ]


def _step(line: Line) -> int | None:
    return line.position.step + 1 if line.kind == "step" else None


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        (-40 * SECOND, "step 2 of round 1 started 40 s before its time"),
        (40 * SECOND, "step 2 of round 1 started 40 s late"),
        (65 * SECOND, "step 2 of round 1 started 1 min 5 s late"),
    ],
)
def test_a_step_that_started_early_or_late_is_named(moved: timedelta, said: str) -> None:
    history = with_lines(
        good(), lambda line: line if _step(line) != 2 else replace(line, at=line.at + moved)
    )
    (found,) = [one for one in broken_promises(history, at(30), LEASE) if "started" in one.how]
    assert f"{found.what} {found.how}" == said
    assert found.grade is (Grade.LATE if moved == 40 * SECOND else Grade.BROKEN)


def test_a_step_that_was_late_by_an_outage_that_is_marked_is_only_late() -> None:
    def later(line: Line) -> Line:
        if _step(line) != 2:
            return line
        return replace(line, at=line.at + 65 * SECOND, data={**line.data, "outage": True})

    found = broken_promises(with_lines(good(), later), at(30), LEASE)
    assert [one.grade for one in found if "started" in one.how] == [Grade.LATE]


def test_a_step_out_of_order_is_named() -> None:
    history = with_lines(
        good(),
        lambda line: line if _step(line) != 2 else replace(line, data={**line.data, "step": 3}),
    )
    assert "step 2 of round 1 did not start; in its place came step 3 of round 1" in told(history)


def test_a_step_after_the_end_is_named() -> None:
    history = good()
    stray = replace(next(line for line in history.lines if _step(line) == 2), at=at(10))
    history = replace(history, lines=(*history.lines[:-1], stray, history.lines[-1]))
    assert "step 2 of round 1 came after the end of the escalation" in told(history)


def test_an_open_alert_without_a_timer_is_named() -> None:
    history = running()
    history = replace(history, alert=replace(history.alert, next_step_at=None))
    said = "the alert's timer is missing: nobody will be paged any more"
    assert told(history, at(2.6)) == [said]


def test_a_timer_of_an_acknowledged_alert_that_did_not_fire_is_named() -> None:
    night = Recorder()
    night.change(Raised(), NIGHT)
    night.change(Acknowledged(by(MARA)), at(1))
    night.until(at(30))
    history = replace(night.history(), duties=DUTIES)
    assert told(history) == []
    assert told(history, at(300)) == ["the alert's timer was not acted on"]


def test_the_last_word_is_missed() -> None:
    night = Recorder(plan=plan(replace(POLICY, steps=POLICY.steps[:1], repeat=0)))
    night.change(Raised(), NIGHT)
    night.until(at(10))
    history = replace(night.history(), duties=DUTIES)
    assert told(history, at(10)) == []
    history = with_lines(history, lambda line: None if line.kind == "nobody_answered" else line)
    assert "the word that nobody answered has not come" in told(history, at(10))


def test_an_alert_that_is_only_recorded_or_suppressed_owes_no_step() -> None:
    recorded = Recorder()
    recorded.alert = replace(recorded.alert, urgency=Urgency.RECORD)
    recorded.change(Raised(), NIGHT)
    assert recorded.broken(at(60)) == []
    quiet = Recorder()
    quiet.change(Raised(suppressed="maintenance"), NIGHT)
    assert quiet.broken(at(60)) == []


def test_a_step_that_is_held_until_somebody_comes_may_start_again_at_any_time() -> None:
    holding = replace(POLICY.steps[0], if_nobody=IfNobody.HOLD, hold_for=10 * MINUTE)
    policy = replace(POLICY, steps=(holding, *POLICY.steps[1:]))
    night = Recorder(plan=plan(policy, {OnDuty("manager"): (ADA,)}))
    night.change(Raised(), NIGHT)
    history = night.history()
    assert [line.kind for line in history.lines] == ["raised", "nobody"]
    started = Line(
        at=at(4), kind="step", data={"step": 1, "round": 1, "people": [], "unreachable": ["Mara"]}
    )
    came = replace(DUTIES[0], since=at(3))
    history = replace(history, lines=(*history.lines, started), duties=(came,))
    assert told(replace(history, alert=replace(history.alert, next_step_at=at(6))), at(5)) == []
    assert "step 2 of round 1 has not come" in told(history, at(7))


# (b) who


def test_somebody_on_duty_who_was_left_out_is_named() -> None:
    jonas = replace(DUTIES[0], name="Jonas")
    history = replace(good(), duties=(*DUTIES, jonas))
    assert told(history) == ["step 1 of round 1 left out Jonas: on duty then"]
    inactive = replace(jonas, active=False)  # deactivated since: perhaps before
    assert told(replace(good(), duties=(*DUTIES, inactive))) == []


def test_somebody_who_was_paged_and_not_on_duty_is_named() -> None:
    earlier = replace(DUTIES[0], until=NIGHT - MINUTE)
    history = replace(good(), duties=(earlier, DUTIES[1]))
    assert told(history) == ["step 1 of round 1 named Mara: not on duty then"]


def test_nobody_was_found_though_somebody_was_on_duty() -> None:
    night = Recorder(plan=plan(duty={OnDuty("manager"): (ADA,)}))
    night.change(Raised(), NIGHT)
    history = replace(night.history(), duties=DUTIES[1:])
    assert told(history, at(0.1)) == []
    history = replace(history, duties=DUTIES)
    assert told(history, at(0.1)) == ["step 1 of round 1 found nobody, and Mara was on duty"]


# (c) pages


def test_a_person_without_a_page_is_named() -> None:
    history = good()
    assert told(with_row(history, row_of(history, "Ada"), lambda _: None)) == [
        "page to Ada is missing (step 2 of round 1)"
    ]


def test_a_page_that_was_never_sent_is_named() -> None:
    history = running()
    place = row_of(history, "Ada")

    def unsent(row: Promised) -> Promised:
        return replace(row, state=State.PLANNED, next_try_at=row.due_at, ledger=())

    history = with_row(history, place, unsent)
    assert told(history, at(2.6)) == ["page to Ada/phone was never sent"]
    assert told(history, at(2.1)) == []  # under way


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"ledger": (Noted(at=at(2), state="leased"),), "state": State.LEASED},
            "was not settled within 30 s of being taken on",
        ),
        (
            {
                "ledger": (Noted(at=at(2), state="leased"), Noted(at=at(2), state="retry")),
                "state": State.PLANNED,
            },
            "waits, and will not be tried again",
        ),
        (
            {
                "ledger": (Noted(at=at(2), state="leased"), Noted(at=at(2), state="retry")),
                "state": State.PLANNED,
                "next_try_at": at(3),
            },
            "was not tried again, 1 min after it was due",
        ),
        ({"ledger": ()}, "is said to be sent, and the ledger does not know of it"),
        (
            {"state": State.FAILED},
            "is said to be failed, and the ledger does not know of it",
        ),
        (
            {"state": State.BUNDLED},
            "is said to be part of another message, and of none that is known",
        ),
    ],
)
def test_a_page_that_was_not_settled_is_named(change: Mapping[str, object], said: str) -> None:
    history = good()
    changed = with_row(history, row_of(history, "Ada"), lambda row: _with(row, change))
    assert told(changed) == [f"page to Ada/phone {said}"]


def _with(row: Promised, change: Mapping[str, object]) -> Promised:
    return replace(row, **change)  # type: ignore[arg-type]  # names of fields


def test_a_page_that_waits_for_its_next_try_is_no_broken_promise() -> None:
    history = running()
    waiting = {
        "ledger": (Noted(at=at(2), state="leased"), Noted(at=at(2), state="retry")),
        "state": State.PLANNED,
        "next_try_at": at(5),
    }
    assert (
        told(with_row(history, row_of(history, "Ada"), lambda row: _with(row, waiting)), at(2.6))
        == []
    )


def test_a_page_that_was_taken_back_for_nothing_is_named() -> None:
    history = running()
    taken = {"state": State.CANCELLED, "ledger": (), "next_try_at": None, "detail": "withdrawn"}
    changed = with_row(history, row_of(history, "Ada"), lambda row: _with(row, taken))
    assert told(changed, at(2.6)) == [
        "page to Ada/phone was taken back, and nothing happened that would do so"
    ]


@pytest.mark.parametrize(("later", "broken"), [(0, False), (10, False), (60, True)])
def test_a_repetition_planned_in_the_moment_of_its_taking_back_is_no_broken_promise(
    later: float, broken: bool
) -> None:
    """Whoever took it back may have begun before, and waited for whoever planned it."""
    night = Recorder()
    night.change(Raised(), NIGHT)
    night.until(at(18))
    history = replace(night.history(), duties=DUTIES)
    assert broken_promises(history, at(18), LEASE) == ()
    again = next(line.at for line in history.lines if line.data.get("round") == 2)
    rows = [
        replace(row, planned_at=again + timedelta(seconds=later))
        if row.attempt > 1 and row.state is State.CANCELLED and row.planned_at < again <= row.due_at
        else row
        for row in history.notifications
    ]
    assert rows != list(history.notifications)
    found = broken_promises(replace(history, notifications=tuple(rows)), at(18), LEASE)
    assert any("was taken back" in one.how for one in found) is broken


def test_a_page_that_was_cancelled_for_a_reason_that_is_not_true_is_named() -> None:
    history = running()
    lines = (
        Noted(at=at(2), state="leased"),
        Noted(at=at(2), state="cancelled", detail="acknowledged meanwhile"),
    )
    taken = {"state": State.CANCELLED, "ledger": lines}
    changed = with_row(history, row_of(history, "Ada"), lambda row: _with(row, taken))
    said = "was cancelled for a reason that does not hold: acknowledged meanwhile"
    assert told(changed, at(2.6)) == [f"page to Ada/phone {said}"]


def test_a_page_that_was_late_is_told_and_not_broken() -> None:
    history = good()
    late = (Noted(at=at(3.05), state="leased"), Noted(at=at(3.05), state="sent"))
    changed = with_row(history, row_of(history, "Ada"), lambda row: replace(row, ledger=late))
    (found,) = broken_promises(changed, at(30), LEASE)
    assert (found.how, found.grade) == ("was first tried 1 min 3 s late", Grade.LATE)


# (d) after the end


@pytest.mark.parametrize(("seconds", "count"), [(29, 0), (31, 1)])
def test_an_escalation_after_an_acknowledgement_is_named(seconds: int, count: int) -> None:
    history = good()
    when = at(3.1) + seconds * SECOND
    lines = (Noted(at=when, state="leased"), Noted(at=when, state="sent"))
    changed = with_row(history, row_of(history, "Ada"), lambda row: replace(row, ledger=lines))
    said = "page to Ada/phone went out 31 s after its escalation had ended"
    assert [line for line in told(changed) if "went out" in line] == [said] * count


# (e) duplicates


@pytest.mark.parametrize("marked", [False, True])
def test_a_page_that_was_sent_twice_without_the_mark_is_named(*, marked: bool) -> None:
    history = good()
    again = Noted(at=at(2.1), state="sent", possible_duplicate=marked)
    changed = with_row(
        history, row_of(history, "Ada"), lambda row: replace(row, ledger=(*row.ledger, again))
    )
    said = "page to Ada/phone was sent 2 times, and is not marked as a possible duplicate"
    assert told(changed) == ([] if marked else [said])


@pytest.mark.parametrize("marked", [False, True])
def test_a_page_that_was_taken_on_twice_without_the_mark_is_named(*, marked: bool) -> None:
    history = good()
    lines = (
        Noted(at=at(2), state="leased"),
        Noted(at=at(2.5), state="leased", possible_duplicate=marked),
        Noted(at=at(2.5), state="sent", possible_duplicate=marked),
    )
    changed = with_row(history, row_of(history, "Ada"), lambda row: replace(row, ledger=lines))
    said = "page to Ada/phone was taken on again while it may have been sent, and is not marked"
    assert told(changed) == ([] if marked else [said])


# (f) repeats


def test_a_page_that_was_not_repeated_is_named() -> None:
    history = running()
    last = max(row.attempt for row in history.notifications if row.name == "Mara")
    kept = tuple(row for row in history.notifications if row.name != "Mara" or row.attempt < last)
    assert (
        told(replace(history, notifications=kept), at(4.5)).count(
            f"page to Mara/phone (attempt {last - 1}) was not repeated"
        )
        == 1
    )


def test_a_repetition_that_is_missing_among_others_is_named() -> None:
    history = running()
    kept = tuple(row for row in history.notifications if row.attempt != 3)
    assert told(replace(history, notifications=kept), at(2.6)) == [
        "page to Mara/phone (attempt 4) follows attempt 3, and that is missing"
    ]


def test_whoever_left_duty_is_not_repeated() -> None:
    history = running()
    kept = tuple(row for row in history.notifications if row.attempt < 5)
    gone = Line(at=at(1.6), kind="left_duty", data={"people": ["Mara"]})
    history = replace(history, notifications=kept)
    assert "was not repeated" in " ".join(told(history, at(2.9)))
    history = replace(history, lines=(*history.lines[:2], gone, *history.lines[2:]))
    assert "was not repeated" not in " ".join(told(history, at(2.9)))


# Whatever happens


@pytest.mark.parametrize(
    "script",
    [
        [(1, Acknowledged(by(MARA))), (5, Unacknowledged(by(MARA)))],
        [(1, EscalatedByHand(by(JONAS))), (9, EscalatedByHand(by(JONAS), restart=True))],
        [(1, Suppressed("maintenance")), (5, EscalatedByHand(by(JONAS)))],
    ],
)
def test_what_people_do_at_night_breaks_no_promise(script: Sequence[tuple[float, object]]) -> None:
    night = Recorder()
    night.change(Raised(), NIGHT)
    for minutes, change in script:
        night.change(change, at(minutes))  # type: ignore[arg-type]  # changes all
    night.until(at(60))
    assert night.broken(at(60)) == []


@given(stories())
@settings(max_examples=100)
def test_no_story_breaks_a_promise_that_the_core_kept(story: Story) -> None:
    night = Recorder(story.seed, _real(story.plan))
    night.change(story.raised, NIGHT)
    now = NIGHT
    for move in story.moves:
        now += min(move.delay, 20 * MINUTE) + TICK  # no two changes of an alert are one moment
        night.until(now)
        night.plan = _real(move.plan)
        night.change(DutyChanged(), now)
        if move.change is not None:
            now += TICK
            night.change(move.change, now)
    night.until(now + SECOND)
    assert night.broken(now + SECOND) == []


def _real(found: EscalationPlan) -> EscalationPlan:
    """Unsupported targets mean nobody, and nobody is asked again every second."""
    people: dict[Target, tuple[Person, ...]] = {
        target: tuple(map(_slow, people))
        for target, people in found.people.items()
        if not isinstance(target, Unsupported)
    }
    return replace(
        found,
        people=people,
        everyone=tuple(map(_slow, found.everyone)),
        admins=tuple(map(_slow, found.admins)),
    )


def _slow(person: Person) -> Person:
    rules = {
        urgency: tuple(
            replace(rule, repeat_every=None if rule.repeat_every is None else 7 * MINUTE)
            for rule in rules
        )
        for urgency, rules in person.rules.items()
    }
    return replace(person, rules=rules)
