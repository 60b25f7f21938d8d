"""Whom the targets of a copied policy mean at one moment."""

from datetime import datetime

from tocsin.core.escalation import (
    EscalationPlan,
    OnDuty,
    OneUser,
    Pick,
    Policy,
    Target,
    Unsupported,
    Webhook,
    WholeTeam,
)
from tocsin.core.rules import Person
from tocsin.store.db import Connection, rows
from tocsin.store.paging.context import TeamContext


def targets(policy: Policy) -> set[Target]:
    """Everything that the steps of a policy name."""
    return {target for step in policy.steps for target in step.notify}


def knows(context: TeamContext, target: Target) -> bool:
    """Whether a person or team was looked up; one that is gone never is."""
    match target:
        case OneUser(user):
            return user in context.people
        case WholeTeam(team) | OnDuty(_, int() as team):
            return team in context.teams
        case _:
            return True


def escalation_plan(context: TeamContext, policy: Policy) -> EscalationPlan:
    """A policy with whom its targets mean now, without turns and who comes next."""
    return EscalationPlan(
        policy=policy,
        people={target: _people(context, target) for target in targets(policy)},
        everyone=context.everyone,
        admins=context.admins,
        time_zone=context.time_zone,
        holidays=context.holidays,
    )


def _people(context: TeamContext, target: Target) -> tuple[Person, ...]:
    match target:
        case OnDuty(tier, team):
            return context.duty.get((context.id if team is None else team, tier), ())
        case OneUser(user):
            return (context.people[user],) if user in context.people else ()
        case WholeTeam(team):
            return context.teams.get(team, ())
        case Webhook() | Unsupported():
            return ()


def asks_who_is_next(policy: Policy) -> list[OnDuty]:
    """The duty targets that mean whoever comes on duty next."""
    return [
        target
        for step in policy.steps
        if step.pick is Pick.NEXT
        for target in step.notify
        if isinstance(target, OnDuty)
    ]


async def next_on_duty(
    connection: Connection, team: int, asked: list[OnDuty], now: datetime
) -> dict[OnDuty, tuple[int, ...]]:
    """For each target the users whose shift begins next, without those who are on duty now.

    `team` is the one that a target without a team means.
    """
    places = {one: (team if one.team is None else one.team, one.tier) for one in asked}
    found: dict[tuple[int, str], list[int]] = {}
    for row in await rows(
        connection,
        _NEXT,
        [place[0] for place in places.values()],
        [place[1] for place in places.values()],
        now,
    ):
        found.setdefault((row["team_id"], row["tier"]), []).append(row["user_id"])
    return {one: tuple(found.get(place, ())) for one, place in places.items()}


_NEXT = """
SELECT DISTINCT team_id, tier, user_id FROM (
  SELECT s.team_id, s.tier, s.user_id, lower(s.during) AS since,
         min(lower(s.during)) OVER (PARTITION BY s.team_id, s.tier) AS first
  FROM unnest($1::int[], $2::text[]) AS asked(team_id, tier)
  JOIN shift s ON s.team_id = asked.team_id AND s.tier = asked.tier
  WHERE s.during && tstzrange($3, NULL) AND lower(s.during) > $3
    AND NOT EXISTS (SELECT FROM shift o WHERE o.team_id = s.team_id AND o.tier = s.tier
                    AND o.user_id = s.user_id AND o.during @> $3::timestamptz)
    AND NOT EXISTS (SELECT FROM punch p WHERE p.team_id = s.team_id AND p.tier = s.tier
                    AND p.user_id = s.user_id AND p.during @> $3::timestamptz)
) AS coming WHERE since = first ORDER BY team_id, tier, user_id
"""


def goes_round(policy: Policy) -> bool:
    """Whether some step pages one of its people in turn."""
    return any(step.pick is Pick.ROUND_ROBIN for step in policy.steps)


async def turns_taken(
    connection: Connection, team: int, digest: str, *, lock: bool = True
) -> dict[int, int]:
    """How many turns each step of a copied policy has used.

    With `lock` nobody else takes one before the transaction ends. One lock for all policies, so
    that two transactions which need several never wait for each other.
    """
    if lock:
        await rows(connection, "SELECT pg_advisory_xact_lock(7102938475610297)")
    found = await rows(
        connection,
        "SELECT step, taken FROM turn WHERE team_id = $1 AND policy = $2",
        team,
        digest,
    )
    return {row["step"]: row["taken"] for row in found}
