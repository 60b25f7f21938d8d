"""Shifts change hands by consent: swaps, and requests for cover."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin.actions import offerwords
from tocsin.actions.notices import tell
from tocsin.actions.world import World
from tocsin.core.localtime import instant
from tocsin.core.schedule import Schedule
from tocsin.core.standins import Give, Impossible, Laid, arranged, busy, in_place, not_theirs
from tocsin.store import offers, shifts
from tocsin.store.absences import time_off
from tocsin.store.calendars import changed
from tocsin.store.db import Connection
from tocsin.store.names import user_names
from tocsin.store.offers import Kind, NewOffer, Offer, State, Stint
from tocsin.store.outbox import claim_job
from tocsin.store.overrides import add_override
from tocsin.store.paging import TeamContext, team_context
from tocsin.store.schedules import schedules_of_team

LONGEST = timedelta(days=92)
"""The longest stretch that one offer is about; a longer one is several."""

FURTHEST = timedelta(days=400)

_EVERY = timedelta(seconds=10)
_BATCH = 50


@dataclass(frozen=True, slots=True)
class By:
    """Who does it: a user's row and name."""

    user: int
    name: str


async def make(world: World, new: NewOffer, by: By) -> Offer | Impossible:
    """Store an offer and tell those whom it asks; nobody's duty changes yet.

    Refused where it could not be accepted as things stand.
    """
    now = world.clock.now()
    refused = wrong_times(new, now)
    if refused is not None:
        return refused
    async with world.database.transaction() as connection:
        await shifts.hold(connection, new.team)
        context = await team_context(connection, new.team, now)
        refused = await _cannot_be(connection, context, new)
        if refused is not None:
            return refused
        row = await offers.add(connection, new, by.name, now)
        offer = await offers.find(connection, new.team, row)
        assert offer is not None, "it was written just now"
        asked = [new.taker] if new.taker is not None else await _could(connection, context, offer)
        said = offerwords.asked(offer)
        await tell(connection, new.team, [one for one in asked if one != by.user], said, now)
    world.wake()
    return offer


async def accept(
    world: World, team: int, row: int, by: By, taker: int | None = None
) -> Offer | Impossible | None:
    """Put the offer into effect: overrides and shifts are written with the answer, or nothing is.

    `taker` is who takes a shift that was offered to everybody. None when there is no such offer.
    """
    async with world.database.transaction() as connection:
        now, offer = await _claimed(world, connection, team, row)
        if not isinstance(offer, Offer):
            return offer
        who = offer.new.taker or taker or by.user
        context = await team_context(connection, team, now)
        laid = await _effect(connection, context, offer, who)
        if isinstance(laid, Impossible):
            return laid
        for schedule, made in laid.items():
            for one in made:
                marked = replace(one, swap=offer.new.kind is Kind.SWAP)
                await add_override(connection, team, schedule, marked, by.name, now)
        await shifts.materialise(connection, team, now)
        await offers.settle(connection, offer, State.ACCEPTED, who, by.name, now)
        after = await offers.find(connection, team, row)
        assert after is not None, "it is locked with its team"
        concerned = [one for one in (after.new.user, who) if one != by.user]
        await tell(connection, team, concerned, offerwords.accepted(after), now)
        await changed(connection, team)  # last: it locks the row where new alerts take numbers
    await world.database.notify()
    world.wake()
    return after


async def end(world: World, team: int, row: int, state: State, by: By) -> Offer | Impossible | None:
    """Decline or withdraw an offer; the other side is told. None when there is no such offer."""
    now = world.clock.now()
    async with world.database.transaction() as connection:
        await shifts.hold(connection, team)
        offer = await offers.find(connection, team, row)
        if offer is None:
            return None
        refused = _answered(offer, now)
        if refused is not None:
            return refused
        await offers.settle(connection, offer, state, offer.new.taker, by.name, now)
        after = await offers.find(connection, team, row)
        assert after is not None, "it is locked with its team"
        sides = [one for one in (after.new.user, after.new.taker) if one not in (None, by.user)]
        await tell(connection, team, _users(sides), offerwords.ended(after), now)
    world.wake()
    return after


async def _claimed(
    world: World, connection: Connection, team: int, row: int
) -> tuple[datetime, Offer | Impossible | None]:
    """The time, read when nobody else changes duty any more, and the offer if it is open then."""
    await shifts.hold(connection, team)
    now = world.clock.now()
    offer = await offers.claim(connection, team, row)
    refused = None if offer is None else _answered(offer, now)
    return now, refused or offer


async def expire_offers(world: World) -> None:
    """Tell those concerned of offers whose shift begins unanswered, each once."""
    now = world.clock.now()
    async with world.worker_database.transaction() as connection:
        if not await claim_job(connection, "offers", _EVERY, now):
            return
        found = await offers.expired(connection, now, _BATCH)
        for offer in found:
            sides = _users([offer.new.user, offer.new.taker])
            await tell(connection, offer.new.team, sides, offerwords.ended(offer), now)
    if found:
        world.wake()


def _users(sides: Iterable[int | None]) -> list[int]:
    return [one for one in sides if one is not None]


def wrong_times(new: NewOffer, now: datetime) -> Impossible | None:
    """Why no offer is about these times, whatever the schedules say; None where one may be."""
    for stint in (new.stint, new.back):
        if stint is None:
            continue
        if stint.to <= stint.from_ or stint.to - stint.from_ > LONGEST:
            return Impossible(
                "`to` is not after `from`, or too long after it.",
                f"Give at most {LONGEST.days} days in one offer.",
            )
        if stint.from_ <= now:
            return Impossible(
                "The shift has begun: it lies in the past.",
                "Hand the running duty over instead, or name a time that is still to come.",
            )
        if stint.from_ > now + FURTHEST:
            return Impossible(
                "The shift is too far ahead.", f"Name a time in the next {FURTHEST.days} days."
            )
    return None


async def _cannot_be(
    connection: Connection, context: TeamContext, new: NewOffer
) -> Impossible | None:
    members = {person.id for person in context.everyone}
    for user in _users([new.user, new.taker]):
        if user not in members:
            name = (await user_names(connection, [user])).get(user, "that person")
            return _no_member(name, context.name)
    if new.user == new.taker:
        return Impossible("Both sides of the swap are the same person.", "Name somebody else.")
    if await offers.overlapping(connection, new):
        return Impossible(
            "That shift, or a part of it, is offered already.",
            "Wait for the answer, or withdraw the open offer first.",
        )
    schedules = await _schedules(connection, new)
    if new.taker is None:
        give = replace(_give(context, new.stint, new.user, new.user), taker=None)
        refused = not_theirs(schedules, give)
        made = refused or in_place(schedules[give.schedule], give)
        return made if isinstance(made, Impossible) else None
    laid = arranged(schedules, _gives(context, new, new.taker))
    return laid if isinstance(laid, Impossible) else None


async def _effect(
    connection: Connection, context: TeamContext, offer: Offer, taker: int
) -> Laid | Impossible:
    members = {person.id for person in context.everyone}
    for user in (offer.new.user, taker):
        if user not in members:
            name = (await user_names(connection, [user])).get(user, "somebody who is gone")
            return _no_member(name, context.name)
    if taker == offer.new.user:
        return Impossible("It is this person's own shift.", "Withdraw the offer instead.")
    schedules = await _schedules(connection, offer.new)
    laid = arranged(schedules, _gives(context, offer.new, taker))
    if isinstance(laid, Impossible):
        changed = f"This cannot be done any more as it was offered: {laid.reason}"
        return Impossible(changed, "The schedule may have changed meanwhile: make a new offer.")
    return laid


async def _schedules(connection: Connection, new: NewOffer) -> dict[int, Schedule]:
    """The team's schedules, with all that counts in the times of the offer."""
    stints = [new.stint] if new.back is None else [new.stint, new.back]
    begin, end = min(one.from_ for one in stints), max(one.to for one in stints)
    return await schedules_of_team(connection, new.team, begin, end)


def _no_member(name: str, team: str) -> Impossible:
    return Impossible(
        f"{name} cannot be on duty in {team}: not an active member of it who may answer alerts.",
        "Name a member of the team with the role user or above.",
    )


def _gives(context: TeamContext, new: NewOffer, taker: int) -> list[Give]:
    gives = [_give(context, new.stint, new.user, taker)]
    if new.back is not None:
        gives.append(_give(context, new.back, taker, new.user))
    return gives


def _give(context: TeamContext, stint: Stint, giver: int, taker: int) -> Give:
    names = {person.id: person.name for person in context.everyone}
    return Give(stint.schedule, names[giver], names[taker], stint.from_, stint.to)


async def _could(connection: Connection, context: TeamContext, offer: Offer) -> list[int]:
    """Everybody of the team who could take the shift: members who answer alerts, free and there."""
    schedules, stint = await _schedules(connection, offer.new), offer.new.stint
    taken = busy(schedules.values(), stint.from_, stint.to)
    for off in await time_off(connection, [context.id]):
        taken |= {
            one.user
            for one in off.absences
            if instant(one.from_, off.time_zone) < stint.to
            and stint.from_ < instant(one.to, off.time_zone)
        }
    return [person.id for person in context.everyone if person.name not in taken]


def _answered(offer: Offer, now: datetime) -> Impossible | None:
    state = offer.state_at(now)
    if state is State.OPEN:
        return None
    if state is State.EXPIRED:
        return Impossible(
            "The offer has expired: the shift has begun.", "Hand the running duty over instead."
        )
    return Impossible(
        f"The offer is answered already: {state} by {offer.answered_by or 'somebody'}.",
        "Nothing is left to do; make a new offer for another change.",
    )
