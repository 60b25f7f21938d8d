"""Answers that need to know whom a name means at this moment: hand on, ask for help."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tocsin.actions.desk import Desk
from tocsin.core.alert import Alert
from tocsin.core.changes import Change, Reassigned, RespondersAdded
from tocsin.core.kinds import Actor
from tocsin.core.rules import Person

Asked = Callable[[Desk, Alert], Awaitable[Change]]


@dataclass(frozen=True, slots=True)
class Whom:
    """A user, or those on duty in a team (everybody in it when nobody is), by row."""

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
    raise NotImplementedError
