"""Somebody answers: one change to one alert or to several, from any mouth."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from tocsin.actions.desk import Desk
from tocsin.actions.world import World
from tocsin.core.alert import Alert, Changed, Outcome, Refused
from tocsin.core.changes import Change, Reopened
from tocsin.core.kinds import Status
from tocsin.store import alerts
from tocsin.store.alerts import KeyTaken
from tocsin.store.db import Connection
from tocsin.store.outbox import Through, answered


@dataclass(frozen=True, slots=True, order=True)
class AlertRef:
    """Which alert."""

    team: int
    id: UUID


@dataclass(frozen=True, slots=True)
class Answer:
    """The alert as it stands after the answer, and what the core made of it."""

    alert: Alert
    outcome: Outcome


Asked = Change | Callable[[Desk, Alert], Awaitable[Change]]
"""A change, or how to find it where it depends on who is on duty in the same transaction."""


async def change(world: World, ref: AlertRef, asked: Asked) -> Answer | None:
    """Change one alert; None when there is no such alert."""
    answers = await change_many(world, [ref], asked)
    return answers[0] if answers else None


async def change_many(
    world: World, refs: Iterable[AlertRef], asked: Asked, through: Through | None = None
) -> list[Answer]:
    """Change several alerts in one transaction; those that do not exist are left out.

    Refusals do not undo the others: each alert has its own outcome, in the order of `refs`. The
    ledger says it of the notification `through` which somebody answered.
    """
    wanted = list(dict.fromkeys(refs))
    for left in reversed(range(_RACES)):
        try:
            async with world.database.transaction() as connection:
                desk = Desk(connection, world.clock.now())
                answers = await _answers(desk, wanted, asked)
                if through is not None:
                    await answered(connection, through, [ref.id for ref in wanted], desk.now)
        except KeyTaken:  # reopened here while an event raised its key anew
            if not left:
                raise
        else:
            break
    else:
        raise AssertionError("the last race returns or raises")
    if any(isinstance(answer.outcome, Changed) for answer in answers):
        world.wake()
    return answers


async def _answers(desk: Desk, wanted: list[AlertRef], asked: Asked) -> list[Answer]:
    connection = desk.connection
    found = await alerts.get_many(connection, [(r.team, r.id) for r in wanted], lock=True)
    open_again: set[tuple[int, str]] = set()
    answers: list[Answer] = []
    saved: list[alerts.Saved] = []
    for alert in (found[ref.id] for ref in wanted if ref.id in found):
        change_ = await asked(desk, alert) if callable(asked) else asked
        refused = None
        if isinstance(change_, Reopened):
            refused = await _key_taken(connection, alert, open_again)
        outcome = refused or await desk.decide(alert, change_)
        if isinstance(outcome, Changed):
            saved.append(alerts.Saved(outcome.alert, outcome.effects, before=alert))
            answers.append(Answer(outcome.alert, outcome))
        else:
            answers.append(Answer(alert, outcome))
    if saved:
        await alerts.save(connection, saved, desk.now)
    return answers


async def _key_taken(
    connection: Connection, alert: Alert, open_again: set[tuple[int, str]]
) -> Refused | None:
    """At most one alert with a key is open: why this one is not reopened, None when it may be."""
    if alert.status is not Status.CLOSED or alert.external_id is None:
        return None
    key = (alert.team, alert.external_id)
    number = (await alerts.open_numbers(connection, [key])).get(key)
    if number is not None:
        return Refused(f"alert #{number} with the same key is open: answer that one")
    if key in open_again:
        return Refused("another alert with the same key was reopened just now: answer that one")
    open_again.add(key)
    return None


_RACES = 5
"""How often an answer is run because an event opened the same key first."""
