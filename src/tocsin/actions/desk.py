"""What one transaction knows about teams and plans, so that many alerts can be decided in it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError

from tocsin.core.alert import Alert, Changed, Outcome, apply
from tocsin.core.changes import (
    Acknowledged,
    AcknowledgementExtended,
    Annotated,
    Change,
    ClockSetBack,
    Closed,
    EscalatedByHand,
    OwnerLeft,
    Reopened,
    ResponderAnswered,
    SeenAgain,
    Snoozed,
    TakenOver,
)
from tocsin.core.effects import TakeTurn
from tocsin.core.escalation import EscalationPlan, OneUser, Policy
from tocsin.core.kinds import USUAL_ACKNOWLEDGEMENTS, Mode, Status
from tocsin.core.routing import chosen
from tocsin.store import plans
from tocsin.store.alerts import Saved
from tocsin.store.db import Connection
from tocsin.store.paging import (
    TeamContext,
    asks_who_is_next,
    escalation_plan,
    goes_round,
    knows,
    next_on_duty,
    targets,
    team_context,
    team_contexts,
    turns_taken,
)

log = structlog.get_logger()


class UnreadableCopyError(Exception):
    """A newer version copied the policy of an alert; nothing is decided about it here."""


class Desk:
    """Looks up each team and plan once; who is on duty is what this transaction sees."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self._contexts: dict[int, TeamContext] = {}
        self._plans: dict[tuple[int, str], EscalationPlan] = {}
        self._turned: set[tuple[int, str]] = set()

    async def prepare(self, teams: Iterable[int], copies: Iterable[tuple[int, str]] = ()) -> None:
        """Look up at once what a batch will ask for: teams, and (team, digest) of its plans."""
        unknown = set(teams) - self._contexts.keys()
        if unknown:
            self._contexts |= await team_contexts(self.connection, unknown, self.now)
        await self._load({copy for copy in copies if copy not in _COPIES})

    async def prepare_for(self, claimed: Sequence[Alert]) -> None:
        """The same for alerts; what cannot be read is met again with each alert that needs it."""
        try:
            await self.prepare(
                {alert.team for alert in claimed}, {(alert.team, alert.policy) for alert in claimed}
            )
        except DBAPIError:
            raise
        except Exception:
            log.exception("a team or policy cannot be read; each alert is tried by itself")

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
            known = await self.meaning(team, await self._policy(team, digest))
            self._plans[team, digest] = known
        return known

    async def meaning(self, team: int, policy: Policy) -> EscalationPlan:
        """Whom the targets of a policy mean now, without the turns that were taken."""
        context = await self.context(team)
        asked = asks_who_is_next(policy)
        coming = await next_on_duty(self.connection, team, asked, self.now) if asked else {}
        named = {OneUser(user) for users in coming.values() for user in users}
        strange = [one for one in (*targets(policy), *named) if not knows(context, one)]
        if strange:  # the policy was edited since: a running escalation follows its copy
            context = await team_context(self.connection, team, self.now, strange)
        people = context.people
        return replace(
            escalation_plan(context, policy),
            next_on_duty={
                target: tuple(people[user] for user in users if user in people)
                for target, users in coming.items()
            },
        )

    async def decide(self, alert: Alert, change: Change) -> Outcome:
        """What the core makes of a change.

        An alert that is reopened or starts anew follows the policy of today.
        """
        if _starts_anew(alert, change):
            alert = await self._renewed(alert)
        plan = await self._plan_for(alert, change)
        outcome = apply(alert, change, plan, self.now)
        for effect in outcome.effects if isinstance(outcome, Changed) else ():
            if isinstance(effect, TakeTurn):
                plan = plan.turn_taken(effect.step)
                self._plans[alert.team, alert.policy] = plan
        return outcome

    async def _plan_for(self, alert: Alert, change: Change) -> EscalationPlan:
        """The plan of an alert; one whose copy cannot be read can be answered all the same."""
        starts = not isinstance(change, _STARTS_NO_STEP)
        try:
            plan = await self.plan(alert.team, alert.policy)
        except UnreadableCopyError:
            if starts:
                raise
            plan = escalation_plan(await self.context(alert.team), Policy(steps=()))
        return await self._in_turn(alert, plan) if starts and goes_round(plan.policy) else plan

    async def policy_changed(self, alert: Alert) -> bool:
        """Whether the policy that the alert was raised with reads otherwise today."""
        _, policy = chosen((await self.context(alert.team)).policies, alert.policy_name)
        return plans.digest(policy) != alert.policy

    async def follow(self, saved: Saved, change: Change) -> tuple[Saved, Outcome]:
        """A further change to an alert that this transaction has already changed."""
        outcome = await self.decide(saved.alert, change)
        return (saved.then(outcome) if isinstance(outcome, Changed) else saved), outcome

    async def _in_turn(self, alert: Alert, plan: EscalationPlan) -> EscalationPlan:
        """The plan with the turns that were taken; read once, then counted here."""
        key = (alert.team, alert.policy)
        if key not in self._turned:
            plan = replace(plan, turns=await turns_taken(self.connection, *key))
            self._plans[key] = plan
            self._turned.add(key)
        return plan

    async def _renewed(self, alert: Alert) -> Alert:
        name, policy = chosen((await self.context(alert.team)).policies, alert.policy_name)
        await plans.keep(self.connection, alert.team, [policy])
        count = alert.own_acknowledgements or policy.acknowledgements or USUAL_ACKNOWLEDGEMENTS
        return replace(
            alert,
            mode=alert.mode if alert.own_mode else policy.mode or Mode.SINGLE,
            acknowledgements_required=count,
            policy=plans.digest(policy),
            policy_name=name,
            close_after=policy.close_after,
        )

    async def _policy(self, team: int, digest: str) -> Policy:
        if (team, digest) not in _COPIES:
            await self._load({(team, digest)})
        policy = _COPIES.get((team, digest), Policy(steps=()))
        if policy is None:
            raise UnreadableCopyError(f"the policy copied as {digest} cannot be read")
        return policy

    async def _load(self, copies: set[tuple[int, str]]) -> None:
        if not copies:
            return
        if len(_COPIES) > _MOST_COPIES:
            _COPIES.clear()
        _COPIES.update(await plans.load(self.connection, copies))


def _starts_anew(alert: Alert, change: Change) -> bool:
    if isinstance(change, EscalatedByHand):
        return change.restart
    return isinstance(change, Reopened) and alert.status is Status.CLOSED


# After these nobody is paged by a step, so they need no turn, and wait for nobody who takes one.
_STARTS_NO_STEP = (
    Acknowledged,
    TakenOver,
    Snoozed,
    AcknowledgementExtended,
    Closed,
    Annotated,
    SeenAgain,
    ResponderAnswered,
    ClockSetBack,
    OwnerLeft,
)

# A copy never changes, so a process may keep it; the bound keeps a long life small.
_COPIES: dict[tuple[int, str], Policy | None] = {}
_MOST_COPIES = 4096
