"""What Tocsin itself has to say, taken in by the same way as what senders post."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from tocsin.actions.intake.accepting import (
    Accepted,
    NumbersUsedUpError,
    accept,
    new_alerts_at_most,
)
from tocsin.actions.intake.posted import Posted
from tocsin.actions.world import World
from tocsin.store.alerts import KeyTaken
from tocsin.store.db import Connection, Database
from tocsin.store.events import reserve_numbers

Find = Callable[[Connection], Awaitable[Sequence[Posted]]]
"""Looks, and answers what is to be said of what it saw. It may write: all is one transaction."""

_RACES = 5
"""How often it is looked again because somebody else opened the same key first."""


async def take_in(world: World, database: Database, find: Find) -> list[Accepted]:
    """Look, and take in what is found, in one transaction.

    Looks again, with nothing kept of the time before, when alert numbers turn out to be needed or
    another process opened one of the keys. Raises `KeyTaken` or `NumbersUsedUpError` after that.
    """
    numbers: Mapping[int, Iterable[int]] = {}
    counts: Mapping[int, int] = {}
    for left in reversed(range(_RACES)):
        try:
            async with database.transaction() as connection:
                posted = await find(connection)
                if not posted:
                    return []
                counts = new_alerts_at_most(posted)
                accepted, written = await accept(connection, posted, numbers, world.clock.now())
        except KeyTaken:
            if not left:
                raise
        except NumbersUsedUpError:  # most of what is said needs none, so none are taken ahead
            if not left:
                raise
            numbers = await reserve_numbers(database, counts)
        else:
            if written is not None:
                world.wake()
            return accepted
    raise AssertionError("the last race returns or raises")
