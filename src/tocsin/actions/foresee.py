"""Who would be paged for an alert raised at a given time, step by step and channel by channel."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.actions.world import World
from tocsin.core.escalation import EscalationPlan, IfNobody, Step
from tocsin.core.kinds import Severity
from tocsin.core.routing import URGENCY
from tocsin.core.rules import Person, pages
from tocsin.store import named
from tocsin.store.db import Connection
from tocsin.store.paging import TeamContext, escalation_plan, team_context


@dataclass(frozen=True, slots=True)
class ForeseenPage:
    """One message: to whom, by which method, when; again every `repeat_every`."""

    person: str
    method: str
    channel: str
    at: datetime
    repeat_every: timedelta | None


@dataclass(frozen=True, slots=True)
class ForeseenStep:
    """One step of a round. `skipped`: nobody can be reached in it, and the next starts at once."""

    number: int
    round: int
    at: datetime
    wait: timedelta
    pages: tuple[ForeseenPage, ...]
    unreachable: tuple[str, ...]
    skipped: bool


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The whole escalation while nobody answers; `admins` are told after the last step."""

    team: str
    time_zone: str
    policy: str | None
    steps: tuple[ForeseenStep, ...]
    admins: tuple[str, ...]


async def foresee(world: World, team: str, at: datetime, severity: Severity) -> Foreseen | None:
    """The escalation of an alert of this severity raised at `at`; None for an unknown team.

    Duty is looked up for the moment at which each step would start, as the real escalation does.
    """
    async with world.database.transaction() as connection:
        found = await named.team(connection, team, None)
        if found is None:
            return None
        context = await team_context(connection, found.row, at)
        name = "default" if "default" in context.policies else next(iter(context.policies), None)
        steps = (
            [step async for step in _steps(connection, context, name, at, severity)] if name else []
        )
    return Foreseen(
        team=context.name,
        time_zone=context.time_zone,
        policy=name,
        steps=tuple(steps),
        admins=tuple(admin.name for admin in context.admins),
    )


async def _steps(
    connection: Connection, context: TeamContext, policy: str, at: datetime, severity: Severity
) -> AsyncIterator[ForeseenStep]:
    copied = context.policies[policy]
    for round_ in range(copied.repeat + 1):
        for number, step in enumerate(copied.steps, start=1):
            then = await team_context(connection, context.id, at)
            foreseen = _step(step, escalation_plan(then, copied), number, round_ + 1, at, severity)
            yield foreseen
            if not foreseen.skipped:
                at += step.wait


def _step(
    step: Step, plan: EscalationPlan, number: int, round_: int, at: datetime, severity: Severity
) -> ForeseenStep:
    people = plan.people_of(step)
    found = tuple(page for person in people for page in _pages(person, severity, at))
    reached = {page.person for page in found}
    return ForeseenStep(
        number=number,
        round=round_,
        at=at,
        wait=step.wait,
        pages=tuple(sorted(found, key=lambda page: page.at)),
        unreachable=tuple(person.name for person in people if person.name not in reached),
        skipped=not found and step.if_nobody is IfNobody.SKIP,
    )


def _pages(person: Person, severity: Severity, at: datetime) -> Iterable[ForeseenPage]:
    methods = {method.id: method for method in person.methods}
    for page in pages(person, URGENCY[severity], at):
        method = methods[page.method]
        yield ForeseenPage(person.name, method.name, method.channel, page.due_at, page.repeat_every)
