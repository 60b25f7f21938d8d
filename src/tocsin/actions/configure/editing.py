"""One object made, changed or removed by UI or API, under the rules of the file."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tocsin.actions.configure.applying import reasons_to_stay
from tocsin.actions.configure.check import Check
from tocsin.actions.configure.difference import Act, Change
from tocsin.actions.configure.faults import ConfigureError, ConflictError, Fault, Path
from tocsin.actions.configure.finding import (
    Guard,
    everywhere,
    find,
    new_key,
    with_team_named,
)
from tocsin.actions.configure.hostkeys import host_faults
from tocsin.actions.configure.ringing import remarks
from tocsin.actions.configure.sealing import Copied, sealed, stored_names
from tocsin.actions.configure.shape import join, split
from tocsin.actions.configure.showing import fixed, owners, shown, taken
from tocsin.actions.configure.sight import Sees, Sight, sight_of, waiting
from tocsin.actions.configure.tree import check_tree
from tocsin.actions.configure.writing import Writer
from tocsin.actions.world import World
from tocsin.store.configuration import Held, Holdings, Key, Kind, load, lock
from tocsin.store.db import Connection
from tocsin.store.holidays import prepare


@dataclass(frozen=True, slots=True)
class Editor:
    """Who edits. Only an admin may refer to the host's secrets and to clouds of their own.

    `sees` says which teams (ids) the editor may know of, None for all: what is in others cannot be
    referred to, and no fault names it.
    """

    name: str
    admin: bool = False
    sees: Sees | None = None


async def create(
    world: World,
    kind: Kind,
    body: Mapping[str, object],
    editor: Editor,
    *,
    guard: Guard = everywhere,
) -> dict[str, object]:
    """Make an object. An integration without `secret` is given one, which is answered this once.

    `warnings` in the answer names what works from a later version, as `apply` does.
    Raises `ConfigureError` with places inside `body`, `NotFoundError` for an unknown owner,
    `ConflictError` where the name is taken.
    """
    chosen: dict[str, object] = {}
    async with world.database.transaction() as connection:
        edit = await _Edit.begin(world, connection, editor, body)
        key = new_key(kind, body, edit.holdings, guard)
        if key in edit.holdings.objects:
            raise ConflictError(f"{key} is there already")
        wanted = taken(kind, with_team_named(body, edit.holdings))
        if kind is Kind.INTEGRATION and wanted.get("secret") is None:
            chosen["secret"] = wanted["secret"] = secrets.token_hex(16)  # a PagerDuty key's length
        draft = Held(key=key, id=0, body=wanted, position=edit.next_position(key))
        made = await edit.write(None, draft)
    await _tell(world)
    return {**shown(made), **chosen, "warnings": edit.warnings(made)}


@dataclass(frozen=True, slots=True)
class Altering:
    """The keys that change, said of what is there; nobody else changes that meanwhile."""

    of: Callable[[Mapping[str, object]], Mapping[str, object]]


async def update(
    world: World,
    kind: Kind,
    given: str,
    body: Mapping[str, object] | Altering,
    editor: Editor,
    *,
    within: str | None = None,
    guard: Guard = everywhere,
    keep_current: bool = False,
) -> dict[str, object]:
    """Change the keys that `body` names; null takes a key away. Raises as `create`.

    With `keep_current` a schedule, or the team's zone or holidays, changes when the shifts of
    those on duty now end.
    """
    async with world.database.transaction() as connection:
        brought = None if isinstance(body, Altering) else body
        edit = await _Edit.begin(world, connection, editor, brought)
        former = find(edit.holdings, kind, given, within, guard)
        said = body.of(former.body) if isinstance(body, Altering) else body
        body = with_team_named(said, edit.holdings)
        _check_same(former, body)
        merged = {**former.body, **taken(kind, body)}
        merged = {key: value for key, value in merged.items() if value is not None}
        changed = await edit.write(former, replace(former, body=merged), keep_current=keep_current)
    await _tell(world)
    return {**shown(changed), "warnings": edit.warnings(changed)}


async def delete(
    world: World,
    kind: Kind,
    given: str,
    editor: Editor,
    *,
    within: str | None = None,
    force: bool = False,
    guard: Guard = everywhere,
) -> None:
    """Remove an object. Raises `ConflictError` while others refer to it or somebody needs it.

    `force` removes it although somebody is on duty by it or an alert is open, but never where
    another object would be left referring to nothing.
    """
    async with world.database.transaction() as connection:
        edit = await _Edit.begin(world, connection, editor)
        held = find(edit.holdings, kind, given, within, guard)
        places = {edit.sight.place(fault.path): None for fault in edit.faults(held.key, None)}
        reasons = [f"{place} refers to it" for place in places]
        if not force and not kind.is_operation:
            now = world.clock.now()
            reasons += await reasons_to_stay(connection, held, edit.holdings, now)
        if reasons:
            raise ConflictError(f"{held.key} is needed: {'; '.join(reasons)}")
        await edit.writer().write([Change(Act.REMOVE, held.key, held, None)])
    await _tell(world)


@dataclass(frozen=True, slots=True)
class _Edit:
    """One edit in its transaction."""

    world: World
    connection: Connection
    holdings: Holdings
    editor: Editor
    sight: Sight
    notes: list[str] = field(default_factory=list[str])

    @classmethod
    async def begin(
        cls,
        world: World,
        connection: Connection,
        editor: Editor,
        body: Mapping[str, object] | None = None,
    ) -> "_Edit":
        """`body` is what the edit brings."""
        await lock(connection)
        holdings = await load(connection)
        bodies = [one.body for key, one in holdings.objects.items() if key.kind is Kind.TEAM]
        await prepare(one.get("holidays") for one in (*bodies, body or {}))
        sight = await sight_of(connection, holdings, editor.name, editor.sees)
        return cls(world, connection, holdings, editor, sight)

    def writer(self) -> Writer:
        now = self.world.clock.now()
        return Writer(self.connection, self.world.keys, self.holdings, now, editor=self.editor.name)

    def next_position(self, key: Key) -> int:
        if key.kind is Kind.RULE:
            return int(key.names[2])
        others = [
            held.position
            for held in self.holdings.objects.values()
            if held.key.kind is key.kind and held.key.names[:-1] == key.names[:-1]
        ]
        return max(others, default=-1) + 1

    def _with(
        self, key: Key, draft: Held | None
    ) -> Iterable[tuple[Key, Mapping[str, object], int]]:
        """Everything as it would be: with the draft in its place, or without the object."""
        for held in self.holdings.objects.values():
            if held.key != key:
                yield held.key, held.body, held.position
            elif draft is not None:
                yield key, draft.body, draft.position
        if draft is not None and key not in self.holdings.objects:
            yield key, draft.body, draft.position

    def faults(self, key: Key, draft: Held | None) -> list[Fault]:
        """What would be wrong afterwards and is not now.

        A draft may refer to what its editor sees. What goes must not be missed by anybody.
        """
        before, _ = join((h.key, h.body, h.position) for h in self.holdings.objects.values())
        after, _ = join(self._with(key, draft))
        sight = Sight() if draft is None else self.sight
        old = self._found(before, sight)
        found = [fault for fault in self._found(after, sight) if fault not in old]
        seen = [fault for fault in found if sight.shows(fault)]
        return seen or [replace(fault, path=(), what=_ELSEWHERE) for fault in found[:1]]

    def warnings(self, written: Held) -> list[str]:
        """What there is to know about an object that is no fault."""
        objects = self.holdings.objects
        before, _ = join((h.key, h.body, h.position) for h in objects.values())
        tree, paths = join(self._with(written.key, written))
        known = self.sight.known(tree, stored_names(objects))
        told = waiting(written.key, written.body, known, self.world.plug_ins)
        told = (*told, *self.notes)
        if written.key.kind in _NEVER_HEARD:
            return [*told]
        return [*told, *remarks(before, tree, paths[written.key], self.sight)]

    async def write(self, former: Held | None, draft: Held, *, keep_current: bool = False) -> Held:
        """Check the object together with everything else, then write it."""
        after, paths = join(self._with(draft.key, draft))
        place = paths[draft.key]
        faults = self.faults(draft.key, draft)
        if faults:
            raise ConfigureError(_inside(fault, place) for fault in faults)
        item = next(item for item in split(after).values() if item.path == place)
        item = replace(item, key=draft.key, position=draft.position)
        objects = self.holdings.objects
        sealing = sealed({draft.key: item}, objects, self.world.keys)
        copied = sealing.secrets.get(draft.key)
        if (
            not self.editor.admin
            and isinstance(copied, Copied)
            and copied.held.key.owner != draft.key.owner
        ):
            raise ConfigureError([_not_stored(copied.held.key)])
        item = sealing.items[draft.key]
        others = {key: held.body for key, held in objects.items() if key != draft.key}
        bodies = {**others, draft.key: item.body}
        faults = [*sealing.faults, *self.sight.shared_secrets(bodies, paths)]
        if not self.editor.admin:
            faults += host_faults(former, replace(draft, body=item.body), place)
        if faults:
            raise ConfigureError(_inside(fault, place) for fault in faults)
        writer = self.writer()
        writer.secrets, writer.keep_current = sealing.secrets, keep_current
        act = Act.CREATE if former is None else Act.CHANGE
        written = await writer.write([Change(act, draft.key, former, item)])
        self.notes.extend(writer.notes)
        return written[0]

    def _found(self, tree: Mapping[str, object], sight: Sight) -> list[Fault]:
        stored = stored_names(self.holdings.objects)
        check = Check(sight.known(tree, stored), self.world.plug_ins)
        check_tree(tree, check)
        return check.faults.found


def _not_stored(key: Key) -> Fault:
    """Another team's secret: the words for one that is not there."""
    name = "/".join(key.names)
    place = "secret" if key.kind is Kind.INTEGRATION else "credential"
    what = f"{name[:60]!r} is not stored here: enter the secret itself in this place"
    return Fault((place, "stored"), what)


def _inside(fault: Fault, place: Path) -> Fault:
    """A fault with its place as the body of a call has it."""
    if fault.path[: len(place)] == place:
        return replace(fault, path=fault.path[len(place) :])
    return fault


def _check_same(former: Held, body: Mapping[str, object]) -> None:
    """Refuse a body that names another object than the one that is changed."""
    team = former.body.get("team")
    own = {"name": former.key.names[-1], **owners(former.key)}
    faults = [
        Fault((key,), f"it is {own[key]!r} and cannot be changed; make a new one")
        for key in fixed(former.key.kind)
        if body.get(key) is not None and body[key] != own[key]
    ]
    if former.key.kind is Kind.MAINTENANCE and body.get("team", team) != team:
        whose = f"of team {team!r}" if team else "one of all teams"
        faults.append(Fault(("team",), f"it is {whose} and cannot be changed; make a new one"))
    if faults:
        raise ConfigureError(faults)


async def _tell(world: World) -> None:
    await world.database.notify()
    world.wake()


_ELSEWHERE = "something of another team would not be right any more: ask an admin"

_NEVER_HEARD = frozenset(
    {Kind.CATEGORY, Kind.INTEGRATION, Kind.CONNECTOR, Kind.MAINTENANCE, Kind.SETTING, Kind.STORED}
)
"""Kinds that never change which rules ring."""
