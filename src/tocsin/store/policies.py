"""Escalation policies as values: names become ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from tocsin.core.escalation import (
    IfNobody,
    OnDuty,
    OneUser,
    Policy,
    Step,
    Target,
    Unsupported,
    WholeTeam,
)
from tocsin.core.kinds import Mode
from tocsin.core.notation import duration, listing, mapping


@dataclass(frozen=True, slots=True)
class Names:
    """The ids of users and teams by name."""

    users: Mapping[str, int]
    teams: Mapping[str, int]


def policy_of(body: Mapping[str, object], names: Names) -> Policy:
    """A policy from its definition in the configuration.

    What this version cannot do is kept visible: a target it cannot page is `Unsupported`, and
    `if_nobody: hold` waits as `continue` does.
    """
    repeat, timeout = body.get("repeat"), body.get("acknowledge_timeout")
    mode, count = body.get("mode"), body.get("acknowledgements")
    return Policy(
        steps=tuple(_step(mapping(step), names) for step in listing(body.get("steps"))),
        repeat=repeat if isinstance(repeat, int) else 0,
        acknowledge_timeout=None if timeout is None else duration(str(timeout)),
        mode=None if mode is None else Mode(str(mode)),
        acknowledgements=count if isinstance(count, int) else None,
    )


def _step(body: Mapping[str, object], names: Names) -> Step:
    skip = str(body.get("if_nobody") or IfNobody.SKIP) == IfNobody.SKIP
    wait = body.get("wait")
    return Step(
        notify=tuple(_target(mapping(target), names) for target in listing(body.get("notify"))),
        wait=timedelta() if wait is None else duration(str(wait)),
        if_nobody=IfNobody.SKIP if skip else IfNobody.CONTINUE,
    )


def _target(body: Mapping[str, object], names: Names) -> Target:
    if (tier := body.get("duty")) is not None:
        return OnDuty(str(tier))
    if (user := body.get("user")) is not None:
        number = names.users.get(str(user))
        return Unsupported(f"user {user}") if number is None else OneUser(number)
    if (team := body.get("team")) is not None:
        number = names.teams.get(str(team))
        return Unsupported(f"team {team}") if number is None else WholeTeam(number)
    (kind, value), *_ = body.items()
    return Unsupported(f"{kind} {value}")
