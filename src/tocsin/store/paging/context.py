"""What paging needs to know of a team at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tocsin.core.escalation import Policy, distinct
from tocsin.core.kinds import Mode, Urgency
from tocsin.core.notation import duration, listing, mapping, optional_text, texts
from tocsin.core.routing import Category, Maintenance
from tocsin.core.rules import Method, Person, Rule
from tocsin.store.maintenance import in_force
from tocsin.store.policies import Names, policy_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamContext:
    """A team as it is in this transaction.

    `everyone` are the members who may acknowledge. `people` are active users by id: members,
    admins and whoever a policy or shift names. `teams` has the members of this team and of those
    that a policy names, `duty` who is on duty there now by (team, tier), by shift or punched in.
    `maintenance` are the windows that are open now, `holidays` days on the team's calendar.
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
    duty: Mapping[tuple[int, str], tuple[Person, ...]]
    maintenance: tuple[Maintenance, ...] = ()
    holidays: frozenset[date] = frozenset()

    @property
    def on_duty(self) -> Mapping[str, tuple[Person, ...]]:
        """Who is on duty in the team itself, by tier."""
        return {tier: people for (team, tier), people in self.duty.items() if team == self.id}


Parts = dict[str, dict[int, Any]]
"""What the look-up answers, by kind and id of the team (of the user, for `user`)."""


def persons_of(found: Parts) -> dict[int, Person]:
    """Everybody who was looked up, by id."""
    return {user: _person(user, body) for user, body in found.get("user", {}).items()}


def context_of(
    team: int, found: Parts, persons: Mapping[int, Person], now: datetime
) -> TeamContext:
    """One team, put together from what was looked up."""
    about = found.get("team", {}).get(team, _NO_TEAM)
    crews = _crews(found, team)
    own = {user: role for user, role in crews.get(team, ("", {}))[1].items() if user in persons}
    near = dict.fromkeys((*own, *_part(found, "person", team)))  # members first, in their order
    people = {user: persons[user] for user in near if user in persons}
    roles = {user: found["user"][user]["role"] for user in people}
    return TeamContext(
        id=team,
        name=about["name"],
        time_zone=about["time_zone"],
        categories=tuple(_category(entry) for entry in _part(found, "category", team)),
        policies=_policies(team, found, people, crews),
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
        duty=_duty(team, found, people),
        maintenance=in_force(_part(found, "maintenance", team), about["time_zone"], now),
        holidays=_days(about),
    )


_NO_TEAM: Mapping[str, Any] = {"name": "?", "time_zone": "UTC", "days": None, "holidays": None}
_LEADS = "team_admin"
_ONLY_LOOKS = "viewer"


def _part(found: Parts, kind: str, team: int) -> list[Any]:
    part: list[Any] = found.get(kind, {}).get(team, [])
    return part


_Crews = dict[int, tuple[str, dict[int, str | None]]]


def _policies(
    team: int, found: Parts, people: Mapping[int, Person], crews: _Crews
) -> dict[str, Policy]:
    """The team's own; what their steps name was looked up with them."""
    entries = _part(found, "policy", team)
    active = {person.name: user for user, person in people.items()}
    names = Names(
        # Those who are deactivated too: they may be back before their step.
        users={**dict(found.get("named", {}).get(team, {})), **active},
        teams={name: other for other, (name, _) in crews.items()},
        policies={(crews[one["team"]][0], one["name"]): one["body"] for one in entries},
        home=crews[team][0] if team in crews else "",
    )
    return {
        one["name"]: policy_of(one["body"], names, one["name"])
        for one in entries
        if one["team"] == team
    }


def _duty(
    team: int, found: Parts, people: Mapping[int, Person]
) -> dict[tuple[int, str], tuple[Person, ...]]:
    duty: dict[tuple[int, str], list[Person]] = {}
    for entry in _part(found, "duty", team):
        if entry["user"] in people:
            duty.setdefault((entry["team"], entry["tier"]), []).append(people[entry["user"]])
    return {key: distinct(entries) for key, entries in duty.items()}


def _days(about: Mapping[str, Any]) -> frozenset[date]:
    """The team's own days, and those around now that were written down for it.

    One that is not in the calendar is left out.
    """
    own = (mapping(entry).get("date") for entry in listing(about["days"]))
    found: set[date] = set()
    for day in (*own, *listing(about["holidays"])):
        try:
            found.add(date.fromisoformat(str(day)))
        except ValueError:
            continue
    return frozenset(found)


def _crews(found: Parts, team: int) -> _Crews:
    """This team and those its policies name: the name, and the role of each member there."""
    crews: _Crews = {}
    for entry in _part(found, "crew", team):
        _, crew = crews.setdefault(entry["team"], (entry["name"], {}))
        if entry["user"] is not None:
            crew[entry["user"]] = entry["role"]
    return crews


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
        time_zone=optional_text(user["time_zone"]),
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
