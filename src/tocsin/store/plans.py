"""Copies of policies that running escalations follow, each kept once under its digest."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, assert_never

import msgspec

from tocsin.core.escalation import (
    IfNobody,
    OnDuty,
    OneUser,
    Policy,
    Step,
    Target,
    Unsupported,
    Webhook,
    WholeTeam,
)
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
) -> dict[tuple[int, str], Policy]:
    """The copies with these (team, digest)."""
    pairs = list(wanted)
    found = await rows(
        connection,
        "SELECT p.team_id, p.digest, p.body FROM plan p"
        " JOIN unnest($1::int[], $2::text[]) AS w(team_id, digest) USING (team_id, digest)",
        [team for team, _ in pairs],
        [name for _, name in pairs],
    )
    return {(row["team_id"], row["digest"]): _policy(row["body"]) for row in found}


def _text(policy: Policy) -> str:
    body = {
        "repeat": policy.repeat,
        "acknowledge_timeout": _seconds(policy.acknowledge_timeout),
        "steps": [
            {
                "notify": [_target(target) for target in step.notify],
                "wait": _seconds(step.wait),
                "if_nobody": step.if_nobody.value,
            }
            for step in policy.steps
        ],
    }
    return msgspec.json.encode(body, order="sorted").decode()


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _target(target: Target) -> dict[str, object]:
    match target:
        case OnDuty(tier):
            return {"duty": tier}
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


def _policy(text: str) -> Policy:
    body: dict[str, Any] = msgspec.json.decode(text)
    timeout = body["acknowledge_timeout"]
    return Policy(
        steps=tuple(
            Step(
                notify=tuple(_target_of(target) for target in step["notify"]),
                wait=timedelta(seconds=step["wait"]),
                if_nobody=IfNobody(step["if_nobody"]),
            )
            for step in body["steps"]
        ),
        repeat=body["repeat"],
        acknowledge_timeout=None if timeout is None else timedelta(seconds=timeout),
    )


def _target_of(target: Mapping[str, Any]) -> Target:
    if "duty" in target:
        return OnDuty(target["duty"])
    if "user" in target:
        return OneUser(target["user"])
    if "team" in target:
        return WholeTeam(target["team"])
    if "webhook" in target:
        return Webhook(target["webhook"])
    return Unsupported(target["unsupported"])
