"""One object made, changed or removed by UI or API, under the rules of the file."""

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from tocsin.actions.configure.applying import new_faults, reasons_to_stay
from tocsin.actions.configure.difference import Act, Change
from tocsin.actions.configure.faults import (
    ConfigureError,
    ConflictError,
    Fault,
    NotFoundError,
    place_of,
)
from tocsin.actions.configure.finding import find, owner_named
from tocsin.actions.configure.hostkeys import host_faults
from tocsin.actions.configure.sealing import Entered, duplicates, sealed, stored_names
from tocsin.actions.configure.shape import Item, join, split
from tocsin.actions.configure.showing import FIXED, fixed, owners, shown, taken
from tocsin.actions.configure.writing import Writer
from tocsin.actions.world import World
from tocsin.store.configuration import Held, Holdings, Key, Kind, load, lock
from tocsin.store.db import Connection

Guard = Callable[[int | None, int | None], None]
"""Raises unless the caller may reach what this team, or this user, owns (ids)."""


def nobody_in_particular(_team: int | None, _user: int | None) -> None:
    """The guard of whoever may reach everything."""


@dataclass(frozen=True, slots=True)
class Editor:
    """Who edits. Only an admin may refer to the host's secrets and to clouds of their own."""

    name: str
    admin: bool = False


async def show_all(
    world: World,
    kind: Kind,
    *,
    teams: Collection[int] | None = None,
    users: Collection[int] | None = None,
) -> list[dict[str, object]]:
    """The objects of a kind that these teams or users own; None is all of them."""
    async with world.database.transaction() as connection:
        holdings = await load(connection)
    found = [held for held in holdings.objects.values() if held.key.kind is kind]
    return [
        shown(held)
        for held in found
        if (held.user is not None and (users is None or held.user in users))
        or (held.user is None and (teams is None or held.team in teams))
    ]


async def show(
    world: World,
    kind: Kind,
    given: str,
    *,
    within: str | None = None,
    guard: Guard = nobody_in_particular,
) -> dict[str, object]:
    """One object by id or name. Raises `NotFoundError`, `ConflictError` for a name of several."""
    async with world.database.transaction() as connection:
        held = find(await load(connection), kind, given, within, guard)
    return shown(held)


async def create(
    world: World,
    kind: Kind,
    body: Mapping[str, object],
    editor: Editor,
    *,
    guard: Guard = nobody_in_particular,
) -> dict[str, object]:
    """Make an object; the answer has a secret that Tocsin chose for it, this once.

    Raises `ConfigureError` with places inside `body`, `NotFoundError` for an unknown owner,
    `ConflictError` where the name is taken.
    """
    now = world.clock.now()
    async with world.database.transaction() as connection:
        await lock(connection)
        holdings = await load(connection)
        key = _new_key(kind, body, holdings, guard)
        if key in holdings.objects:
            raise ConflictError(f"there is a {key} already")
        wanted = taken(kind, body)
        chosen = _choose_secret(kind, wanted)
        position = int(key.names[2]) if kind is Kind.RULE else _last(holdings, key) + 1
        draft = Held(key=key, id=0, body=wanted, position=position)
        written = await _write(world, connection, holdings, None, draft, editor)
    await world.database.notify()
    world.wake()
    made = replace(written, changed_by=editor.name, changed_at=now)
    return {**shown(made), **({"secret": chosen} if chosen else {})}


async def update(
    world: World,
    kind: Kind,
    given: str,
    body: Mapping[str, object],
    editor: Editor,
    *,
    within: str | None = None,
    guard: Guard = nobody_in_particular,
) -> dict[str, object]:
    """Change the keys that `body` names; null takes a key away. Raises as `create`."""
    now = world.clock.now()
    async with world.database.transaction() as connection:
        await lock(connection)
        holdings = await load(connection)
        former = find(holdings, kind, given, within, guard)
        _same_object(former, body)
        merged = {**former.body, **taken(kind, body)}
        merged = {key: value for key, value in merged.items() if value is not None}
        draft = replace(former, body=merged)
        written = await _write(world, connection, holdings, former, draft, editor)
    await world.database.notify()
    world.wake()
    return shown(replace(written, changed_by=editor.name, changed_at=now))


async def delete(
    world: World,
    kind: Kind,
    given: str,
    editor: Editor,
    *,
    within: str | None = None,
    force: bool = False,
    guard: Guard = nobody_in_particular,
) -> None:
    """Remove an object. Raises `ConflictError` while others refer to it or somebody needs it.

    `force` removes it although somebody is on duty by it or an alert is open; never where another
    object would refer to nothing.
    """
    async with world.database.transaction() as connection:
        await lock(connection)
        holdings = await load(connection)
        held = find(holdings, kind, given, within, guard)
        broken = _faults(world, holdings, held.key, None)
        reasons = [f"{place_of(fault.path)} refers to it" for fault in broken]
        if not force and kind is not Kind.OVERRIDE:
            reasons += await reasons_to_stay(connection, held, holdings, world.clock.now())
        if reasons:
            raise ConflictError(f"{held.key} is needed: {'; '.join(reasons)}")
        writer = _writer(world, connection, holdings, editor)
        await writer.write([Change(Act.REMOVE, held.key, held, None)])
    await world.database.notify()
    world.wake()


async def _write(
    world: World,
    connection: Connection,
    holdings: Holdings,
    former: Held | None,
    draft: Held,
    editor: Editor,
) -> Held:
    """Check the object together with everything else, then write it."""
    after, paths = join(_with(holdings, draft.key, draft))
    place = paths[draft.key]
    faults = _faults(world, holdings, draft.key, draft)
    if not faults:
        item = next(item for item in split(after).values() if item.path == place)
        faults, sealing = [], sealed({draft.key: replace(item, key=draft.key)}, holdings.objects, world.keys)
        draft = replace(draft, body=sealing.items[draft.key].body)
        bodies = {key: held.body for key, held in holdings.objects.items()}
        bodies.pop(draft.key, None)
        bodies[draft.key] = draft.body
        faults = [*sealing.faults, *duplicates(bodies, paths)]
        if not editor.admin:
            faults += host_faults(former, draft, place)
    if faults:
        raise ConfigureError(_inside(fault, place) for fault in faults)
    item = Item(draft.key, draft.body, draft.position, place)
    writer = _writer(world, connection, holdings, editor)
    writer.secrets = sealing.secrets
    act = Act.CREATE if former is None else Act.CHANGE
    await writer.write([Change(act, draft.key, former, item)])
    return await _reread(connection, draft.key, former)
