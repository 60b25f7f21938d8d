"""Calls that answer alerts: acknowledge, close, escalate and the others, one or several at once."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from fastapi import APIRouter

from tocsin.actions import asked
from tocsin.actions.reply import AlertRef, Asked, change, change_many
from tocsin.core.alert import Refused
from tocsin.core.changes import (
    Acknowledged,
    Annotated,
    Closed,
    EscalatedByHand,
    Reopened,
    Snoozed,
    TakenOver,
    Unacknowledged,
)
from tocsin.core.kinds import Actor, Via
from tocsin.store import alerts
from tocsin.web.api import finding
from tocsin.web.api.alerts import Object, loaded, shown
from tocsin.web.api.asking import Asking, ChangeAlerts
from tocsin.web.api.bodies import Answer, Bulk
from tocsin.web.problems import Problem, not_found

router = APIRouter(tags=["alerts"])

_T = TypeVar("_T")


@router.post("/alerts/acknowledge", summary="Acknowledge several alerts")
async def acknowledge_many(asking: ChangeAlerts, body: Bulk) -> Object:
    """In one transaction; `refused` names those whose state forbids it."""
    if body.classification is not None:
        raise _not_used("acknowledge", "classification")
    return await _many(asking, body, Acknowledged(_actor(asking), body.comment))


@router.post("/alerts/close", summary="Close several alerts")
async def close_many(asking: ChangeAlerts, body: Bulk) -> Object:
    """In one transaction; `refused` names those whose state forbids it."""
    return await _many(asking, body, Closed(_actor(asking), body.comment, _verdict(body)))


Maker = Callable[[Asking, Answer], Awaitable[Asked]]


def _answer(verb: str, summary: str, uses: tuple[str, ...]) -> Callable[[Maker], Maker]:
    """Make a call of `POST /alerts/{id}/{verb}` out of what it asks for; `uses` are its fields."""

    def made(make: Maker) -> Maker:
        async def call(asking: ChangeAlerts, alert_id: str, body: Answer | None = None) -> Object:
            body = body or Answer()
            given = body.model_dump(exclude_none=True)
            for name in given:
                if name not in uses:
                    raise _not_used(verb, name)
            async with asking.world.database.transaction() as connection:
                alert = await loaded(connection, asking, alert_id)
            wanted = await make(asking, body)
            done = await change(asking.world, AlertRef(alert.team, alert.id), wanted)
            if done is None:
                raise not_found("alert", alert_id)
            if isinstance(done.outcome, Refused):
                raise _refused(done.outcome.reason, done.alert.status.value)
            async with asking.world.database.transaction() as connection:
                return (await shown(connection, [done.alert]))[0]

        router.add_api_route(
            f"/alerts/{{alert_id}}/{verb}",
            call,
            methods=["POST"],
            summary=summary,
            name=verb,
            description=f"Fields: {', '.join(f'`{name}`' for name in uses)}. "
            "Repeating what is already true is 200 and changes nothing.",
        )
        return make

    return made


@_answer("acknowledge", "Take it", ("comment",))
async def _acknowledge(asking: Asking, body: Answer) -> Asked:
    return Acknowledged(_actor(asking), body.comment)


@_answer("unacknowledge", "Give it back; people are paged again", ("comment",))
async def _unacknowledge(asking: Asking, body: Answer) -> Asked:
    return Unacknowledged(_actor(asking), body.comment)


@_answer("take-over", "Take it from its owner", ("comment",))
async def _take_over(asking: Asking, body: Answer) -> Asked:
    return TakenOver(_actor(asking), body.comment)


@_answer("close", "End it", ("comment", "classification"))
async def _close(asking: Asking, body: Answer) -> Asked:
    return Closed(_actor(asking), body.comment, _verdict(body))


@_answer("reopen", "It is not over", ("comment",))
async def _reopen(asking: Asking, body: Answer) -> Asked:
    return Reopened(_actor(asking), body.comment)


@_answer(
    "escalate",
    "The next step now; with `restart` the first one, by the policy of today",
    ("comment", "restart"),
)
async def _escalate(asking: Asking, body: Answer) -> Asked:
    return EscalatedByHand(_actor(asking), body.comment, restart=body.restart is True)


@_answer("annotate", "Write something down", ("comment",))
async def _annotate(asking: Asking, body: Answer) -> Asked:
    comment = _needed(body.comment, "comment", "annotate")
    if not comment.strip():
        raise Problem(422, "The comment is empty.", "Write what is to be remembered.")
    return Annotated(_actor(asking), comment)


@_answer("snooze", "Acknowledged by the caller until a time", ("comment", "until"))
async def _snooze(asking: Asking, body: Answer) -> Asked:
    until: datetime = _needed(body.until, "until", "snooze")
    return Snoozed(_actor(asking), until, body.comment)


@_answer(
    "reassign", "Give it to a person, or to those on duty in a team", ("comment", "user", "team")
)
async def _reassign(asking: Asking, body: Answer) -> Asked:
    whom = await _whom(asking, body, "reassign")
    return asked.reassigned(_actor(asking), whom, body.comment)


@_answer("add-responders", "Ask a person or a team for help", ("comment", "user", "team"))
async def _add_responders(asking: Asking, body: Answer) -> Asked:
    whom = await _whom(asking, body, "add-responders")
    return asked.responders_added(_actor(asking), whom, body.comment)


async def _whom(asking: Asking, body: Answer, verb: str) -> asked.Whom:
    if (body.user is None) == (body.team is None):
        raise Problem(422, f"`{verb}` needs either `user` or `team`.", "Name whom to page.")
    async with asking.world.database.transaction() as connection:
        if body.user is not None:
            user = await finding.user(connection, asking, body.user)
            return asked.Whom(user.name, user=user.row)
        team = await finding.team(connection, asking, body.team or "")
        return asked.Whom(team.name, team=team.id)


async def _many(asking: Asking, body: Bulk, wanted: Asked) -> Object:
    named = {given: AlertRef(*finding.alert(given)) for given in body.ids}
    refs = list(named.values())
    for given, ref in named.items():
        asking.in_team(ref.team, "alert", given)
    async with asking.world.database.transaction() as connection:
        known = await alerts.get_many(connection, [(ref.team, ref.id) for ref in refs])
    for given, ref in named.items():
        if ref.id not in known:
            raise not_found("alert", given)
    done = await change_many(asking.world, refs, wanted)
    async with asking.world.database.transaction() as connection:
        items = await shown(connection, [one.alert for one in done])
    refused = [
        {"id": item["id"], "status": item["status"], "detail": one.outcome.reason}
        for one, item in zip(done, items, strict=True)
        if isinstance(one.outcome, Refused)
    ]
    return {"items": items, "next": None, "refused": refused}


def _actor(asking: Asking) -> Actor:
    return Actor(asking.caller.name, asking.caller.user, Via.API)


def _verdict(body: Answer | Bulk) -> str | None:
    return None if body.classification is None else body.classification.value


def _needed(value: _T | None, name: str, verb: str) -> _T:
    if value is None:
        raise Problem(422, f"`{verb}` needs `{name}`.", f"Send `{name}`.")
    return value


def _not_used(verb: str, name: str) -> Problem:
    return Problem(422, f"`{verb}` does not use `{name}`.", "Leave it out.")


def _refused(reason: str, status: str) -> Problem:
    return Problem(
        409,
        f"The alert is {status}: {reason}.",
        "Read the alert to see how it stands; closed ones can be reopened.",
        more={"alert_status": status},
    )
