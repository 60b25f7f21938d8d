"""What a signed link opens, and what its holder may still do through it."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tocsin.actions import links, reply
from tocsin.actions.world import World
from tocsin.core.access import Action, Caller, allows, sees
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
    """What a link leads to: the alert, and the person whom the link was sent to."""

    linked: Linked
    alert: Alert
    person: Caller

    @property
    def may_act(self) -> bool:
        """Whether the person's role in the team lets them change alerts."""
        return allows(self.person, Action.CHANGE_ALERTS, self.alert.team)


async def open_link(world: World, purpose: str, secret: str) -> Opened | Closedness:
    """Look behind a link; changes nothing."""
    found = links.opened(world.keys, purpose, secret)
    if found is None:
        return Closedness.UNKNOWN
    async with world.database.transaction() as connection:
        behind = await linked.find(connection, *found)
        alert = await alerts.get(connection, behind.team, behind.alert) if behind else None
    if behind is None or alert is None:
        return Closedness.UNKNOWN
    if behind.person is None or not sees(behind.person, behind.team):
        return Closedness.NO_ACCESS
    if alert.closure is not None and world.clock.now() - alert.closure.at > LASTS:
        return Closedness.ENDED
    return Opened(behind, alert, behind.person)


async def reopened(world: World, opened: Opened) -> Opened:
    """The same link as it stands now."""
    async with world.database.transaction() as connection:
        behind = await linked.find(connection, opened.linked.team, opened.linked.notification)
        alert = await alerts.get(connection, opened.alert.team, opened.alert.id)
    return Opened(behind or opened.linked, alert or opened.alert, opened.person)


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
