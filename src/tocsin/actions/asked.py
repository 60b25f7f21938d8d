"""Answers that need to know whom a name means at this moment: hand on, ask for help."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tocsin.actions.desk import Desk
from tocsin.core.alert import Alert
from tocsin.core.changes import Change, Reassigned, RespondersAdded
from tocsin.core.escalation import distinct
from tocsin.core.kinds import Actor
from tocsin.core.rules import Person
from tocsin.store import named

Asked = Callable[[Desk, Alert], Awaitable[Change]]


@dataclass(frozen=True, slots=True)
class Whom:
    """A user, or a team, by row: those on duty first, else on any duty, else all its members."""

    name: str
    user: int | None = None
    team: int | None = None


def reassigned(by: Actor, whom: Whom, comment: str | None) -> Asked:
    """Give the alert to `whom`, as they can be reached in the transaction that does it."""

    async def make(desk: Desk, alert: Alert) -> Change:
        return Reassigned(by, await _people(desk, whom, alert), whom.name, comment)

    return make


def responders_added(by: Actor, whom: Whom, comment: str | None) -> Asked:
    """Ask `whom` for help, as they can be reached in the transaction that does it."""

    async def make(desk: Desk, alert: Alert) -> Change:
        return RespondersAdded(by, await _people(desk, whom, alert), comment)

    return make


async def _people(desk: Desk, whom: Whom, alert: Alert) -> tuple[Person, ...]:
    if whom.team is not None:
        context = await desk.context(whom.team)
        first = context.on_duty.get("1", ())
        others = distinct(person for tier in context.on_duty.values() for person in tier)
        return first or others or context.members
    assert whom.user is not None
    for team in (alert.team, *await named.teams_of(desk.connection, whom.user)):
        person = (await desk.context(team)).people.get(whom.user)
        if person is not None:
            return (person,)
    return ()
