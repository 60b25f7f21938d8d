"""Configured objects as UI and API look at them: one, or all of a kind."""

from collections.abc import Collection

from tocsin.actions.configure.editing import Editor
from tocsin.actions.configure.faults import Path
from tocsin.actions.configure.finding import Guard, everywhere, find
from tocsin.actions.configure.ringing import ringing
from tocsin.actions.configure.shape import join
from tocsin.actions.configure.showing import shown
from tocsin.actions.configure.sight import Sight, sight_of
from tocsin.actions.world import World
from tocsin.store.configuration import Held, Holdings, Kind, load
from tocsin.store.db import Connection


async def show_all(
    world: World,
    kind: Kind,
    *,
    viewer: Editor | None = None,
    teams: Collection[int] | None = None,
    users: Collection[int] | None = None,
) -> list[dict[str, object]]:
    """The objects of a kind that these teams or users (ids) own; None is all of them.

    Nothing names a team that `viewer` may not know of; without one nothing is hidden.
    """
    async with world.database.transaction() as connection:
        holdings = await load(connection)
        found = [
            held
            for held in holdings.objects.values()
            if held.key.kind is kind
            and (teams is None or held.team is None or held.team in teams)
            and (users is None or held.user is None or held.user in users)
        ]
        return await _shown(connection, holdings, found, viewer)


async def show(
    world: World,
    kind: Kind,
    given: str,
    *,
    viewer: Editor | None = None,
    within: str | None = None,
    guard: Guard = everywhere,
) -> dict[str, object]:
    """One object by id or name. Raises as `find`."""
    async with world.database.transaction() as connection:
        holdings = await load(connection)
        held = find(holdings, kind, given, within, guard)
        return (await _shown(connection, holdings, [held], viewer))[0]


async def rule_notes(connection: Connection) -> list[str]:
    """What there is to know about the notification rules that are stored, one line each."""
    holdings = await load(connection)
    tree, _ = join((held.key, held.body, held.position) for held in holdings.objects.values())
    return [note.told() for note in ringing(tree)]


async def _shown(
    connection: Connection, holdings: Holdings, found: list[Held], viewer: Editor | None
) -> list[dict[str, object]]:
    """Notification rules come with what there is to know about them."""
    if not found or found[0].key.kind is not Kind.RULE:
        return [shown(held) for held in found]
    tree, paths = join((held.key, held.body, held.position) for held in holdings.objects.values())
    sight = Sight()
    if viewer is not None:
        sight = await sight_of(connection, holdings, viewer.name, viewer.sees)
    told: dict[Path, list[str]] = {}
    for note in ringing(tree):
        told.setdefault(note.path, []).append(note.told(sight.teams))
    return [{**shown(held), "warnings": told.get(paths[held.key], [])} for held in found]
