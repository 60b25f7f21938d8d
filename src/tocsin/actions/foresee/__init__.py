"""Who would be told what, minute by minute, while nobody answers an alert."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tocsin.actions.desk import Desk
from tocsin.actions.foresee.future import Future, concerned
from tocsin.actions.foresee.lines import Ending, Foreseen, Kind, Line, Repeating
from tocsin.actions.foresee.onwards import outbox_of
from tocsin.actions.foresee.story import Story
from tocsin.actions.intake import Posted, seed_of
from tocsin.actions.world import World
from tocsin.core.event import Event
from tocsin.core.kinds import SYSTEM, Severity
from tocsin.core.notation import utc_text
from tocsin.core.routing import Category
from tocsin.store import alerts, dutywatch
from tocsin.store.db import only_read
from tocsin.store.methods import method_names
from tocsin.store.paging import TeamContext, turns_taken
from tocsin.store.plans import digest
from tocsin.store.shifts import HORIZON

__all__ = [
    "Ending",
    "Foreseen",
    "Kind",
    "Line",
    "NoSuchCategory",
    "Question",
    "Repeating",
    "foresee",
    "foresee_alert",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An alert that might come: to which team (its row), when, and what its sender says.

    `failing` names channels and contact methods that are assumed to take nothing.
    """

    team: int
    at: datetime
    severity: Severity = Severity.HIGH
    category: str | None = None
    title: str = "An alert"
    failing: frozenset[str] = frozenset()


class NoSuchCategory(ValueError):  # noqa: N818 - the name says what is wrong
    """The team does not have the category that is asked for."""


async def foresee(world: World, asked: Question) -> Foreseen:
    """What would happen from `asked.at` on while nobody answers; nothing is written.

    Everything is as it is configured now; shifts are those that are worked out. Raises
    `NoSuchCategory`.
    """
    async with world.database.transaction() as connection:
        await only_read(connection)
        context = await Desk(connection, asked.at).context(asked.team)
        _check_category(context.name, context.categories, asked.category)
        event = Event(title=asked.title, severity=asked.severity, category=asked.category)
        posted = Posted(team=asked.team, name="preview", inlet="preview", said=(event,))
        seed = seed_of(context, posted, event, SYSTEM, 0, asked.at)
        future = await Future.of(
            world, connection, asked.team, seed.policy, asked.at, asked.failing
        )
        turns = await turns_taken(connection, asked.team, digest(seed.policy), lock=False)
        story = Story(future=future, alert=seed.alert, turns=turns)
        await story.begin(seed.change, asked.at)
        return await _told(story, context)


async def foresee_alert(
    world: World, team: int, row: UUID, failing: frozenset[str] = frozenset()
) -> Foreseen | None:
    """The same from now on for an alert that there is; None where there is none."""
    now = world.clock.now()
    async with world.database.transaction() as connection:
        await only_read(connection)
        alert = await alerts.get(connection, team, row)
        if alert is None:
            return None
        desk = Desk(connection, now)
        policy = (await desk.plan(team, alert.policy)).policy
        paged = (*alert.crew, *(one.user for one in alert.leaving))
        people = await dutywatch.people(connection, paged)
        story = Story(
            future=await Future.of(world, connection, team, policy, now, failing),
            alert=alert,
            outbox=outbox_of(await alerts.notifications(connection, team, row), now),
            turns=await turns_taken(connection, team, alert.policy, lock=False),
            inactive={user: name for user, (name, active) in people.items() if not active},
            names={user: name for user, (name, _) in people.items()},
        )
        unseen = {one.team for one in await dutywatch.changed(connection, now)}
        story.resume(now, changed=bool(unseen & {team, *concerned(policy)}))
        return await _told(story, await desk.context(team))


async def _told(story: Story, context: TeamContext) -> Foreseen:
    begun, future = story.alert, story.future
    until, ending = await story.play()
    repeating = await story.repeating(until) if ending is not Ending.OVER else ()
    return Foreseen(
        alert=begun,
        team=context.name,
        time_zone=context.time_zone,
        at=future.start,
        lines=tuple(story.lines),
        until=until,
        ending=ending,
        repeating=repeating,
        warnings=(*_warnings(future.world.clock.now(), future.end), *await _unknown(future)),
    )


async def _unknown(future: Future) -> list[str]:
    """What is assumed to fail and is not there: a typing error would show that all goes well."""
    asked = future.failing - future.world.plug_ins.channels.keys()
    missing = asked - await method_names(future.connection, asked) if asked else asked
    return [
        f"no channel or contact method is called {name[:80]!r}: nothing is assumed to fail by it"
        for name in sorted(missing)
    ]


def _check_category(team: str, known: Iterable[Category], asked: str | None) -> None:
    names = [category.name for category in known]
    if asked is None or asked.casefold() in {name.casefold() for name in names}:
        return
    there = f"it has {', '.join(names)}" if names else "it has none"
    raise NoSuchCategory(f"the team {team} has no category {asked[:80]!r}; {there}")


def _warnings(now: datetime, end: datetime) -> Iterable[str]:
    if end > now + HORIZON:
        until = utc_text((now + HORIZON).replace(microsecond=0))
        yield f"shifts are worked out until {until}; later ones are not known yet"
