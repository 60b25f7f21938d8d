"""How much of the configuration an editor may be told about."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from tocsin.actions.configure.check import Check, Known, known_names
from tocsin.actions.configure.faults import Fault, Path, place_of
from tocsin.actions.configure.later import warnings
from tocsin.actions.configure.sealing import duplicates
from tocsin.actions.configure.shape import join
from tocsin.actions.configure.tree import check_tree
from tocsin.actions.world import PlugIns
from tocsin.store import named
from tocsin.store.configuration import Holdings, Key, Kind
from tocsin.store.db import Connection

Sees = Callable[[int], bool]
"""Whether somebody may know that a team (id) exists."""

_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Sight:
    """The teams and users that an editor may know of, None for all.

    To the editor others look as if they did not exist: they cannot be referred to either.
    """

    teams: frozenset[str] | None = None
    users: frozenset[str] | None = None

    def known(self, tree: Mapping[str, object], stored: frozenset[str]) -> Known:
        """The names in a tree that the editor may refer to."""
        every = known_names(tree, stored)
        return Known(
            _only(every.users, self.users),
            _only(every.teams, self.teams),
            every.webhooks,
            every.stored,
        )

    def place(self, path: Path) -> str:
        """A place as it may be named to the editor.

        >>> Sight(frozenset({"soc"}), frozenset()).place(("teams", "noc", "routing", 0))
        'something of another team'
        """
        for block, names in (("team", self.teams), ("user", self.users)):
            if path[:1] == (f"{block}s",) and names is not None and path[1] not in names:
                return f"something of another {block}"
        return place_of(path)

    def shows(self, fault: Fault) -> bool:
        """Whether the place of a fault is one that the editor may know of."""
        return self.place(fault.path) == place_of(fault.path)

    def shared_secrets(
        self, bodies: Mapping[Key, Mapping[str, object]], paths: Mapping[Key, Path]
    ) -> list[Fault]:
        """The faults of `duplicates`, without the names of foreign integrations."""
        own = bodies
        if self.teams is not None:
            own = {key: body for key, body in bodies.items() if key.owner in self.teams}
        told = duplicates(own, paths)
        what = "another integration has the same secret; take another"
        return [
            fault if fault in told else replace(fault, what=what)
            for fault in duplicates(bodies, paths)
        ]


async def sight_of(
    connection: Connection, holdings: Holdings, name: str, sees: Sees | None
) -> Sight:
    """What the user called `name`, who sees these teams, may know of: those in them, and itself."""
    if sees is None:
        return Sight()
    teams = {team: row for team, row in holdings.teams.items() if sees(row)}
    members = set(await named.people_of(connection, teams.values()))
    users = {user for user, row in holdings.users.items() if row in members}
    return Sight(frozenset(teams), frozenset({*users, name}))


def waiting(
    key: Key, body: Mapping[str, object], known: Known, plug_ins: PlugIns
) -> tuple[str, ...]:
    """What `apply` would warn of in one object, in the same words."""
    tree, _ = join([*((owner, {}, 0) for owner in _owners(key)), (key, body, 0)])
    check = Check(known, plug_ins)
    check_tree(tree, check)
    return (*warnings(check.later), *dict.fromkeys(check.notes))


def _owners(key: Key) -> Iterable[Key]:
    if key.kind.of_team:
        yield Key(Kind.TEAM, key.names[:1])
    if key.kind is Kind.OVERRIDE:
        yield Key(Kind.SCHEDULE, key.names[:2])
    if key.kind.of_user:
        yield Key(Kind.USER, key.names[:1])


def _only(every: Mapping[str, _V], names: frozenset[str] | None) -> Mapping[str, _V]:
    if names is None:
        return every
    return {name: value for name, value in every.items() if name in names}
