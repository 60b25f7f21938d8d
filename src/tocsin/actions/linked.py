"""What a signed link opens, and what its holder may still do through it."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from tocsin.actions import links, reply
from tocsin.actions.desk import Desk
from tocsin.actions.world import World
from tocsin.core.access import Caller, link_acts, link_opens
from tocsin.core.alert import Alert
from tocsin.core.changes import (
    Acknowledged,
    Annotated,
    Change,
    Closed,
    EscalatedByHand,
    TakenOver,
)
from tocsin.core.effects import Purpose
from tocsin.core.kinds import Actor, Status, Via
from tocsin.store import alerts, linked
from tocsin.store.db import Connection
from tocsin.store.linked import Linked
from tocsin.store.outbox import Through

LASTS = timedelta(hours=24)
"""How long a link works after its alert was closed, to say who closed it."""


class Verb(StrEnum):
    """What a link can be asked to do."""

    ACKNOWLEDGE = "acknowledge"
    CLOSE = "close"
    ESCALATE = "escalate"
    ANNOTATE = "annotate"


class Closedness(StrEnum):
    """Why a link does not open."""

    UNKNOWN = "unknown"
    ENDED = "ended"
    NO_ACCESS = "no_access"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link leads to: the alert, and the person whom the link was sent to.

    `carried` are the other alerts of the same message, all that the person may see. `meant`: the
    alert means this person, also where they are in no team that sees it.
    """

    linked: Linked
    alert: Alert
    person: Caller
    meant: bool
    carried: tuple[Alert, ...] = ()

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """All that the link acts on."""
        return (self.alert, *self.carried)

    @property
    def offered(self) -> bool:
        """Whether it asks its holder to take over what is somebody else's."""
        return self.linked.purpose is Purpose.OFFERED

    @property
    def over(self) -> bool:
        """Whether nothing is left to do through it."""
        return all(alert.status is Status.CLOSED for alert in self.alerts)

    @property
    def may_act(self) -> bool:
        """Whether the person may change the alert through the link."""
        return link_acts(self.person, self.alert.team, meant=self.meant)


async def open_link(world: World, purpose: str, secret: str) -> Opened | Closedness:
    """Look behind a link; changes nothing.

    It opens to members of the alert's team, to admins, and to whoever the alert means: by any
    step of its plan as it stands now (another team, one person, those on duty), by hand, as its
    owner, or because they closed it.
    """
    found = links.opened(world.keys, purpose, secret)
    if found is None:
        return Closedness.UNKNOWN
    async with world.database.transaction() as connection:
        behind = await linked.find(connection, *found)
        found_alerts = await _alerts(connection, behind)
        alert = found_alerts.get(behind.alert) if behind else None
        if behind is None or alert is None:
            return Closedness.UNKNOWN
        desk = Desk(connection, world.clock.now())
        meant = await _meant(desk, alert, behind.person)
        carried = await _visible(desk, behind, found_alerts)
    if behind.person is None or not link_opens(behind.person, behind.team, meant=meant):
        return Closedness.NO_ACCESS
    opened = Opened(behind, alert, behind.person, meant, carried)
    ends = [known.closure.at for known in opened.alerts if known.closure is not None]
    if len(ends) == len(opened.alerts) and world.clock.now() - max(ends) > LASTS:
        return Closedness.ENDED
    return opened


async def reopened(world: World, opened: Opened) -> Opened:
    """The same link as it stands now."""
    async with world.database.transaction() as connection:
        behind = await linked.find(connection, opened.linked.team, opened.linked.notification)
        found = await alerts.get_many(connection, [(one.team, one.id) for one in opened.alerts])
    alert, *carried = (found.get(one.id, one) for one in opened.alerts)
    return replace(opened, linked=behind or opened.linked, alert=alert, carried=tuple(carried))


def nonce(world: World, opened: Opened) -> str:
    """The nonce that lets the page's form act once."""
    return links.page_nonce(world.keys, opened.linked.notification, opened.linked.uses)


async def use_nonce(world: World, opened: Opened, given: str) -> bool:
    """Use the nonce up; False when it is not the present one, or was used at the same moment."""
    if not hmac.compare_digest(given.encode(errors="replace"), nonce(world, opened).encode()):
        return False
    async with world.database.transaction() as connection:
        return await linked.use(connection, opened.linked)


async def act(
    world: World, opened: Opened, verb: Verb, comment: str | None, via: Via
) -> list[reply.Answer]:
    """Do what the holder asks, as the person the link was sent to, to all that is not closed.

    To acknowledge what was offered is to take it over from its owner.
    Empty when the alerts are gone.
    """
    by = Actor(opened.person.name, opened.person.user, via)
    left = [alert for alert in opened.alerts if alert.status is not Status.CLOSED]
    refs = [reply.AlertRef(alert.team, alert.id) for alert in left or opened.alerts]
    through = Through(opened.linked.team, opened.linked.notification, verb.value, by)
    if opened.offered and verb is Verb.ACKNOWLEDGE:
        return await reply.change_many(world, refs, TakenOver(by, comment), through)
    return await reply.change_many(world, refs, _change(verb, by, comment), through)


async def _alerts(connection: Connection, behind: Linked | None) -> dict[UUID, Alert]:
    if behind is None:
        return {}
    wanted = dict.fromkeys((behind.alert, *behind.carried))
    return await alerts.get_many(connection, [(behind.team, one) for one in wanted])


async def _visible(desk: Desk, behind: Linked, found: Mapping[UUID, Alert]) -> tuple[Alert, ...]:
    """The carried alerts, those that mean the person where they are in no team that sees all."""
    person = behind.person
    others = [
        found[one] for one in dict.fromkeys(behind.carried) if one in found and one != behind.alert
    ]
    if person is None or link_opens(person, behind.team, meant=False):
        return tuple(others)
    return tuple([alert for alert in others if await _meant(desk, alert, person)])


async def _meant(desk: Desk, alert: Alert, person: Caller | None) -> bool:
    if person is None:
        return False
    if person.user in {*alert.asked, alert.owner, alert.closure.user if alert.closure else None}:
        return True
    plan = await desk.plan(alert.team, alert.policy)
    return any(person.user == one.id for people in plan.people.values() for one in people)


def _change(verb: Verb, by: Actor, comment: str | None) -> Change:
    match verb:
        case Verb.ACKNOWLEDGE:
            return Acknowledged(by, comment)
        case Verb.CLOSE:
            return Closed(by, comment)
        case Verb.ESCALATE:
            return EscalatedByHand(by, comment)
        case Verb.ANNOTATE:
            return Annotated(by, comment or "")
