"""Alarms that come and go: after a few times in a short while the next one has to last first."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from tocsin.actions.intake.posted import Posted
from tocsin.core.event import Answer, AnswerKind, Event
from tocsin.store import alerts
from tocsin.store.db import Connection

TIMES = 4
WITHIN = timedelta(minutes=10)
REST = timedelta(minutes=5)
"""How long the next one has to stay open before it pages."""

Key = tuple[int, str]
"""A team, and what its sender calls the thing."""


async def raised_lately(
    connection: Connection, posted: Iterable[Posted], known: AbstractSet[Key], now: datetime
) -> dict[Key, int]:
    """How often each key that is about to be raised was raised within `WITHIN` before `now`.

    `known` are the keys that are open; they are raised only where the same batch closes them.
    """
    keys = _about_to_be_raised(posted, known)
    return await alerts.raised_since(connection, keys, now - WITHIN, now) if keys else {}


def damped(raised: Mapping[Key, int], key: Key, now: datetime) -> tuple[str, datetime] | None:
    """Why the next alert of a key pages nobody yet, and until when; None where it pages."""
    earlier = raised.get(key, 0)
    if earlier < TIMES:
        return None
    minutes = WITHIN // timedelta(minutes=1)
    return f"flapping: raised {earlier + 1} times in {minutes} minutes", now + REST


def _about_to_be_raised(posted: Iterable[Posted], known: AbstractSet[Key]) -> set[Key]:
    raised: set[Key] = set()
    closed: set[Key] = set()
    for item in posted:
        for said in item.said:
            if isinstance(said, Event) and said.external_id is not None:
                raised.add((item.team, said.external_id))
            elif isinstance(said, Answer) and said.kind is AnswerKind.CLOSE:
                closed.add((item.team, said.external_id))
    return {key for key in raised if key not in known or key in closed}
