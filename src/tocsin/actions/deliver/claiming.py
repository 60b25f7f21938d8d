"""Which messages go out now, claimed under a lease with all that they need."""

from datetime import datetime, timedelta

import structlog

from tocsin.actions.deliver.composing import Ready, made
from tocsin.actions.deliver.gathering import Letter, gathered, repeated_methods
from tocsin.actions.deliver.knowing import Known
from tocsin.actions.deliver.reaching import Channels
from tocsin.actions.world import World
from tocsin.core import storm
from tocsin.store.db import Connection
from tocsin.store.outbox import (
    Due,
    Full,
    Held,
    Settled,
    claim_more,
    claim_pages,
    put_back,
    settle_pages,
)

log = structlog.get_logger()

_LATER = timedelta(seconds=5)
"""When a page of an alert that this version cannot read is tried again, by a newer one perhaps."""


async def claim(
    world: World, channels: Channels, limit: int, full: Full
) -> tuple[list[Ready], int]:
    """Lease due pages, put those together that share a message, settle those not to be sent.

    Returns what is to be sent, and how many pages were claimed in all. A page whose message cannot
    be made is put back with the reason; it holds up no other.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        claimed = await _claimed(connection, limit, full, now)
        if not claimed:
            return [], 0
        known = await Known.load(connection, claimed, now)
        dropped = [one for due in claimed if (one := known.refused(due, now)) is not None]
        gone = {one.due.id for one in dropped}
        held = [
            Held(due, until, "quiet hours")
            for due in claimed
            if due.id not in gone and (until := known.held(due, now)) is not None
        ]
        unread = [due for due in claimed if due.alert in known.unread]
        held += [Held(due, now + _LATER, "the alert cannot be read") for due in unread]
        await put_back(connection, held, now)
        gone |= {one.due.id for one in held}
        wanted = [due for due in claimed if due.id not in gone]
        letters = await gathered(connection, known, wanted, now)
    ready, unmade = _all_made(world, channels, known, letters, now)
    dropped += unmade
    if dropped:
        try:
            async with world.worker_database.transaction() as connection:
                await settle_pages(connection, dropped, now)
        except Exception:
            # Their leases run out and they are looked at again; the others go out now.
            log.exception("pages that are not sent were not settled", pages=len(dropped))
    return ready, len(claimed)


async def _claimed(connection: Connection, limit: int, full: Full, now: datetime) -> list[Due]:
    """What is due; where that is more than fits, with all that goes to the same contact methods."""
    claimed = await claim_pages(connection, now, limit, full)
    if len(claimed) == limit:
        methods = repeated_methods(claimed)
        if methods:
            claimed += await claim_more(connection, now, storm.MOST, methods)
    return claimed


def _all_made(
    world: World, channels: Channels, known: Known, letters: list[Letter], now: datetime
) -> tuple[list[Ready], list[Settled]]:
    ready: list[Ready] = []
    unmade: list[Settled] = []
    for letter in letters:
        one = made(world, channels, known, letter, now)
        if isinstance(one, Ready):
            ready.append(one)
        else:
            unmade += one
    return ready, unmade
