"""Whether the people of a step were those on duty, and whether each was promised a page."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from tocsin.core.escalation import OnDuty, Pick, Step, Unsupported, Webhook
from tocsin.core.kinds import Mode
from tocsin.core.notification import State
from tocsin.core.verifying.episodes import Episode
from tocsin.core.verifying.history import (
    GRACE,
    PAGING,
    Broken,
    Duty,
    History,
    Line,
    Promised,
    step_words,
)
from tocsin.core.verifying.steps import followed

_PROMISING = {"step": "people", "came_on_duty": "people", "nobody_answered": "told"}
"""Timeline kinds that name people to whom something was promised at that moment, and where."""


def check_whom(history: History, episodes: Sequence[Episode]) -> Iterator[Broken]:
    """People on duty who were left out, others who were paged, people without a page."""
    policy = history.policy
    if policy is not None and history.alert.mode is not Mode.EMERGENCY:  # that means everybody
        for episode in followed(episodes):
            for index, line in enumerate(episode.lines):
                if line.kind in {"step", "nobody"} and 0 <= line.position.step < len(policy.steps):
                    answered = _answered(episode.lines[:index])
                    yield from _duty(history, policy.steps[line.position.step], line, answered)
    for line in history.lines:
        yield from _promised(history, line)


def _answered(lines: Sequence[Line]) -> frozenset[str]:
    return frozenset(one.by_name for one in lines if one.kind in {"acknowledged", "snoozed"})


def _duty(history: History, step: Step, line: Line, answered: frozenset[str]) -> Iterator[Broken]:
    """Named by the line: all who were on duty for certain, and nobody who cannot have been."""
    team = history.alert.team
    own = [one for one in step.notify if isinstance(one, OnDuty) and one.team in {None, team}]
    tiers = {target.tier for target in own}
    if not tiers or step.pick is Pick.NEXT:
        return
    duties = [duty for duty in history.duties if duty.tier in tiers]
    certain = {duty.name for duty in duties if duty.active and _throughout(duty, line.at)}
    if step.pick is Pick.ROUND_ROBIN or any(one.responder_clock for one in step.when):
        certain = set[str]()  # some of them are enough
    what = step_words(line.position)
    if line.kind == "nobody":
        missed = certain - answered if line.data.get("reason") == "nobody on duty" else set[str]()
        if missed:
            yield Broken(due=line.at, what=what, how=f"found nobody, and {_and(missed)} on duty")
        return
    named = line.names("people", "unreachable")
    if missed := certain - answered - named:
        yield Broken(due=line.at, what=what, how=f"left out {_names(missed)}: on duty then")
    only_duty = all(one in own or isinstance(one, Webhook | Unsupported) for one in step.notify)
    strangers = named - {duty.name for duty in duties if _about(duty, line.at)}
    if only_duty and strangers:
        how = f"named {_names(strangers)}: not on duty then"
        yield Broken(due=line.at, what=what, how=how)


def _throughout(duty: Duty, at: datetime) -> bool:
    """On duty before and after that moment: a change just then may have come too late for it."""
    return duty.since <= at - GRACE and (duty.until is None or at + GRACE < duty.until)


def _about(duty: Duty, at: datetime) -> bool:
    """On duty at that moment or close to it."""
    return duty.since <= at + GRACE and (duty.until is None or at - GRACE < duty.until)


def _promised(history: History, line: Line) -> Iterator[Broken]:
    """Everybody whom the line names has a page of that moment."""
    news = line.data.get("told") is True  # of an acknowledged alert: to those who can be reached
    promising = line.kind in _PROMISING and not news
    people = line.names(_PROMISING[line.kind]) if promising else frozenset[str]()
    hooks = line.names("webhooks") if line.kind == "step" else frozenset[str]()
    if not people and not hooks:
        return
    rows = [row for row in history.notifications if _of(row, line)]
    unknown = any(row.name is None and row.webhook is None for row in rows)
    lost = people - {row.name for row in rows if row.name is not None}
    for name in sorted(() if unknown else lost):
        yield Broken(due=line.at, what=f"page to {name}", how=f"is missing ({_place(line)})")
    for hook in sorted(hooks - {row.webhook for row in rows}):
        what = f"call of the webhook {hook}"
        yield Broken(due=line.at, what=what, how=f"is missing ({_place(line)})")


def _of(row: Promised, line: Line) -> bool:
    """Promised by this line, or due already and not taken back when the line was written."""
    if row.planned_at == line.at:
        return row.purpose in PAGING
    standing = row.planned_at <= line.at <= row.due_at and row.state is not State.CANCELLED
    return standing and row.purpose in PAGING


def _place(line: Line) -> str:
    return step_words(line.position) if line.kind == "step" else line.kind.replace("_", " ")


def _names(names: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _and(names: set[str]) -> str:
    return f"{_names(names)} {'was' if len(names) == 1 else 'were'}"
