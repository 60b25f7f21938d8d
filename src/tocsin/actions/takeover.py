"""Duty that runs passes from one person to another at once: taken over, or handed over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.actions.duty import duties_at
from tocsin.actions.notices import tell
from tocsin.actions.offers import By
from tocsin.actions.world import World
from tocsin.core.dutywords import Said, moment, notice
from tocsin.core.kinds import Urgency
from tocsin.core.rules import Person
from tocsin.core.schedule import Override, Schedule
from tocsin.core.standins import Give, Impossible, in_place
from tocsin.store import punches, shifts
from tocsin.store.calendars import changed
from tocsin.store.db import Connection
from tocsin.store.overrides import add_override
from tocsin.store.paging import team_context
from tocsin.store.schedules import schedules_of_team
from tocsin.store.shifts import HORIZON, OnDuty
from tocsin.store.standing import PUNCHED_IN


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """Who takes whose duty. `giver` None: of all in the tier; `tier` None: in every tier of theirs.

    It lasts until `until`, else until the giver's unbroken duty in the tier ends.
    """

    team: int
    taker: int
    giver: int | None = None
    tier: str | None = None
    until: datetime | None = None


async def pass_duty(world: World, passing: Passing, by: By) -> list[OnDuty] | Impossible:
    """Put the taker in the givers' place, in one transaction; answers who is on duty then.

    At every moment somebody is: before the commit the givers, after it the taker. Where the taker
    has it already nothing changes. Whoever is concerned and did not do it is told.
    """
    team = passing.team
    async with world.database.transaction() as connection:
        await shifts.hold(connection, team)
        now = world.clock.now()  # not before: whoever held it may have taken a while
        context = await team_context(connection, team, now)
        taker = next((one for one in context.everyone if one.id == passing.taker), None)
        if taker is None:
            return _no_member(context.name)
        before = await duties_at(connection, [team], now)
        given = [duty for duty in before if _means(passing, duty) and duty.user != taker.id]
        if not given:
            mine = any(_means(passing, duty, taker.id) for duty in before)
            return before if mine else _nobody(passing, context.people.get(passing.giver or 0))
        schedules = await schedules_of_team(connection, team, now, now + HORIZON)
        laid = _laid(schedules, passing, taker.name, given, now)
        if isinstance(laid, Impossible):
            return laid
        for row, made in laid:
            await add_override(connection, team, row, made, by.name, now)
        for duty in given:
            if duty.why == PUNCHED_IN:
                await _punch(connection, passing, duty, by, now)
        await shifts.materialise(connection, team, now)
        after = await duties_at(connection, [team], now)
        said = _said(taker.name, given, passing.until)
        told = [user for user in (*_givers(given), taker.id) if user != by.user]
        await tell(connection, team, told, said, now, urgency=Urgency.URGENT)
        await changed(connection, team)  # last: it locks the row where new alerts take numbers
    await world.database.notify()
    world.wake()
    return after


def _no_member(team: str) -> Impossible:
    return Impossible(
        f"That person cannot be on duty in {team}: not an active member of it who may answer"
        " alerts.",
        "Name a member of the team with the role user or above.",
    )


def _means(passing: Passing, duty: OnDuty, user: int | None = None) -> bool:
    whose = passing.giver if user is None else user
    return whose in {None, duty.user} and passing.tier in {None, duty.tier}


def _nobody(passing: Passing, giver: Person | None) -> Impossible:
    where = "" if passing.tier is None else f" in tier {passing.tier}"
    who = "Nobody" if passing.giver is None else f"{giver.name if giver else 'That person'}"
    verb = "is" if passing.giver is None else "is not"
    return Impossible(
        f"{who} {verb} on duty{where} now, so there is nothing to take over.",
        "Punch in instead, or look at who is on duty.",
    )


_Laid = list[tuple[int, Override]]
"""Overrides to be written, each with the row of its schedule."""


def _laid(
    schedules: Mapping[int, Schedule],
    passing: Passing,
    taker: str,
    given: Iterable[OnDuty],
    now: datetime,
) -> _Laid | Impossible:
    """The overrides that put the taker in the place of all who are on duty by a shift."""
    after, laid = dict(schedules), _Laid()
    for duty in given:
        end = min(passing.until or duty.until or now + HORIZON, now + HORIZON)
        for row, schedule in schedules.items():
            if schedule.tier != duty.tier or duty.why == PUNCHED_IN:
                continue
            made = in_place(after[row], Give(row, duty.user_name, taker, now, end))
            if isinstance(made, Impossible):
                return made
            after[row] = replace(after[row], overrides=(*made, *after[row].overrides))
            laid += [(row, one) for one in made]
    return laid


async def _punch(
    connection: Connection, passing: Passing, duty: OnDuty, by: By, now: datetime
) -> None:
    """The giver's punch-in goes to the taker, and what lies beyond `until` back to the giver."""
    team, tier, until = duty.team, duty.tier, passing.until
    ends = duty.until if until is None or (duty.until and duty.until <= until) else until
    await punches.punch_out(connection, team, duty.user, tier=tier, now=now)
    own = await shifts.duties(connection, [team], now)
    if not any(_longer(one, passing.taker, tier, ends) for one in own):
        await punches.punch_in(
            connection, team, passing.taker, tier, now=now, until=ends, by=by.name
        )
    if ends is not None and ends != duty.until:
        await punches.punch_later(connection, team, duty.user, tier, (ends, duty.until), by.name)


def _longer(one: OnDuty, taker: int, tier: str, ends: datetime | None) -> bool:
    """Whether the taker is punched in there already, for at least as long."""
    if (one.user, one.tier, one.why) != (taker, tier, PUNCHED_IN):
        return False
    return one.until is None or (ends is not None and one.until >= ends)


def _givers(given: Iterable[OnDuty]) -> list[int]:
    return list(dict.fromkeys(duty.user for duty in given))


def _said(taker: str, given: list[OnDuty], until: datetime | None) -> Said:
    names = ", ".join(dict.fromkeys(duty.user_name for duty in given))
    tiers = ", ".join(dict.fromkeys(duty.tier for duty in given))
    ends = [until or duty.until for duty in given]
    last = max((end for end in ends if end is not None), default=None)

    def line(zone: str) -> str:
        how_long = "" if None in ends or last is None else f" until {moment(last, zone)} ({zone})"
        return (
            f"{taker} is on duty in {given[0].team_name} (tier {tiers}) in place of"
            f" {names}{how_long}."
        )

    return notice(line)
