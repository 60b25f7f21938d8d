"""Whether the steps of an escalation followed its policy, each at its time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.core.escalation import FIRST, IfNobody, Policy, Position, following
from tocsin.core.kinds import Status, Urgency
from tocsin.core.verifying.episodes import Episode
from tocsin.core.verifying.history import (
    GRACE,
    LATE,
    STEPPING,
    Broken,
    Grade,
    History,
    Line,
    length,
    step_words,
)

_LAST = "nobody_answered"
_LAST_WORDS = "the word that nobody answered"
_AT_ONCE = frozenset({"escalated", "came_on_duty", "left_duty"})
"""Changes that may move an alert to a step before or after its time."""


@dataclass(frozen=True, slots=True)
class _Next:
    """The step that is due next, None for "nobody answered"; `waits_at` is where it waits."""

    position: Position | None
    at: datetime
    waits_at: Position | None = None

    @property
    def what(self) -> str:
        return _LAST_WORDS if self.position is None else step_words(self.position)


def followed(episodes: Sequence[Episode]) -> tuple[Episode, ...]:
    """Those for which the policy that the alert follows now was copied already.

    A reopened or restarted alert may follow another copy than before.
    """
    copied = [n for n, one in enumerate(episodes) if one.lines[0].kind in {"reopened", "escalated"}]
    return tuple(episodes[copied[-1] :] if copied else episodes)


def check_steps(history: History, episodes: Sequence[Episode], now: datetime) -> Iterator[Broken]:
    """What is missing, early, late or out of order; that an alert has no timer, or an old one."""
    found: list[Broken] = []
    if history.policy is not None:
        for one in followed(episodes):
            found.extend(_of_episode(history, history.policy, one, now))
    yield from found
    if not any(one.grade is Grade.BROKEN for one in found):
        yield from _timer(history, now)


def _timer(history: History, now: datetime) -> Iterator[Broken]:
    alert = history.alert
    if alert.status is Status.CLOSED:
        return
    if alert.next_step_at is not None:
        if alert.next_step_at <= now - GRACE:
            yield Broken(due=alert.next_step_at, what="the alert's timer", how="was not acted on")
    elif (
        alert.status is Status.OPEN
        and alert.suppressed is None
        and alert.urgency is not Urgency.RECORD
        and not alert.exhausted
    ):
        how = "is missing: nobody will be paged any more"
        yield Broken(due=alert.updated_at, what="the alert's timer", how=how)


def _of_episode(
    history: History, policy: Policy, episode: Episode, now: datetime
) -> Iterator[Broken]:
    due: _Next | None = _first(policy, episode)
    moved_at: datetime | None = None
    empty = 0  # steps in a row that nobody was found for
    for index, line in enumerate(episode.lines[1:], start=1):
        over = episode.ended is not None and index > episode.ended
        if line.kind in _AT_ONCE:
            moved_at = line.at
        elif line.kind in STEPPING or line.kind == _LAST:
            if line.kind == _LAST and due is not None and empty >= len(policy.steps):
                due = _Next(None, due.at)  # a whole round had nobody: another would not either
            if over and episode.sure:
                yield _after_the_end(line)
            elif not over:
                yield from _judged(policy, due, line, free=moved_at == line.at)
            due = _then(policy, line)
            empty = empty + 1 if due is not None and due.waits_at is None else 0
    if due is not None and not _only_recorded(history, episode):
        yield from _missing(due, episode, now)


def _first(policy: Policy, episode: Episode) -> _Next:
    begun = episode.lines[0]
    position = FIRST if policy.steps else None
    if begun.kind == "escalated":  # from where it stood, or from the first step
        said = (line.position for line in episode.lines if line.kind in STEPPING)
        position = next(said, position)
    return _Next(position, begun.at)


def _then(policy: Policy, line: Line) -> _Next | None:
    """What is due after this line; None after the last one, and where the policy is another."""
    at = line.position
    if line.kind == _LAST or not (0 <= at.step < len(policy.steps) and at.round >= 0):
        return None
    step = policy.steps[at.step]
    after = following(at, policy)
    if line.kind == "step":
        return _Next(after, line.at + step.wait, at)
    if line.kind == "passed_over" or step.if_nobody is IfNobody.SKIP:
        return _Next(after, line.at)
    wait = step.hold_for if step.if_nobody is IfNobody.HOLD else step.wait
    return _Next(after, line.at + wait, at)


def _judged(policy: Policy, due: _Next | None, line: Line, *, free: bool) -> Iterator[Broken]:
    """`free`: a change at the same moment may have moved the alert before its time."""
    position = None if line.kind == _LAST else line.position
    what = _LAST_WORDS if position is None else step_words(position)
    if _same_step(policy, due, position, line.at):
        return
    if due is None:
        if not free:  # by hand it goes on from the last step that had somebody
            yield _after_the_end(line)
        return
    if position != due.position:
        yield Broken(due=due.at, what=due.what, how=f"did not start; in its place came {what}")
        return
    late = line.at - due.at
    if free or timedelta(0) <= late <= GRACE:
        return
    if late < timedelta(0):
        yield Broken(due=due.at, what=what, how=f"started {length(-late)} before its time")
        return
    broken = late > LATE and not line.data.get("outage")
    grade = Grade.BROKEN if broken else Grade.LATE
    yield Broken(due=due.at, what=what, how=f"started {length(late)} late", grade=grade)


def _same_step(policy: Policy, due: _Next | None, position: Position | None, at: datetime) -> bool:
    """The step where it waits is named once more, without a fault.

    Held: somebody came on duty, or the last one left, perhaps when nobody answered was said
    already. Going on without anybody: it begins in the moment in which nobody was found.
    """
    if position is None or (due is not None and position != due.waits_at):
        return False
    step = policy.step(position)
    if step is None or step.if_nobody is IfNobody.SKIP:
        return False
    began = due is not None and due.at == at + step.wait
    return began or step.if_nobody is IfNobody.HOLD


def _after_the_end(line: Line) -> Broken:
    what = _LAST_WORDS if line.kind == _LAST else step_words(line.position)
    return Broken(due=line.at, what=what, how="came after the end of the escalation")


def _missing(due: _Next, episode: Episode, now: datetime) -> Iterator[Broken]:
    over = episode.over_at
    if over is not None and not episode.sure:  # it may have ended before
        return
    if over is None and due.at <= now - GRACE:
        yield Broken(due=due.at, what=due.what, how="has not come")
    elif over is not None and over - due.at > LATE:
        how = f"had not come when the escalation ended {length(over - due.at)} later"
        yield Broken(due=due.at, what=due.what, how=how)


def _only_recorded(history: History, episode: Episode) -> bool:
    """Nothing was said of any step, and it may have been for the record only."""
    if any(line.kind in STEPPING or line.kind == _LAST for line in episode.lines):
        return False
    louder = {"severity_raised", "escalated"}
    return history.alert.urgency is Urgency.RECORD or any(
        line.kind in louder and line.at >= episode.begun_at for line in history.lines
    )
