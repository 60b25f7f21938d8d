"""What is planned for the hours ahead: duty from moment to moment, and how people are reached."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tocsin.actions.desk import Desk
from tocsin.actions.foresee.imagined import Outbox
from tocsin.actions.foresee.posting import Post
from tocsin.actions.world import World
from tocsin.core.escalation import EscalationPlan, OnDuty, Policy, Webhook, WholeTeam
from tocsin.core.notification import QuietHours
from tocsin.store.db import Connection
from tocsin.store.methods import MethodRow, methods_by_id, outgoing_webhooks
from tocsin.store.names import user_names
from tocsin.store.paging import (
    Spell,
    TeamContext,
    asks_who_is_next,
    spells,
    targets,
    team_context,
)
from tocsin.store.quiet import quiet_hours

HOURS = timedelta(hours=24)
"""How far ahead is looked."""

_OnDuty = tuple[int, str, int]

Duty = frozenset[_OnDuty]
"""Team, tier and user of everybody on duty in the teams that a policy concerns."""

_Key = datetime | tuple[_OnDuty, ...]


@dataclass(slots=True, kw_only=True)
class Future:
    """One team from `start` on, for an alert that follows `policy`; all read in one transaction.

    Whom the policy means changes only with who is on duty, where a spell begins or ends.
    `failing` names media and contact methods that are assumed to take nothing.
    """

    world: World
    connection: Connection
    team: int
    policy: Policy
    start: datetime
    failing: frozenset[str] = frozenset()
    _spells: list[Spell] = field(default_factory=list[Spell])
    _moments: list[datetime] = field(default_factory=list[datetime])
    _plans: dict[_Key, EscalationPlan] = field(default_factory=dict[_Key, EscalationPlan])
    _methods: dict[int, MethodRow] = field(default_factory=dict[int, MethodRow])
    _quiet: dict[int, QuietHours] = field(default_factory=dict[int, QuietHours])
    _users: dict[int, str] = field(default_factory=dict[int, str])
    _webhooks: frozenset[str] = frozenset()

    @property
    def end(self) -> datetime:
        """The last moment that is looked at."""
        return self.start + HOURS

    @classmethod
    async def of(
        cls,
        world: World,
        connection: Connection,
        team: int,
        policy: Policy,
        start: datetime,
        failing: frozenset[str],
    ) -> "Future":
        """Look up who goes on and off duty when, and which webhooks there are."""
        future = cls(
            world=world,
            connection=connection,
            team=team,
            policy=policy,
            start=start,
            failing=failing,
        )
        found = await spells(connection, {team, *concerned(policy)}, start, future.end)
        borders = {at for one in found for at in (one.since, one.until) if at is not None}
        future._spells = found
        future._moments = [start, *sorted(at for at in borders if start < at <= future.end)]
        named = {one.name for one in targets(policy) if isinstance(one, Webhook)}
        if named:
            future._webhooks = frozenset(await outgoing_webhooks(connection, named))
        return future

    def next_border(self, after: datetime) -> datetime | None:
        """When a spell of duty begins or ends next."""
        place = bisect_right(self._moments, after)
        return self._moments[place] if place < len(self._moments) else None

    def duty(self, at: datetime) -> Duty:
        """Who is on duty."""
        return frozenset(self._on_duty(at))

    async def plan(self, at: datetime) -> EscalationPlan:
        """Whom the policy means, without the turns that were taken."""
        since = self._moments[bisect_right(self._moments, at) - 1]
        key = since if asks_who_is_next(self.policy) else tuple(self._on_duty(since))
        known = self._plans.get(key)
        if known is None:
            known = await Desk(self.connection, since).meaning(self.team, self.policy)
            self._plans[key] = known
        return known

    async def context(self, at: datetime) -> TeamContext:
        """The team with the maintenance windows that are open at that moment."""
        return await team_context(self.connection, self.team, at)

    async def post(self, outbox: Outbox, at: datetime) -> Post:
        """How messages fare that are due by then."""
        due = [one.promise for one in outbox.due(at)]
        await self._look_up({m for one in due if (m := one.method) is not None})
        await self.know({u for one in due if (u := one.user) is not None})
        on_duty = {user for team, _, user in self.duty(at) if team == self.team}
        return Post(
            users=self._users,
            methods=self._methods,
            webhooks=self._webhooks,
            quiet={
                user: replace(hours, on_duty=user in on_duty) for user, hours in self._quiet.items()
            },
            installed=self.world.plug_ins.channels.keys(),
            failing=self.failing,
        )

    async def know(self, users: Iterable[int]) -> None:
        """Look up the names and quiet hours of these people, where they are not known yet."""
        unknown = set(users) - self._users.keys()
        if not unknown:
            return
        found = await user_names(self.connection, unknown)
        self._users |= {user: found.get(user, f"user {user}") for user in unknown}
        hours = await quiet_hours(
            self.connection, [(self.team, user) for user in unknown], self.start
        )
        self._quiet |= {user: one for (_, user), one in hours.items()}

    def _on_duty(self, at: datetime) -> Iterable[_OnDuty]:
        for one in self._spells:
            if one.since <= at and (one.until is None or at < one.until):
                yield one.team, one.tier, one.user

    async def _look_up(self, methods: set[int]) -> None:
        unknown = methods - self._methods.keys()
        if unknown:
            self._methods |= await methods_by_id(self.connection, unknown)


def concerned(policy: Policy) -> set[int]:
    """The teams that a policy names, besides the one that has it."""
    return {
        target.team
        for target in targets(policy)
        if isinstance(target, OnDuty | WholeTeam) and target.team is not None
    }
