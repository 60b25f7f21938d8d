"""Tocsin raises alerts of its own, and closes them when their reason is gone."""

from collections.abc import Sequence

from tocsin.actions.intake import Posted, take_in
from tocsin.actions.world import World
from tocsin.core.event import Answer, AnswerKind, Event, Said
from tocsin.core.kinds import SYSTEM, Severity
from tocsin.store import reachable
from tocsin.store.db import Connection

KIND = "tocsin"
"""The kind of the source of such alerts."""

_NAME = "Tocsin"


async def raise_own(
    world: World,
    team: int,
    key: str,
    title: str,
    text: str,
    severity: Severity = Severity.HIGH,
    *,
    once: bool = False,
) -> bool:
    """Raise an alert in a team (id) while none with this key is open; answers whether it was.

    With `once` it is not raised again after a person has closed one with this key.
    """

    async def find(connection: Connection) -> Sequence[Posted]:
        if await reachable.is_open(connection, team, key, or_ended_by_hand=once):
            return ()
        event = Event(title=title, text=text, external_id=key, severity=severity, source_name=_NAME)
        return (_posted(team, event),)

    return bool(await take_in(world, world.worker_database, find))


async def close_own(world: World, team: int, key: str, comment: str) -> bool:
    """Close the alert with this key; answers whether one was open."""

    async def find(connection: Connection) -> Sequence[Posted]:
        if not await reachable.is_open(connection, team, key):
            return ()
        answer = Answer(kind=AnswerKind.CLOSE, external_id=key, by=_NAME, comment=comment)
        return (_posted(team, answer),)

    return bool(await take_in(world, world.worker_database, find))


def _posted(team: int, said: Said) -> Posted:
    return Posted(team=team, name=_NAME, inlet=KIND, said=(said,), actor=SYSTEM)
