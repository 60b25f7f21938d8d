"""Copies of policies that running escalations follow, each kept once under its digest."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import time, timedelta
from typing import Any, assert_never

import msgspec

from tocsin.core.escalation import (
    HOLD_FOR,
    Condition,
    IfNobody,
    OnDuty,
    OneUser,
    Pick,
    Policy,
    Step,
    Target,
    Unsupported,
    Webhook,
    WholeTeam,
)
from tocsin.core.kinds import Mode, Severity
from tocsin.core.schedule import Day
from tocsin.store.db import Connection, rows, run


def digest(policy: Policy) -> str:
    """The name of a copy: equal policies have equal digests."""
    return hashlib.sha256(_text(policy).encode()).hexdigest()[:32]


async def keep(connection: Connection, team: int, policies: Iterable[Policy]) -> None:
    """Store copies that are not there yet."""
    kept = list(policies)
    await run(
        connection,
        "INSERT INTO plan (team_id, digest, body)"
        " SELECT $1, p.digest, p.body::jsonb FROM unnest($2::text[], $3::text[]) AS p(digest, body)"
        " ON CONFLICT DO NOTHING",
        team,
        [digest(policy) for policy in kept],
        [_text(policy) for policy in kept],
    )


async def load(
    connection: Connection, wanted: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], Policy | None]:
    """The copies with these (team, digest); None for one that this version cannot read."""
    pairs = list(wanted)
    found = await rows(
        connection,
        "SELECT p.team_id, p.digest, p.body FROM plan p"
        " JOIN unnest($1::int[], $2::text[]) AS w(team_id, digest) USING (team_id, digest)",
        [team for team, _ in pairs],
        [name for _, name in pairs],
    )
    return {(row["team_id"], row["digest"]): _readable(row["body"]) for row in found}


def _text(policy: Policy) -> str:
    """The copy as it is kept; what is not given is left out."""
    body: dict[str, object] = {
        "repeat": policy.repeat,
        "acknowledge_timeout": _seconds(policy.acknowledge_timeout),
        "steps": [_step(step) for step in policy.steps],
    }
    if policy.close_after is not None:
        body["close_after"] = _seconds(policy.close_after)
    if policy.mode is not None:
        body["mode"] = policy.mode.value
    if policy.acknowledgements is not None:
        body["acknowledgements"] = policy.acknowledgements
    return msgspec.json.encode(body, order="sorted").decode()


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _step(step: Step) -> dict[str, object]:
    body: dict[str, object] = {
        "notify": [_target(target) for target in step.notify],
        "wait": _seconds(step.wait),
        "if_nobody": step.if_nobody.value,
    }
    if step.if_nobody is IfNobody.HOLD:
        body["hold_for"] = _seconds(step.hold_for)
    if step.when:
        body["when"] = [_condition(one) for one in step.when]
    if step.pick is not Pick.ALL:
        body["pick"] = step.pick.value
    return body


def _condition(condition: Condition) -> dict[str, object]:
    return {
        "severities": list(condition.severities),
        "days": list(condition.days),
        "from": None if condition.from_ is None else condition.from_.isoformat(),
        "to": None if condition.to is None else condition.to.isoformat(),
        "responder_clock": condition.responder_clock,
        "holiday": condition.holiday,
        "older_than": _seconds(condition.older_than),
    }


def _target(target: Target) -> dict[str, object]:
    match target:
        case OnDuty(tier, None):
            return {"duty": tier}
        case OnDuty(tier, team):
            return {"duty": tier, "of": team}
        case OneUser(user):
            return {"user": user}
        case WholeTeam(team):
            return {"team": team}
        case Webhook(name):
            return {"webhook": name}
        case Unsupported(described):
            return {"unsupported": described}
        case _:
            assert_never(target)


def _readable(text: str) -> Policy | None:
    try:
        return _policy(text)
    except (KeyError, TypeError, ValueError):  # a newer version may have written it
        return None


def _policy(text: str) -> Policy:
    body: dict[str, Any] = msgspec.json.decode(text)
    return Policy(
        steps=tuple(_step_of(step) for step in body["steps"]),
        repeat=body["repeat"],
        acknowledge_timeout=_lasting(body["acknowledge_timeout"]),
        close_after=_lasting(body.get("close_after")),
        mode=None if body.get("mode") is None else Mode(body["mode"]),
        acknowledgements=body.get("acknowledgements"),
    )


def _lasting(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _step_of(body: Mapping[str, Any]) -> Step:
    return Step(
        notify=tuple(_target_of(target) for target in body["notify"]),
        wait=timedelta(seconds=body["wait"]),
        if_nobody=IfNobody(body["if_nobody"]),
        hold_for=_lasting(body.get("hold_for")) or HOLD_FOR,
        when=tuple(_condition_of(one) for one in body.get("when", ())),
        pick=Pick(body.get("pick", Pick.ALL)),
    )


def _condition_of(body: Mapping[str, Any]) -> Condition:
    return Condition(
        severities=tuple(Severity(one) for one in body["severities"]),
        days=tuple(Day(one) for one in body["days"]),
        from_=_time(body["from"]),
        to=_time(body["to"]),
        responder_clock=body["responder_clock"],
        holiday=body["holiday"],
        older_than=_lasting(body["older_than"]),
    )


def _time(text: str | None) -> time | None:
    return None if text is None else time.fromisoformat(text)


def _target_of(target: Mapping[str, Any]) -> Target:
    if "duty" in target:
        return OnDuty(target["duty"], target.get("of"))
    if "user" in target:
        return OneUser(target["user"])
    if "team" in target:
        return WholeTeam(target["team"])
    if "webhook" in target:
        return Webhook(target["webhook"])
    return Unsupported(target["unsupported"])
