"""What one transaction knows about teams and plans, so that many alerts can be decided in it."""

from collections.abc import Iterable
from datetime import datetime

from tocsin.core.alert import Alert, Changed, Outcome, apply
from tocsin.core.changes import Change
from tocsin.core.escalation import EscalationPlan, Policy
from tocsin.store import plans
from tocsin.store.alerts import Saved
from tocsin.store.db import Connection
from tocsin.store.paging import (
    TeamContext,
    escalation_plan,
    knows,
    targets,
    team_context,
    team_contexts,
)


class Desk:
    """Looks up each team and plan once; who is on duty is what this transaction sees."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self._contexts: dict[int, TeamContext] = {}
        self._plans: dict[tuple[int, str], EscalationPlan] = {}

    async def prepare(self, teams: Iterable[int], copies: Iterable[tuple[int, str]] = ()) -> None:
        """Look up at once what a batch will ask for: teams, and (team, digest) of its plans."""
        unknown = set(teams) - self._contexts.keys()
        if unknown:
            self._contexts |= await team_contexts(self.connection, unknown, self.now)
        await self._load({copy for copy in copies if copy not in _COPIES})

    async def context(self, team: int) -> TeamContext:
        """What is configured for a team, and who is on duty in it now."""
        known = self._contexts.get(team)
        if known is None:
            known = await team_context(self.connection, team, self.now)
            self._contexts[team] = known
        return known

    async def plan(self, team: int, digest: str) -> EscalationPlan:
        """The copied policy with this digest, and whom its targets mean now."""
        known = self._plans.get((team, digest))
        if known is None:
            policy = await self._policy(team, digest)
            context = await self.context(team)
            strange = [target for target in targets(policy) if not knows(context, target)]
            if strange:  # the policy was edited since: a running escalation follows its copy
                context = await team_context(self.connection, team, self.now, strange)
            known = escalation_plan(context, policy)
            self._plans[team, digest] = known
        return known

    async def decide(self, alert: Alert, change: Change) -> Outcome:
        """What the core makes of a change."""
        return apply(alert, change, await self.plan(alert.team, alert.policy), self.now)

    async def follow(self, saved: Saved, change: Change) -> tuple[Saved, Outcome]:
        """A further change to an alert that this transaction has already changed."""
        outcome = await self.decide(saved.alert, change)
        return (saved.then(outcome) if isinstance(outcome, Changed) else saved), outcome

    async def _policy(self, team: int, digest: str) -> Policy:
        if (team, digest) not in _COPIES:
            await self._load({(team, digest)})
        return _COPIES.get((team, digest), Policy(steps=()))

    async def _load(self, copies: set[tuple[int, str]]) -> None:
        if not copies:
            return
        if len(_COPIES) > _MOST_COPIES:
            _COPIES.clear()
        _COPIES.update(await plans.load(self.connection, copies))


# A copy never changes, so a process may keep it; the bound keeps a long life small.
_COPIES: dict[tuple[int, str], Policy] = {}
_MOST_COPIES = 4096
