"""What a signed link opens, and what its holder may still do through it."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tocsin.actions import links, reply
from tocsin.actions.desk import Desk
from tocsin.actions.world import World
from tocsin.core.access import Caller, link_acts, link_opens
from tocsin.core.alert import Alert
from tocsin.core.changes import Acknowledged, Annotated, Change, Closed, EscalatedByHand
from tocsin.core.kinds import Actor, Via
from tocsin.store import alerts, linked
from tocsin.store.linked import Linked

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

    `meant`: the alert means this person, also where they are in no team that sees it.
    """

    linked: Linked
    alert: Alert
    person: Caller
    meant: bool

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
        alert = await alerts.get(connection, behind.team, behind.alert) if behind else None
        if behind is None or alert is None:
            return Closedness.UNKNOWN
        meant = await _meant(Desk(connection, world.clock.now()), alert, behind.person)
    if behind.person is None or not link_opens(behind.person, behind.team, meant=meant):
        return Closedness.NO_ACCESS
    if alert.closure is not None and world.clock.now() - alert.closure.at > LASTS:
        return Closedness.ENDED
    return Opened(behind, alert, behind.person, meant)


async def reopened(world: World, opened: Opened) -> Opened:
    """The same link as it stands now."""
    async with world.database.transaction() as connection:
        behind = await linked.find(connection, opened.linked.team, opened.linked.notification)
        alert = await alerts.get(connection, opened.alert.team, opened.alert.id)
    return Opened(behind or opened.linked, alert or opened.alert, opened.person, opened.meant)


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
) -> reply.Answer | None:
    """Do what the holder asks, as the person the link was sent to; None when the alert is gone."""
    by = Actor(opened.person.name, opened.person.user, via)
    ref = reply.AlertRef(opened.alert.team, opened.alert.id)
    return await reply.change(world, ref, _change(verb, by, comment))


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
