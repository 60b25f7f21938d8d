"""What is looked up once for a batch of claimed pages, and which of them are not to be sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tocsin.core import storm
from tocsin.core.alert import Alert
from tocsin.core.effects import Purpose
from tocsin.core.notification import QuietHours, State, held_until, still_wanted
from tocsin.store import alerts
from tocsin.store.db import Connection
from tocsin.store.methods import (
    MethodRow,
    channel_settings,
    methods_and_settings,
    outgoing_webhooks,
)
from tocsin.store.names import names_of
from tocsin.store.outbox import Due, Leaver, Settled, relieved
from tocsin.store.quiet import quiet_hours

WEBHOOK = "webhook"
"""The medium of what a step posts to an outgoing webhook."""


@dataclass(frozen=True, slots=True)
class Known:
    """Alerts, contact methods, names and settings of a batch; `relieved` by notification.

    `unread` are alerts that this version cannot read.
    """

    alerts: Mapping[UUID, Alert]
    unread: frozenset[UUID]
    methods: Mapping[int, MethodRow]
    webhooks: Mapping[str, Mapping[str, Any]]
    teams: Mapping[int, str]
    users: Mapping[int, str]
    settings: Mapping[str, Mapping[str, Any]]
    relieved: Mapping[UUID, str]
    quiet: Mapping[tuple[int, int], QuietHours]

    @classmethod
    async def load(cls, connection: Connection, claimed: Sequence[Due], now: datetime) -> "Known":
        """Look everything up."""
        found, unread = await alerts.read_many(
            connection, [(due.team, due.alert) for due in claimed if due.alert is not None]
        )
        owners = {alert.owner for alert in found.values()}
        people = owners | {due.promise.user for due in claimed}
        named = {due.webhook for due in claimed if due.webhook is not None}
        methods, settings = await methods_and_settings(
            connection, {m for due in claimed if (m := due.promise.method) is not None}
        )
        if named and WEBHOOK not in settings:
            settings |= await channel_settings(connection, [WEBHOOK])
        teams, users = await names_of(
            connection,
            {due.team for due in claimed},
            {user for user in people if user is not None},
        )
        leavers = _leavers(claimed, found)
        people_quiet = _quiet(claimed, methods)
        return cls(
            found,
            unread,
            methods,
            await outgoing_webhooks(connection, named) if named else {},
            teams,
            users,
            settings,
            await relieved(connection, leavers) if leavers else {},
            await quiet_hours(connection, people_quiet, now) if people_quiet else {},
        )

    def alert(self, due: Due) -> Alert | None:
        """The alert that a page is about; None for a notice, and where it is gone."""
        return None if due.alert is None else self.alerts.get(due.alert)

    def method(self, due: Due) -> MethodRow | None:
        """The contact method that a page goes to; None for a webhook, and where it is gone."""
        return None if due.promise.method is None else self.methods.get(due.promise.method)

    def per_minute(self, method: int) -> int:
        """How many messages a contact method takes in a minute."""
        own = self.methods[method].per_minute if method in self.methods else None
        return storm.PER_MINUTE if own is None else own

    def refused(self, due: Due, now: datetime) -> Settled | None:
        """Why a claimed page is not sent at all; None when it is."""
        if due.alert in self.unread:  # it waits for a version that can
            return None
        if due.team not in self.teams:
            return Settled(due=due, state=State.CANCELLED, detail="the alert or its team is gone")
        why_not = still_wanted(due.promise, self.alert(due), now)
        if why_not is None and due.id in self.relieved:
            why_not = f"relieved by {self.relieved[due.id]}"
        if why_not is not None:
            return Settled(due=due, state=State.CANCELLED, detail=why_not)
        method = self.method(due)
        if due.webhook is None and (method is None or method.disabled or not method.user_active):
            failed = "its contact method" if method is None else method.name
            return Settled(due=due, state=State.FAILED, detail=unusable(method), failed=failed)
        return None

    def held(self, due: Due, now: datetime) -> datetime | None:
        """Until when the person's quiet hours hold a page; the one place where they do."""
        if due.promise.user is None or due.alert in self.unread:
            return None
        quiet = self.quiet.get((due.team, due.promise.user))
        return (
            None
            if quiet is None
            else held_until(due.promise, due.urgency, quiet, now, self.alert(due))
        )


def _quiet(claimed: Sequence[Due], methods: Mapping[int, MethodRow]) -> list[tuple[int, int]]:
    """(team, user) of pages to people who have quiet hours."""
    return [
        (due.team, user)
        for due in claimed
        if (user := due.promise.user) is not None
        and (method := methods.get(due.promise.method or 0)) is not None
        and method.quiet
    ]


def _leavers(claimed: Sequence[Due], found: Mapping[UUID, Alert]) -> list[Leaver]:
    """Pages of people who left duty while their alert's step waits."""
    return [
        Leaver(due, leaving.successors)
        for due in claimed
        if due.alert is not None and due.promise.purpose is Purpose.ESCALATION
        for leaving in (found[due.alert].leaving if due.alert in found else ())
        if leaving.user == due.promise.user and leaving.successors
    ]


def unusable(method: MethodRow | None) -> str:
    """Why no message goes to a contact method that is gone, switched off, or of nobody active."""
    if method is None:
        return "the contact method is gone"
    if not method.user_active:
        return "the person was deactivated"
    return f"the contact method is disabled: {method.disabled}"
