"""Whole random stories of an alert: what holds in all of them."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.core.alert_stories import Scene, Story, play, stories
from tests.core.stories import MINUTE, NIGHT, SECOND
from tocsin.core.alert import Alert, Changed, apply, due_change
from tocsin.core.changes import Acknowledged, Change, Reassigned, Snoozed, TakenOver
from tocsin.core.effects import Entry, EntryKind, Notify, Publish, Purpose, Sync, Wake, Withdraw
from tocsin.core.escalation import IfNobody
from tocsin.core.kinds import Mode, Status, Urgency, Via
from tocsin.core.notification import Promise, still_wanted

PAGES = {Purpose.ESCALATION, Purpose.RESPONDER}


def changed(scenes: list[Scene]) -> list[tuple[Scene, Changed]]:
    """The scenes in which something changed."""
    return [(scene, scene.outcome) for scene in scenes if isinstance(scene.outcome, Changed)]


@given(stories())
def test_an_open_alert_has_a_timer_or_a_visible_reason_why_not(story: Story) -> None:
    told = False
    for scene, outcome in changed(play(story)):
        alert = outcome.alert
        told = told and alert.episode == scene.before.episode
        told = told or any(
            isinstance(e, Entry) and e.kind is EntryKind.NOBODY_ANSWERED for e in outcome.effects
        )
        if alert.status is Status.OPEN and alert.next_step_at is None:
            assert alert.suppressed or alert.urgency is Urgency.RECORD or (alert.exhausted and told)


@given(stories())
def test_an_acknowledged_or_closed_alert_escalates_to_nobody(story: Story) -> None:
    promised: list[Promise] = []
    for scene, outcome in changed(play(story)):
        alert = outcome.alert
        new = [e for e in outcome.effects if isinstance(e, Notify) and e.purpose in PAGES]
        promised += (
            Promise(
                user=page.user,
                method=page.method,
                purpose=page.purpose,
                episode=alert.episode,
                planned_at=scene.now,
            )
            for page in new
        )
        if alert.status is Status.OPEN:
            continue
        assert all(page.purpose is Purpose.RESPONDER for page in new)
        for promise in promised:
            asked = promise.purpose is Purpose.RESPONDER and promise.user in alert.responders
            assert asked or still_wanted(promise, alert, scene.now) is not None
        if alert.status is Status.CLOSED:
            assert not new
            assert not alert.responders


@given(stories())
def test_a_timer_that_fires_late_or_twice_changes_nothing(story: Story) -> None:
    fired: list[Change] = []
    for scene, outcome in changed(play(story)):
        alert, now = outcome.alert, scene.now
        timer = due_change(scene.before)
        if timer is not None and timer != due_change(alert):
            fired.append(timer)  # it fired, or the alert has left it
        for stale in fired:
            assert not isinstance(apply(alert, stale, scene.plan, now + MINUTE), Changed)


@given(stories())
def test_a_closed_alert_has_no_timer_and_no_snooze(story: Story) -> None:
    for _, outcome in changed(play(story)):
        if outcome.alert.status is Status.CLOSED:
            assert outcome.alert.next_step_at is None
            assert outcome.alert.snoozed_until is None
            assert due_change(outcome.alert) is None


@given(stories())
def test_time_and_episodes_only_go_forward(story: Story) -> None:
    alerts = [outcome.alert for _, outcome in changed(play(story))]
    for earlier, later in pairwise(alerts):
        assert later.updated_at >= earlier.updated_at
        assert later.episode >= earlier.episode
        if later.episode == earlier.episode and earlier.position and later.position:
            assert later.position >= earlier.position


@given(stories(modes=[Mode.SINGLE]))
def test_one_acknowledgement_makes_exactly_one_owner(story: Story) -> None:
    for scene, outcome in changed(play(story)):
        before, alert = scene.before, outcome.alert
        taken = isinstance(scene.change, (Acknowledged, TakenOver, Snoozed))
        if before.status is Status.OPEN and taken:
            assert alert.status is Status.ACKNOWLEDGED
            assert alert.owner == scene.by.user
            assert [answer.user for answer in alert.answers] == [scene.by.user]
        elif before.status is alert.status is Status.ACKNOWLEDGED:
            handed = isinstance(scene.change, (TakenOver, Reassigned))
            assert handed or alert.owner == before.owner


@given(stories())
def test_the_owner_is_one_of_those_who_answered_unless_reassigned(story: Story) -> None:
    reassigned = False
    for scene, outcome in changed(play(story)):
        alert = outcome.alert
        if isinstance(scene.change, Reassigned):
            reassigned = True
        elif isinstance(scene.change, TakenOver) or alert.status is Status.OPEN:
            reassigned = False
        if alert.status is Status.OPEN:
            assert alert.owner is None
        elif alert.owner is not None and not reassigned:
            assert alert.owner in {answer.user for answer in alert.answers}


@given(stories())
def test_everybody_who_is_paged_is_known_as_paged(story: Story) -> None:
    for _, outcome in changed(play(story)):
        known = {(paged.user, paged.method) for paged in outcome.alert.paged}
        for effect in outcome.effects:
            if isinstance(effect, Notify) and effect.purpose in PAGES:
                assert (effect.user, effect.method) in known


TO_OWNERS = {Purpose.UPDATE, Purpose.STILL_ON_IT}


@given(stories())
def test_news_goes_only_to_methods_that_were_paged_and_to_owners(story: Story) -> None:
    for scene, outcome in changed(play(story)):
        due = {(p.user, p.method) for p in scene.before.paged if p.due_at <= scene.now}
        owners = {scene.before.owner, outcome.alert.owner}
        for effect in outcome.effects:
            if isinstance(effect, Notify) and effect.purpose not in PAGES:
                assert effect.due_at == scene.now
                assert effect.repeat_every is None
                own = effect.purpose in TO_OWNERS and effect.user in owners
                own = own or effect.purpose is Purpose.OFFERED  # to whoever comes, never paged yet
                assert own or (effect.user, effect.method) in due


@given(stories())
def test_pages_are_taken_back_before_new_ones_are_promised(story: Story) -> None:
    for _, outcome in changed(play(story)):
        promised: set[int] = set()
        for effect in outcome.effects:
            if isinstance(effect, Notify) and effect.purpose in PAGES:
                promised.add(effect.user)
            elif isinstance(effect, Withdraw):
                assert not promised & set(effect.users if effect.users is not None else promised)


@given(stories())
def test_no_message_is_about_something_to_record_only(story: Story) -> None:
    for _, outcome in changed(play(story)):
        for effect in outcome.effects:
            assert not isinstance(effect, Notify) or effect.urgency is not Urgency.RECORD


@given(stories())
def test_the_last_wake_is_the_timer(story: Story) -> None:
    for scene, outcome in changed(play(story)):
        wakes = [effect.at for effect in outcome.effects if isinstance(effect, Wake)]
        expected = wakes[-1] if wakes else scene.before.next_step_at
        assert outcome.alert.next_step_at == expected


@given(stories())
def test_a_source_is_not_told_what_it_said_itself(story: Story) -> None:
    for scene, outcome in changed(play(story)):
        told = [effect for effect in outcome.effects if isinstance(effect, Sync)]
        if scene.by.via is Via.SOURCE or scene.before.connector is None:
            assert told == []
        assert len(told) <= 1


@given(stories())
def test_subscribers_hear_only_what_the_timeline_says(story: Story) -> None:
    for _, outcome in changed(play(story)):
        lines = {(e.kind, e.by) for e in outcome.effects if isinstance(e, Entry)}
        heard = {(e.kind, e.by) for e in outcome.effects if isinstance(e, Publish)}
        assert heard <= lines


@given(stories())
def test_an_escalation_ends_when_nothing_but_its_timers_happens(story: Story) -> None:
    scenes = play(story)
    alert, now = _last(scenes), scenes[-1].now
    once_open = int(alert.status is not Status.OPEN)
    for _ in range(once_open + len(story.policy.steps) * (story.policy.repeat + 1) + 1):
        change = due_change(alert)
        if change is None:
            break
        now = max(now, change.due or now)
        outcome = apply(alert, change, scenes[-1].plan, now)
        assert isinstance(outcome, Changed)
        alert = outcome.alert
    assert due_change(alert) is None


@given(stories(urgencies=[Urgency.URGENT, Urgency.NORMAL]), st.booleans())
def test_every_round_pages_every_step_in_order(story: Story, once: bool) -> None:
    steps = tuple(replace(step, if_nobody=IfNobody.CONTINUE) for step in story.policy.steps)
    policy = replace(story.policy, steps=steps, repeat=0 if once else story.policy.repeat)
    plan = replace(story.plan, policy=policy)
    outcome = apply(story.seed, story.raised, plan, NIGHT)
    seen: list[tuple[object, object]] = []
    now = NIGHT
    while isinstance(outcome, Changed):
        seen += (
            (effect.data["round"], effect.data["step"])
            for effect in outcome.effects
            if isinstance(effect, Entry) and effect.kind is EntryKind.STEP
        )
        change = due_change(outcome.alert)
        if change is None:
            break
        now = max(now, change.due or now) + SECOND
        outcome = apply(outcome.alert, change, plan, now)
    rounds = range(1, policy.repeat + 2)
    assert seen == [(round_, step + 1) for round_ in rounds for step in range(len(steps))]


def _last(scenes: list[Scene]) -> Alert:
    for _, outcome in reversed(changed(scenes)):
        return outcome.alert
    return scenes[-1].before
