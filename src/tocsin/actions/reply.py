"""Somebody answers: one change to one alert or to several, from any mouth."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from tocsin.actions.desk import Desk
from tocsin.actions.world import World
from tocsin.core.alert import Alert, Changed, Outcome
from tocsin.core.changes import Change
from tocsin.store import alerts


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


async def change_many(world: World, refs: Iterable[AlertRef], asked: Asked) -> list[Answer]:
    """Change several alerts in one transaction; those that do not exist are left out.

    Refusals do not undo the others: each alert has its own outcome, in the order of `refs`.
    """
    wanted = list(dict.fromkeys(refs))
    now = world.clock.now()
    async with world.database.transaction() as connection:
        desk = Desk(connection, now)
        found = await alerts.get_many(connection, [(r.team, r.id) for r in wanted], lock=True)
        answers: list[Answer] = []
        saved: list[alerts.Saved] = []
        for alert in (found[ref.id] for ref in wanted if ref.id in found):
            change_ = await asked(desk, alert) if callable(asked) else asked
            outcome = await desk.decide(alert, change_)
            if isinstance(outcome, Changed):
                saved.append(alerts.Saved(outcome.alert, outcome.effects))
                answers.append(Answer(outcome.alert, outcome))
            else:
                answers.append(Answer(alert, outcome))
        if saved:
            await alerts.save(connection, saved, now)
    if saved:
        world.wake()
    return answers
