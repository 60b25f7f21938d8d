"""What paging needs to know of a team at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from tocsin.core.escalation import (
    EscalationPlan,
    OnDuty,
    OneUser,
    Policy,
    Target,
    Unsupported,
    WholeTeam,
    distinct,
)
from tocsin.core.kinds import Mode, Urgency
from tocsin.core.notation import duration, optional_text, texts
from tocsin.core.routing import Category
from tocsin.core.rules import Method, Person, Rule
from tocsin.store.db import Connection, rows
from tocsin.store.policies import Names, policy_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamContext:
    """A team as it is in this transaction.

    `people` are active users by id: members, admins and whoever a policy or shift names.
    `teams` has the members of this team and of those that a policy names. `on_duty` has the
    people of each tier now, by shift or punched in.
    """

    id: int
    name: str
    time_zone: str
    categories: tuple[Category, ...]
    policies: Mapping[str, Policy]
    members: tuple[Person, ...]
    admins: tuple[Person, ...]
    people: Mapping[int, Person]
    teams: Mapping[int, tuple[Person, ...]]
    on_duty: Mapping[str, tuple[Person, ...]]


async def team_context(connection: Connection, team: int, now: datetime) -> TeamContext:
    """Look a team up; one that does not exist has no name, no people and no policies."""
    found = await rows(connection, _CONTEXT, team, now)
    if not found:
        return TeamContext(
            id=team, name="?", time_zone="UTC", categories=(), policies={}, members=(),
            admins=(), people={}, teams={}, on_duty={},
        )  # fmt: skip
    row = found[0]
    users: list[dict[str, Any]] = _json(row["users"])
    people = {user["id"]: _person(user) for user in users}
    duty: dict[str, list[Person]] = {}
    for entry in _json(row["duty"]):
        if entry["user"] in people:
            duty.setdefault(entry["tier"], []).append(people[entry["user"]])
    teams: list[dict[str, Any]] = _json(row["teams"])
    names = Names(
        users={user["name"]: user["id"] for user in users},
        teams={entry["name"]: entry["id"] for entry in teams},
    )
    return TeamContext(
        id=team,
        name=row["name"],
        time_zone=row["time_zone"],
        categories=tuple(_category(entry) for entry in _json(row["categories"])),
        policies={
            entry["name"]: policy_of(entry["body"], names) for entry in _json(row["policies"])
        },
        members=tuple(people[user["id"]] for user in users if user["member"]),
        admins=tuple(people[user["id"]] for user in users if user["admin"]),
        people=people,
        teams={
            entry["id"]: tuple(people[user] for user in entry["members"] if user in people)
            for entry in teams
        },
        on_duty={tier: distinct(entries) for tier, entries in duty.items()},
    )


# One round trip, because every batch of events and of timers needs it.
_CONTEXT = """
WITH named AS (
  SELECT target.key AS kind, target.value #>> '{}' AS name FROM escalation_policy p,
    jsonb_path_query(p.body, '$.steps[*].notify[*]') AS one, jsonb_each(one) AS target
  WHERE p.team_id = $1 AND target.key IN ('user', 'team')
)
SELECT t.name, t.time_zone,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('name', c.name, 'body', c.body)
                             ORDER BY c.position, c.id), '[]')
   FROM category c WHERE c.team_id = t.id) AS categories,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('name', p.name, 'body', p.body) ORDER BY p.id),
                   '[]')
   FROM escalation_policy p WHERE p.team_id = t.id) AS policies,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('name', o.name, 'id', o.id, 'members',
       (SELECT coalesce(jsonb_agg(m.user_id ORDER BY m.position, m.user_id), '[]')
        FROM membership m WHERE m.team_id = o.id))), '[]')
   FROM team o WHERE o.id = t.id
     OR o.name IN (SELECT name FROM named WHERE kind = 'team')) AS teams,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('tier', d.tier, 'user', d.user_id)
                             ORDER BY d.kind, d.id), '[]')
   FROM (SELECT 1 AS kind, s.id, s.tier, s.user_id FROM shift s
         WHERE s.team_id = t.id AND s.during @> $2::timestamptz
         UNION ALL
         SELECT 2, p.id, p.tier, p.user_id FROM punch p
         WHERE p.team_id = t.id AND p.during @> $2::timestamptz) d) AS duty,
  (SELECT coalesce(jsonb_agg(jsonb_build_object(
       'id', u.id, 'name', u.name, 'member', m.user_id IS NOT NULL,
       'admin', u.role = 'admin'
                OR m.user_id IS NOT NULL AND coalesce(m.role, u.role) = 'team_admin',
       'methods', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                      'id', c.id, 'name', c.name, 'channel', c.channel) ORDER BY c.id), '[]')
                   FROM contact_method c WHERE c.user_id = u.id AND c.disabled IS NULL),
       'rules', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'urgency', r.urgency, 'body', r.body) ORDER BY r.urgency, r.position), '[]')
                 FROM notification_rule r WHERE r.user_id = u.id))
     ORDER BY m.position, u.id), '[]')
   FROM app_user u LEFT JOIN membership m ON m.user_id = u.id AND m.team_id = t.id
   WHERE u.active AND (
     m.user_id IS NOT NULL OR u.role = 'admin'
     OR EXISTS (SELECT 1 FROM shift s WHERE s.team_id = t.id AND s.user_id = u.id
                AND s.during @> $2::timestamptz)
     OR EXISTS (SELECT 1 FROM punch p WHERE p.team_id = t.id AND p.user_id = u.id
                AND p.during @> $2::timestamptz)
     OR u.name IN (SELECT name FROM named WHERE kind = 'user')
     OR EXISTS (SELECT 1 FROM membership o JOIN team n ON n.id = o.team_id
                WHERE o.user_id = u.id
                AND n.name IN (SELECT name FROM named WHERE kind = 'team')))) AS users
FROM team t WHERE t.id = $1
"""


def escalation_plan(context: TeamContext, policy: Policy) -> EscalationPlan:
    """A policy with whom its targets mean now."""
    targets = {target for step in policy.steps for target in step.notify}
    return EscalationPlan(
        policy=policy,
        people={target: _people(context, target) for target in targets},
        everyone=context.members,
        admins=context.admins,
    )


def _people(context: TeamContext, target: Target) -> tuple[Person, ...]:
    match target:
        case OnDuty(tier):
            return context.on_duty.get(tier, ())
        case OneUser(user):
            return (context.people[user],) if user in context.people else ()
        case WholeTeam(team):
            return context.teams.get(team, ())
        case Unsupported():
            return ()


def _json(text: str) -> Any:  # noqa: ANN401 - the shape is that of the query above
    return msgspec.json.decode(text)


def _person(user: Mapping[str, Any]) -> Person:
    rules: dict[Urgency, list[Rule]] = {}
    for entry in user["rules"]:
        body = entry["body"]
        every = body.get("repeat_every")
        rule = Rule(
            after=duration(str(body.get("after") or "0s")),
            via=str(body["via"]),
            repeat_every=None if every is None else duration(str(every)),
        )
        rules.setdefault(Urgency(entry["urgency"]), []).append(rule)
    return Person(
        id=user["id"],
        name=user["name"],
        methods=tuple(Method(m["id"], m["name"], m["channel"]) for m in user["methods"]),
        rules={urgency: tuple(entries) for urgency, entries in rules.items()},
    )


def _category(entry: Mapping[str, Any]) -> Category:
    body = entry["body"]
    urgency, mode = body.get("urgency"), body.get("mode")
    return Category(
        name=entry["name"],
        keywords=texts(body.get("keywords")),
        match_all=body.get("match") == "all",
        suppress=body.get("suppress") is True,
        urgency=None if urgency is None else Urgency(urgency),
        mode=None if mode is None else Mode(mode),
        acknowledgements=body.get("acknowledgements"),
        policy=optional_text(body.get("policy")),
    )
