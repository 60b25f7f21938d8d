"""Which pages go out now, with all that their messages need."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from tocsin.actions.deliver.reaching import Channels
from tocsin.actions.links import links
from tocsin.actions.shown import alert_object
from tocsin.actions.world import World
from tocsin.core import ids
from tocsin.core.alert import Alert
from tocsin.core.effects import Purpose
from tocsin.core.message import Words, words
from tocsin.core.notification import State, retry_at, still_wanted
from tocsin.keys import SealError
from tocsin.ports import Address, Channel, MessageKind, Outgoing, SecretMissingError
from tocsin.store import alerts
from tocsin.store.db import Connection
from tocsin.store.methods import MethodRow, channel_settings, methods_by_id
from tocsin.store.names import team_names, user_names
from tocsin.store.outbox import PAGE_LEASE, Due, Full, Settled, claim_pages, settle_pages

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed page with its message, to be handed to its channel before the lease ends."""

    due: Due
    channel: Channel
    medium: str
    message: Outgoing
    address: Address
    lease_until: datetime


async def claim(
    world: World, channels: Channels, limit: int, full: Full
) -> tuple[list[Ready], int]:
    """Lease due pages, and settle those that are not to be sent.

    Returns what is to be sent, and how many were claimed in all. A page whose message cannot be
    made is put back with the reason; it holds up no other.
    """
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        claimed = await claim_pages(connection, now, limit, full)
        if not claimed:
            return [], 0
        known = await _Known.load(connection, claimed)
    made = [known.made(world, channels, due, now) for due in claimed]
    dropped = [one for one in made if isinstance(one, Settled)]
    if dropped:
        try:
            async with world.worker_database.transaction() as connection:
                await settle_pages(connection, dropped, now)
        except Exception:
            # Their leases run out and they are looked at again; the others go out now.
            log.exception("pages that are not sent were not settled", pages=len(dropped))
    return [one for one in made if isinstance(one, Ready)], len(claimed)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is looked up once for a batch of pages."""

    alerts: Mapping[UUID, Alert]
    methods: Mapping[int, MethodRow]
    teams: Mapping[int, str]
    users: Mapping[int, str]
    settings: Mapping[str, Mapping[str, Any]]

    @classmethod
    async def load(cls, connection: Connection, claimed: list[Due]) -> "_Known":
        found = await alerts.get_many(
            connection, [(due.team, due.alert) for due in claimed if due.alert is not None]
        )
        owners = {alert.owner for alert in found.values() if alert.owner is not None}
        methods = await methods_by_id(connection, {due.promise.method for due in claimed})
        return cls(
            found,
            methods,
            await team_names(connection, {due.team for due in claimed}),
            await user_names(connection, owners | {due.promise.user for due in claimed}),
            await channel_settings(connection, {method.channel for method in methods.values()}),
        )

    def made(self, world: World, channels: Channels, due: Due, now: datetime) -> Ready | Settled:
        """The page as it goes out, or why it does not; never raises."""
        try:
            return self._made(world, channels, due, now)
        except (SecretMissingError, SealError) as fault:  # it waits for somebody to put it right
            reason = str(fault)
        except Exception as fault:
            # A plug-in that cannot be loaded, a row that makes no sense: this page alone waits.
            log.exception("a page cannot be made", notification=ids.encode(due.team, due.id))
            reason = f"the message cannot be made: {type(fault).__name__}"
        again = retry_at(due.tries, None, now)
        return Settled(due=due, state=State.PLANNED, detail=reason, again_at=again)

    def _made(self, world: World, channels: Channels, due: Due, now: datetime) -> Ready | Settled:
        alert = self.alerts.get(due.alert) if due.alert is not None else None
        method = self.methods.get(due.promise.method)
        if alert is None or due.team not in self.teams:
            return Settled(due=due, state=State.CANCELLED, detail="the alert or its team is gone")
        why_not = still_wanted(due.promise, alert, now)
        if why_not is not None:
            return Settled(due=due, state=State.CANCELLED, detail=why_not)
        if method is None or method.disabled is not None or not method.user_active:
            return Settled(due=due, state=State.FAILED, detail=_unusable(method))
        channel = channels.get(method.channel, self.settings.get(method.channel, {}))
        if channel is None:
            detail = f"the channel {method.channel} is not installed"
            return Settled(due=due, state=State.FAILED, detail=detail)
        signing = method.signing_key(world.keys, world.secrets)
        message = self._message(world, due, alert, method, machine=channel.capabilities.machine)
        address = Address(value=method.address, signing_key=signing)
        return Ready(due, channel, method.channel, message, address, now + PAGE_LEASE)

    def _message(
        self, world: World, due: Due, alert: Alert, method: MethodRow, *, machine: bool
    ) -> Outgoing:
        team = self.teams[due.team]
        said: Words = words(alert, due.promise.purpose, team, due.attempt)
        signed = dict(links(world.keys, world.public_url, due.team, due.id))
        if not machine:
            del signed["reply"]
        shown: dict[str, Any] = alert_object(
            alert, team, self.users, ids.encode(alert.team, alert.id)
        )
        return Outgoing(
            id=ids.encode(due.team, due.id),
            kind=_KINDS[due.promise.purpose],
            user=self.users.get(due.promise.user, "?"),
            contact_method=method.name,
            urgency=due.urgency,
            step=due.step + 1,
            attempt=due.attempt,
            subject=said.subject,
            text=said.text,
            body=said.body,
            alert=shown,
            links=signed,
        )


_KINDS = {
    Purpose.ESCALATION: MessageKind.ALERT,
    Purpose.RESPONDER: MessageKind.ALERT,
    Purpose.UPDATE: MessageKind.UPDATE,
    Purpose.ACKNOWLEDGED: MessageKind.ACKNOWLEDGED,
    Purpose.RESOLVED: MessageKind.RESOLVED,
}


def _unusable(method: MethodRow | None) -> str:
    if method is None:
        return "the contact method is gone"
    if not method.user_active:
        return "the person was deactivated"
    return f"the contact method is disabled: {method.disabled}"
