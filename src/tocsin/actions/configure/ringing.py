"""Notes on notification rules that never ring, or never in time, in a whole configuration."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import cast

from tocsin.actions.configure.blocks import spoken
from tocsin.actions.configure.faults import Path, place_of
from tocsin.actions.configure.leaders import untold
from tocsin.actions.configure.sight import Sight
from tocsin.core.deadrules import Dead, Escalation, dead_rules, steps_without_time, with_delay
from tocsin.core.escalation import OnDuty, OneUser, Target, WholeTeam
from tocsin.core.kinds import Mode, Urgency
from tocsin.core.notation import duration, listing, mapping
from tocsin.core.rules import Method, Person, Rule
from tocsin.store.policies import Names, policy_of


@dataclass(frozen=True, slots=True)
class Note:
    """What there is to know about the object at a place; `team` and `policy` are named in it."""

    path: Path
    what: str
    team: str | None = None
    policy: str = ""
    more: str = ""

    def told(self, teams: AbstractSet[str] | None = None) -> str:
        """The note in one line, for somebody who may know of these teams, None for all."""
        named = ""
        if self.team is not None:
            seen = teams is None or self.team in teams
            named = f"{self.team}/{self.policy}" if seen else "a policy of another team"
        return f"{place_of(self.path)}: {self.what}{named}{self.more}"


def ringing(tree: Mapping[str, object]) -> tuple[Note, ...]:
    """The notes on a configuration that has no faults, those on people first.

    Named are rules whose contact method is switched off, rules that come when all steps which page
    their person are over (see `core.deadrules`), steps that leave no rule any time, and teams in
    which nobody is told at the end.
    """
    return (*_rules(tree), *(Note(path, what) for path, what in untold(tree)))


def _rules(tree: Mapping[str, object]) -> tuple[Note, ...]:
    numbers = {name: number for number, name in enumerate(mapping(tree.get("users")))}
    people = [
        _person(numbers[name], name, mapping(user))
        for name, user in mapping(tree.get("users")).items()
        if mapping(user).get("active") is not False
    ]
    notes = [note for person in people for note in _switched_off(person, tree)]
    delayed = any(rule.after for one in people for rules in one.rules.values() for rule in rules)
    if not delayed:
        return tuple(notes)
    escalations = dict(_escalations(tree, numbers))
    names = {number: name for name, number in numbers.items()}
    places = list(escalations)
    found = dead_rules(people, list(escalations.values()))
    notes += [_late(dead, names[dead.user], *places[dead.escalation]) for dead in found]
    late = with_delay(people)
    for (team, policy), escalation in escalations.items():
        if not _names_others(tree, team, policy):
            path = ("teams", team, "escalation_policies", policy, "steps")
            places_ = steps_without_time(late, escalation)
            notes += [Note((*path, place), _NO_TIME) for place in places_]
    return tuple(notes)


_NO_TIME = (
    "waits 0s: the next step starts at the same moment, so no rule with an `after` of the people"
    " it pages can ring before"
)


def remarks(
    before: Mapping[str, object], after: Mapping[str, object], place: Path, sight: Sight
) -> list[str]:
    """What there is to say about an object at `place` that was just written, one line each.

    Notes on itself and what belongs to it, and those that others have because of the change.
    """
    known = set(ringing(before))
    return [
        note.told(sight.teams)
        for note in ringing(after)
        if _seen(note, sight) and (note.path[: len(place)] == place or note not in known)
    ]


def _seen(note: Note, sight: Sight) -> bool:
    names = sight.users if note.path[0] == "users" else sight.teams
    return names is None or note.path[1] in names


def _late(dead: Dead, user: str, team: str, policy: str) -> Note:
    path = ("users", user, "notification_rules", dead.urgency.value, dead.rule)
    what = (
        f"rule {dead.rule + 1} of {user} for {dead.urgency} alerts (after {spoken(dead.after)})"
        f" never rings before the steps that page {user} time out: the last is step"
        f" {dead.step + 1} of "
    )
    more = (
        f", over {spoken(dead.over)} after {user} is paged;"
        " it rings later, if the alert is still open"
    )
    return Note(path, what, team, policy, more)


def _switched_off(person: Person, tree: Mapping[str, object]) -> Iterator[Note]:
    usable = {method.name for method in person.methods}
    methods = mapping(mapping(mapping(tree.get("users")).get(person.name)).get("contact_methods"))
    for urgency, rules in person.rules.items():
        for number, rule in enumerate(rules):
            if rule.via in methods and rule.via not in usable:
                path = ("users", person.name, "notification_rules", urgency.value, number)
                what = f"rule {number + 1} of {person.name} for {urgency} alerts never rings"
                yield Note(path, f"{what}: the contact method {rule.via} is switched off")


def _person(number: int, name: str, body: Mapping[str, object]) -> Person:
    methods = mapping(body.get("contact_methods"))
    return Person(
        number,
        name,
        tuple(
            Method(place, method, str(mapping(one).get("channel")))
            for place, (method, one) in enumerate(methods.items())
            if mapping(one).get("enabled") is not False
        ),
        {
            Urgency(urgency): tuple(_rule(mapping(rule)) for rule in listing(rules))
            for urgency, rules in mapping(body.get("notification_rules")).items()
        },
    )


def _rule(body: Mapping[str, object]) -> Rule:
    return Rule(duration(str(body.get("after") or "0s")), str(body.get("via")))


def _escalations(
    tree: Mapping[str, object], users: Mapping[str, int]
) -> Iterator[tuple[tuple[str, str], Escalation]]:
    """Every policy by (team, name), with all whom its targets may mean."""
    teams = {name: mapping(team) for name, team in mapping(tree.get("teams")).items()}
    bodies = {
        (team, name): mapping(policy)
        for team, block in teams.items()
        for name, policy in mapping(block.get("escalation_policies")).items()
    }
    ids = {name: number for number, name in enumerate(teams)}
    names = Names(users, ids, bodies)
    members = {ids[name]: _numbers(_members(team), users) for name, team in teams.items()}
    duty = _duty(teams, users)
    for (team, name), body in bodies.items():
        policy = policy_of(body, replace(names, home=team), name)
        targets = {target for step in policy.steps for target in step.notify}
        yield (
            (team, name),
            Escalation(
                policy,
                {one: _meant(one, ids[team], duty, members) for one in targets},
                members[ids[team]] if _emergencies(teams[team], body) else frozenset(),
            ),
        )


def _duty(
    teams: Mapping[str, Mapping[str, object]], users: Mapping[str, int]
) -> dict[tuple[int, str], set[int]]:
    """Who may be on duty at some time, by team (its place) and tier."""
    duty: dict[tuple[int, str], set[int]] = {}
    for place, team in enumerate(teams.values()):
        for schedule in mapping(team.get("schedules")).values():
            tier = str(mapping(schedule).get("tier", 1))
            people = _numbers(_on_duty(mapping(schedule)), users)
            duty.setdefault((place, tier), set()).update(people)
    return duty


def _meant(
    target: Target,
    home: int,
    duty: Mapping[tuple[int, str], AbstractSet[int]],
    members: Mapping[int, AbstractSet[int]],
) -> AbstractSet[int]:
    match target:
        case OnDuty(tier, team):
            return duty.get((home if team is None else team, tier), frozenset())
        case OneUser(user):
            return frozenset((user,))
        case WholeTeam(team):
            return members.get(team, frozenset())
        case _:
            return frozenset()


def _emergencies(team: Mapping[str, object], policy: Mapping[str, object]) -> bool:
    """Whether the configuration puts some alerts that follow a policy into emergency mode."""
    others = (*mapping(team.get("categories")).values(), *listing(team.get("routing")))
    return any(mapping(one).get("mode") == Mode.EMERGENCY for one in (policy, *others))


def _names_others(tree: Mapping[str, object], team: str, policy: str) -> bool:
    """Whether a policy takes over steps of others, so that its own are counted differently."""
    policies = mapping(mapping(mapping(tree.get("teams")).get(team)).get("escalation_policies"))
    steps = listing(mapping(policies.get(policy)).get("steps"))
    targets = (target for step in steps for target in listing(mapping(step).get("notify")))
    return any("policy" in mapping(target) for target in targets)


def _numbers(names: Iterable[str], users: Mapping[str, int]) -> set[int]:
    return {users[name] for name in names if name in users}


def _members(team: Mapping[str, object]) -> Iterator[str]:
    for entry in listing(team.get("members")):
        yield str(mapping(entry).get("user", entry))


def _on_duty(schedule: Mapping[str, object]) -> Iterator[str]:
    """Everybody whom a schedule may put on duty at some time."""
    for rotation in listing(schedule.get("rotations")):
        for entry in listing(mapping(rotation).get("participants")):
            group = listing(cast("object", entry)) if isinstance(entry, list) else (entry,)
            yield from map(str, group)
    shifts = [
        shift
        for temporary in listing(schedule.get("temporary"))
        for shift in listing(mapping(temporary).get("shifts"))
    ]
    for entry in (*listing(schedule.get("overrides")), *shifts):
        yield str(mapping(entry).get("user"))
    for event in listing(schedule.get("events")):
        yield from map(str, listing(mapping(event).get("users")))
