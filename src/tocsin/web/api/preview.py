"""Calls that tell who would be paged: for an alert that might come, and for one that is open."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, WithJsonSchema
from pydantic.fields import FieldInfo

from tocsin.actions.foresee import (
    Ending,
    Foreseen,
    Kind,
    Line,
    NoSuchCategory,
    Question,
    foresee,
    foresee_alert,
)
from tocsin.actions.shown import instant
from tocsin.core.kinds import Mode, Severity, Urgency
from tocsin.core.notation import duration_text
from tocsin.web.api import finding
from tocsin.web.api.alerts import loaded
from tocsin.web.api.asking import Foresee, ReadAlerts
from tocsin.web.api.bodies import Moment, Name, Strict
from tocsin.web.problems import Problem, not_found

router = APIRouter(tags=["preview"])


def _said(words: str) -> FieldInfo:
    made: FieldInfo = Field(description=words)
    return made


Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class PreviewQuery(Strict):
    """An alert that might come. `failing` names channels or contact methods that take nothing."""

    team: Name
    at: Moment | None = None
    severity: Severity = Severity.HIGH
    category: Name | None = None
    title: Name = "An alert"
    failing: list[Name] = Field(default_factory=list[Name], max_length=50)


class ForeseenLine(BaseModel):
    """One thing that would happen; what does not concern it is null."""

    at: Instant
    kind: Kind
    round: int | None
    step: int | None
    people: Annotated[list[str], _said("Of a step, or of a change of duty.")]
    unreachable: Annotated[list[str], _said("Those of them without a usable contact method.")]
    person: Annotated[str | None, _said("Whom a message goes to; null for a webhook.")]
    contact_method: Annotated[str | None, _said("Its name, or that of an outgoing webhook.")]
    channel: str | None
    urgency: Urgency | None
    attempt: Annotated[int | None, _said("1, then 2 for the first repetition.")]
    repeat_every: Annotated[str | None, _said("A duration such as `30s`.")]
    until: Annotated[Instant | None, _said("The end of a step's wait, of quiet hours, and so on.")]
    reason: str | None


class StillRepeating(BaseModel):
    """A message that goes on after the last line, until somebody answers."""

    person: str
    contact_method: str
    channel: str
    every: str


class PreviewAnswer(BaseModel):
    """What would happen while nobody answers, line by line."""

    team: str
    time_zone: str
    at: Instant
    severity: Severity
    category: str | None
    urgency: Urgency
    mode: Mode
    acknowledgements_required: int
    policy: str | None
    suppressed: str | None
    items: list[ForeseenLine]
    ends: Annotated[Ending, _said("Why `items` end: all is over, or enough hours or lines.")]
    until: Annotated[Instant, _said("The moment up to which `items` tell everything.")]
    repeating: list[StillRepeating]
    warnings: list[str]
    next: str | None = None


@router.get("/preview", summary="Who would be paged, minute by minute")
async def preview(asking: Foresee, wanted: Annotated[PreviewQuery, Query()]) -> PreviewAnswer:
    """For an alert raised at `at`, else now, that nobody answers; nothing is written.

    By the same rules as the real escalation, with the shifts that are worked out and everything
    else as it is configured now. Looks 24 hours ahead, at most 2000 lines.
    """
    async with asking.world.database.transaction() as connection:
        team = await finding.team(connection, asking, wanted.team)
    question = Question(
        team=team.id,
        at=wanted.at or asking.world.clock.now(),
        severity=wanted.severity,
        category=wanted.category,
        title=wanted.title,
        failing=frozenset(wanted.failing),
    )
    try:
        return _shown(await foresee(asking.world, question))
    except NoSuchCategory as fault:
        raise Problem(422, f"{fault}.", "Use one of its categories, or leave it out.") from None
    except OverflowError:
        raise Problem(
            422, "`at` is too near the end of the calendar.", "Ask for an earlier time."
        ) from None


@router.get("/alerts/{alert_id}/preview", summary="Who will be paged if nobody answers")
async def preview_alert(asking: ReadAlerts, alert_id: str) -> PreviewAnswer:
    """The same for an alert that there is, from now on."""
    async with asking.world.database.transaction() as connection:
        alert = await loaded(connection, asking, alert_id)
    found = await foresee_alert(asking.world, alert.team, alert.id)
    if found is None:
        raise not_found("alert", alert_id)
    return _shown(found)


def _shown(found: Foreseen) -> PreviewAnswer:
    alert = found.alert
    return PreviewAnswer(
        team=found.team,
        time_zone=found.time_zone,
        at=_instant(found.at),
        severity=alert.severity,
        category=alert.category,
        urgency=alert.urgency,
        mode=alert.mode,
        acknowledgements_required=alert.acknowledgements_required,
        policy=alert.policy_name,
        suppressed=alert.suppressed,
        items=[_line(line) for line in found.lines],
        ends=found.ending,
        until=_instant(found.until),
        repeating=[
            StillRepeating(
                person=one.person,
                contact_method=one.contact_method,
                channel=one.channel,
                every=duration_text(one.every),
            )
            for one in found.repeating
        ],
        warnings=list(found.warnings),
    )


def _line(line: Line) -> ForeseenLine:
    return ForeseenLine(
        at=_instant(line.at),
        kind=line.kind,
        round=line.round,
        step=line.step,
        people=list(line.people),
        unreachable=list(line.unreachable),
        person=line.person,
        contact_method=line.contact_method,
        channel=line.channel,
        urgency=line.urgency,
        attempt=line.attempt,
        repeat_every=None if line.repeat_every is None else duration_text(line.repeat_every),
        until=instant(line.until),
        reason=line.reason,
    )


def _instant(at: datetime) -> str:
    return instant(at) or ""
