"""What the rules of the configuration look things up in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from tocsin.actions.configure.blocks import Block, Faults
from tocsin.actions.configure.faults import Path
from tocsin.actions.configure.later import LATER
from tocsin.actions.world import PlugIns
from tocsin.core.localtime import UnknownZone, check_zone
from tocsin.core.notation import listing, mapping
from tocsin.ports import Channel

FILES = frozenset(("certificate_file", "federated_token_file", "ca_file"))
_REFERENCES = {"secret_env", "stored", *FILES}
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]*_(?:SECRET|PASSWORD|TOKEN)")


@dataclass(frozen=True, slots=True)
class TeamNames:
    """The names within one team that others refer to; `tiers` are those of its schedules."""

    policies: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    integrations: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """Every name that can be referred to, in the configuration as it will be.

    `users` has the names of each user's contact methods. `stored` are the names of secrets that
    are kept here: `soc/plant` for an integration or connector, `mara/phone` for a contact method.
    """

    users: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    teams: Mapping[str, TeamNames] = field(default_factory=dict[str, TeamNames])
    webhooks: frozenset[str] = frozenset()
    stored: frozenset[str] = frozenset()


def known_names(tree: Mapping[str, object], stored: frozenset[str] = frozenset()) -> Known:
    """The names in a tree, whatever else is wrong with it."""
    users = {
        name: frozenset(mapping(mapping(user).get("contact_methods")))
        for name, user in mapping(tree.get("users")).items()
    }
    teams = {name: _team_names(mapping(team)) for name, team in mapping(tree.get("teams")).items()}
    return Known(users, teams, frozenset(mapping(tree.get("webhooks"))), stored)


def _team_names(team: Mapping[str, object]) -> TeamNames:
    schedules = mapping(team.get("schedules")).values()
    return TeamNames(
        policies=frozenset(mapping(team.get("escalation_policies"))),
        categories=frozenset(mapping(team.get("categories"))),
        integrations=frozenset(mapping(team.get("integrations"))),
        tiers=frozenset(
            str(mapping(schedule).get("tier", 1))
            for schedule in schedules
            if puts_on_duty(schedule)
        ),
    )


def puts_on_duty(schedule: object) -> bool:
    """Whether a schedule can ever put somebody on duty."""
    block = mapping(schedule)
    return any(listing(block.get(key)) for key in ("rotations", "overrides", "events", "temporary"))


@dataclass(slots=True)
class Check:
    """One validation: what is known, and what was found."""

    known: Known
    plug_ins: PlugIns
    faults: Faults = field(default_factory=Faults)
    later: set[str] = field(default_factory=set[str])
    notes: list[str] = field(default_factory=list[str])
    references: list[tuple[Path, Mapping[str, object]]] = field(
        default_factory=list[tuple[Path, Mapping[str, object]]]
    )

    def waits(self, thing: str) -> None:
        """Note that something of the table `LATER` is used."""
        if thing not in LATER:
            raise LookupError(f"{thing} is not in the table of what comes later")
        self.later.add(thing)

    def zone(self, block: Block, key: str = "time_zone") -> str | None:
        """A time zone; None, with a fault, for one that does not exist."""
        zone = block.text(key)
        try:
            if zone is not None:
                check_zone(zone)
        except UnknownZone as error:
            block.fault(key, str(error))
            return None
        return zone

    def user(self, path: Path, name: object) -> None:
        """Fault a name that is no user's."""
        self._refer(path, name, "user", self.known.users)

    def team(self, path: Path, name: object) -> None:
        """Fault a name that is no team's."""
        self._refer(path, name, "team", self.known.teams)

    def webhook(self, path: Path, name: str) -> None:
        """Fault what is neither the name of a webhook nor an address."""
        if not name.startswith(("https://", "http://")):
            self._refer(path, name, "webhook", self.known.webhooks)

    def policy(self, block: Block, team: str) -> None:
        """Fault a `policy` that the team does not have."""
        name = block.text("policy")
        if name is not None:
            policies = self.known.teams.get(team, TeamNames()).policies
            self._refer((*block.path, "policy"), name, f"escalation policy of {team}", policies)

    def reference(self, path: Path, value: Mapping[str, object]) -> None:
        """Fault a reference to a secret that this program would not follow."""
        self.references.append((path, value))
        name = value.get("secret_env")
        if name is not None and not (isinstance(name, str) and _ENV.fullmatch(name)):
            what = "`secret_env` names a variable that ends in _SECRET, _PASSWORD or _TOKEN"
            self.faults.add((*path, "secret_env"), what)
        stored = value.get("stored")
        if stored is not None and str(stored) not in self.known.stored:
            self.faults.add(
                (*path, "stored"),
                f"{str(stored)[:60]!r} is not stored here: enter the secret itself in this place",
            )

    def references_in(self, value: object, path: Path) -> None:
        """Check every reference to a secret inside `value`."""
        for key, inner in mapping(value).items():
            self.references_in(inner, (*path, key))
        for index, inner in enumerate(listing(value)):
            self.references_in(inner, (*path, index))
        if _REFERENCES & set(mapping(value)):
            self.reference(path, mapping(value))

    def channel(self, name: str) -> type[Channel] | None:
        """The plug-in that serves a medium, None where none is installed."""
        installed = self.plug_ins.channels
        if name in installed:
            return installed[name]()
        if f"channel {name}" in LATER:
            return None
        classes = (load() for load in installed.values())
        return next((found for found in classes if name in found.media), None)

    def _refer(
        self, path: Path, name: object, noun: str, names: Mapping[str, object] | frozenset[str]
    ) -> None:
        if isinstance(name, str) and name in names:
            return
        near = get_close_matches(str(name), list(names), n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {_some(names)}"
        self.faults.add(path, f"there is no {noun} {str(name)[:60]!r}; {hint}")


def _some(names: Mapping[str, object] | frozenset[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:8]) + (", ..." if len(found) > 8 else "") if found else "none"
