"""What paging needs to know of a team at one moment."""

from collections.abc import Iterable, Mapping
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
    Webhook,
    WholeTeam,
    distinct,
)
from tocsin.core.kinds import Mode, Urgency
from tocsin.core.notation import duration, optional_text, texts
from tocsin.core.routing import Category, Maintenance
from tocsin.core.rules import Method, Person, Rule
from tocsin.store.db import Connection, rows
from tocsin.store.maintenance import WINDOWS, in_force
from tocsin.store.policies import Names, policy_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamContext:
    """A team as it is in this transaction.

    `everyone` are the members who may acknowledge. `people` are active users by id: members,
    admins and whoever a policy or shift names. `teams` has the members of this team and of those
    that a policy names. `on_duty` has the people of each tier now, by shift or punched in.
    `maintenance` are the windows that are open now.
    """

    id: int
    name: str
    time_zone: str
    categories: tuple[Category, ...]
    policies: Mapping[str, Policy]
    members: tuple[Person, ...]
    everyone: tuple[Person, ...]
    admins: tuple[Person, ...]
    people: Mapping[int, Person]
    teams: Mapping[int, tuple[Person, ...]]
    on_duty: Mapping[str, tuple[Person, ...]]
    maintenance: tuple[Maintenance, ...] = ()


async def team_context(
    connection: Connection, team: int, now: datetime, also: Iterable[Target] = ()
) -> TeamContext:
    """Look a team up; one that does not exist has no name, no people and no policies.

    `also` are targets of copied policies that no policy of today may name any more.
    """
    return (await team_contexts(connection, [team], now, also))[team]


async def team_contexts(
    connection: Connection, teams: Iterable[int], now: datetime, also: Iterable[Target] = ()
) -> dict[int, TeamContext]:
    """The same for many teams, in one round trip: every batch of events and of timers needs it."""
    wanted = sorted(set(teams))
    users = sorted({target.user for target in also if isinstance(target, OneUser)})
    others = sorted({target.team for target in also if isinstance(target, WholeTeam)})
    found: _Parts = {}
    for row in await rows(connection, _CONTEXTS + WINDOWS, wanted, now, users, others):
        found.setdefault(row["kind"], {})[row["id"]] = msgspec.json.decode(row["body"])
    persons = {user: _person(user, body) for user, body in found.get("user", {}).items()}
    return {team: _context(team, found, persons, now) for team in wanted}


_Parts = dict[str, dict[int, Any]]
"""What `_CONTEXTS` answers, by kind and id of the team (of the user, for `user`)."""

# One row for each kind and team, so that a person in many teams is read once.
_CONTEXTS = """
WITH target AS (
  SELECT p.team_id, pair.key AS kind, pair.value #>> '{}' AS name FROM escalation_policy p,
    jsonb_path_query(p.body, '$.steps[*].notify[*]') AS one, jsonb_each(one) AS pair
  WHERE p.team_id = ANY($1::int[]) AND pair.key IN ('user', 'team')
), near AS (
  SELECT id AS team_id, id AS other_id, name FROM team WHERE id = ANY($1::int[])
  UNION SELECT x.team_id, o.id, o.name FROM target x JOIN team o ON o.name = x.name
  WHERE x.kind = 'team'
  UNION SELECT t.id, o.id, o.name FROM team t, team o
  WHERE t.id = ANY($1::int[]) AND o.id = ANY($4::int[])
), crew AS (
  SELECT n.team_id, n.other_id, n.name, m.user_id, m.role, m.position
  FROM near n LEFT JOIN membership m ON m.team_id = n.other_id
), duty AS (
  SELECT team_id, 1 AS kind, id, tier, user_id FROM shift
  WHERE team_id = ANY($1::int[]) AND during @> $2::timestamptz
  UNION ALL SELECT team_id, 2, id, tier, user_id FROM punch
  WHERE team_id = ANY($1::int[]) AND during @> $2::timestamptz
), person AS (
  SELECT team_id, user_id FROM crew WHERE user_id IS NOT NULL
  UNION SELECT team_id, user_id FROM duty
  UNION SELECT x.team_id, u.id FROM target x JOIN app_user u ON u.name = x.name
  WHERE x.kind = 'user'
  UNION SELECT t.id, u.id FROM team t, app_user u
  WHERE t.id = ANY($1::int[]) AND (u.role = 'admin' OR u.id = ANY($3::int[]))
)
SELECT 'team' AS kind, id, jsonb_build_object('name', name, 'time_zone', time_zone) AS body
FROM team WHERE id = ANY($1::int[])
UNION ALL
SELECT 'category', team_id,
  jsonb_agg(jsonb_build_object('name', name, 'body', body) ORDER BY position, id)
FROM category WHERE team_id = ANY($1::int[]) GROUP BY team_id
UNION ALL
SELECT 'policy', team_id, jsonb_agg(jsonb_build_object('name', name, 'body', body) ORDER BY id)
FROM escalation_policy WHERE team_id = ANY($1::int[]) GROUP BY team_id
UNION ALL
SELECT 'crew', team_id, jsonb_agg(jsonb_build_object(
  'team', other_id, 'name', name, 'user', user_id, 'role', role) ORDER BY position, user_id)
FROM crew GROUP BY team_id
UNION ALL
SELECT 'duty', team_id,
  jsonb_agg(jsonb_build_object('tier', tier, 'user', user_id) ORDER BY kind, id)
FROM duty GROUP BY team_id
UNION ALL
SELECT 'person', team_id, jsonb_agg(user_id ORDER BY user_id) FROM person GROUP BY team_id
UNION ALL
SELECT 'user', u.id, jsonb_build_object('name', u.name, 'role', u.role,
  'methods', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                 'id', c.id, 'name', c.name, 'channel', c.channel) ORDER BY c.id), '[]')
              FROM contact_method c WHERE c.user_id = u.id AND c.disabled IS NULL),
  'rules', (SELECT coalesce(jsonb_agg(jsonb_build_object(
               'urgency', r.urgency, 'body', r.body) ORDER BY r.urgency, r.position), '[]')
            FROM notification_rule r WHERE r.user_id = u.id))
FROM app_user u WHERE u.active AND u.id IN (SELECT user_id FROM person)
UNION ALL
"""


def _context(team: int, found: _Parts, persons: Mapping[int, Person], now: datetime) -> TeamContext:
    about = found.get("team", {}).get(team, {"name": "?", "time_zone": "UTC"})
    crews = _crews(found, team)
    own = {user: role for user, role in crews.get(team, ("", {}))[1].items() if user in persons}
    near = dict.fromkeys((*own, *_part(found, "person", team)))  # members first, in their order
    people = {user: persons[user] for user in near if user in persons}
    names = Names(
        users={person.name: user for user, person in people.items()},
        teams={name: other for other, (name, _) in crews.items()},
    )
    duty: dict[str, list[Person]] = {}
    for entry in _part(found, "duty", team):
        if entry["user"] in people:
            duty.setdefault(entry["tier"], []).append(people[entry["user"]])
    roles = {user: found["user"][user]["role"] for user in people}
    return TeamContext(
        id=team,
        name=about["name"],
        time_zone=about["time_zone"],
        categories=tuple(_category(entry) for entry in _part(found, "category", team)),
        policies={
            entry["name"]: policy_of(entry["body"], names) for entry in _part(found, "policy", team)
        },
        members=tuple(people[user] for user in own),
        everyone=tuple(people[user] for user in own if (own[user] or roles[user]) != _ONLY_LOOKS),
        admins=tuple(
            person
            for user, person in people.items()
            if roles[user] == "admin" or (user in own and (own[user] or roles[user]) == _LEADS)
        ),
        people=people,
        teams={
            other: tuple(people[user] for user in crew if user in people)
            for other, (_, crew) in crews.items()
        },
        on_duty={tier: distinct(entries) for tier, entries in duty.items()},
        maintenance=in_force(_part(found, "maintenance", team), about["time_zone"], now),
    )


_LEADS = "team_admin"
_ONLY_LOOKS = "viewer"


def _part(found: _Parts, kind: str, team: int) -> list[Any]:
    part: list[Any] = found.get(kind, {}).get(team, [])
    return part


def _crews(found: _Parts, team: int) -> dict[int, tuple[str, dict[int, str | None]]]:
    """This team and those its policies name: the name, and the role of each member there."""
    crews: dict[int, tuple[str, dict[int, str | None]]] = {}
    for entry in _part(found, "crew", team):
        _, crew = crews.setdefault(entry["team"], (entry["name"], {}))
        if entry["user"] is not None:
            crew[entry["user"]] = entry["role"]
    return crews


def targets(policy: Policy) -> set[Target]:
    """Everything that the steps of a policy name."""
    return {target for step in policy.steps for target in step.notify}


def knows(context: TeamContext, target: Target) -> bool:
    """Whether a person or team was looked up; one that is gone never is."""
    match target:
        case OneUser(user):
            return user in context.people
        case WholeTeam(team):
            return team in context.teams
        case _:
            return True


def escalation_plan(context: TeamContext, policy: Policy) -> EscalationPlan:
    """A policy with whom its targets mean now."""
    return EscalationPlan(
        policy=policy,
        people={target: _people(context, target) for target in targets(policy)},
        everyone=context.everyone,
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
        case Webhook() | Unsupported():
            return ()


def _person(number: int, user: Mapping[str, Any]) -> Person:
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
        id=number,
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
