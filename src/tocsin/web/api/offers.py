"""Calls about shifts that change hands: swaps, and requests for cover."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, StringConstraints

from tocsin.actions import offers
from tocsin.actions.offers import By
from tocsin.core import ids
from tocsin.core.access import Action
from tocsin.core.standins import Impossible
from tocsin.store import offers as stored
from tocsin.store.db import Connection
from tocsin.store.offers import Kind, NewOffer, Offer, State, Stint
from tocsin.web.api import finding, offered
from tocsin.web.api.asking import Asking, MaySwap, ReadDuty
from tocsin.web.api.bodies import Moment, Name, Strict
from tocsin.web.api.offered import Cover, Covers, Swap, Swaps
from tocsin.web.problems import Problem, not_found

router = APIRouter(tags=["duty"])

Note = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]


class Part(Strict):
    """A shift, or a part of one."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schedule: Name
    from_: Moment = Field(alias="from")
    to: Moment


class NewCover(Part):
    """Whose shift needs cover: the caller's, unless `user` names another."""

    team: Name
    user: Name | None = None
    comment: Note | None = None


class NewSwap(NewCover):
    """The shift that is offered `with` whom, and theirs that is wanted `back`."""

    with_: Name = Field(alias="with")
    back: Part


class Taker(Strict):
    """Who takes the shift: the caller, unless `user` names another."""

    user: Name | None = None


class Which(Strict):
    """Which offers to list."""

    team: Name | None = None
    state: State | None = None


@router.get("/swaps", summary="Swaps that were offered, newest first")
async def list_swaps(asking: ReadDuty, which: Annotated[Which, Query()]) -> Swaps:
    """In one team, or in all of the caller's; the newest 200."""
    found = await _listed(asking, Kind.SWAP, which)
    return Swaps(items=[_swap(asking, offer) for offer in found])


@router.post("/swaps", status_code=201, summary="Offer a swap")
async def offer_swap(asking: MaySwap, body: NewSwap) -> Swap:
    """It has no effect until the other side accepts it, and ends when the earlier shift begins.

    Somebody else's shift takes the role scheduler.
    """
    async with asking.world.database.transaction() as connection:
        new = await _new(connection, asking, body, Kind.SWAP)
        taker = (await finding.user(connection, asking, body.with_)).row
        back = await _stint(connection, asking, body.back, body.team)
    swap = NewOffer(
        team=new.team,
        kind=Kind.SWAP,
        user=new.user,
        stint=new.stint,
        taker=taker,
        back=back,
        comment=new.comment,
    )
    return _swap(asking, await _made(asking, swap))


@router.get("/swaps/{given}", summary="One swap")
async def get_swap(asking: ReadDuty, given: str) -> Swap:
    """How it stands."""
    return _swap(asking, await _found(asking, Kind.SWAP, given))


@router.post("/swaps/{given}/accept", summary="Accept a swap")
async def accept_swap(asking: MaySwap, given: str) -> Swap:
    """By the person it was offered to, or a scheduler; both shifts change hands at once.

    409 when it was answered, has expired, or the schedule has changed so that it cannot be.
    """
    offer = await _found(asking, Kind.SWAP, given)
    _only(asking, offer, offer.new.taker, given)
    return _swap(asking, _done(await _accept(asking, offer, None), given))


@router.post("/swaps/{given}/decline", summary="Decline a swap")
async def decline_swap(asking: MaySwap, given: str) -> Swap:
    """By the person it was offered to, or a scheduler."""
    offer = await _found(asking, Kind.SWAP, given)
    _only(asking, offer, offer.new.taker, given)
    return _swap(asking, await _ended(asking, offer, State.DECLINED, given))


@router.post("/swaps/{given}/withdraw", summary="Withdraw a swap")
async def withdraw_swap(asking: MaySwap, given: str) -> Swap:
    """By the person who offered it, or a scheduler, while it is open."""
    offer = await _found(asking, Kind.SWAP, given)
    _only(asking, offer, offer.new.user, given)
    return _swap(asking, await _ended(asking, offer, State.WITHDRAWN, given))


@router.get("/cover-requests", summary="Requests for cover, newest first")
async def list_cover(asking: ReadDuty, which: Annotated[Which, Query()]) -> Covers:
    """In one team, or in all of the caller's; the newest 200."""
    found = await _listed(asking, Kind.COVER, which)
    return Covers(items=[_cover(asking, offer) for offer in found])


@router.post("/cover-requests", status_code=201, summary="Ask for cover of a shift, or of a part")
async def ask_for_cover(asking: MaySwap, body: NewCover) -> Cover:
    """Everybody of the team who is free then is told; whoever accepts first takes it.

    Somebody else's shift takes the role scheduler.
    """
    async with asking.world.database.transaction() as connection:
        new = await _new(connection, asking, body, Kind.COVER)
    return _cover(asking, await _made(asking, new))


@router.get("/cover-requests/{given}", summary="One request for cover")
async def get_cover(asking: ReadDuty, given: str) -> Cover:
    """How it stands."""
    return _cover(asking, await _found(asking, Kind.COVER, given))


@router.post("/cover-requests/{given}/accept", summary="Take a shift that needs cover")
async def accept_cover(asking: MaySwap, given: str, body: Taker | None = None) -> Cover:
    """By any member of the team who is free then; for somebody else it takes a scheduler."""
    offer = await _found(asking, Kind.COVER, given)
    taker = asking.caller.user
    if body is not None and body.user is not None:
        async with asking.world.database.transaction() as connection:
            taker = (await finding.user(connection, asking, body.user)).row
    _only(asking, offer, taker, given)
    return _cover(asking, _done(await _accept(asking, offer, taker), given))


@router.post("/cover-requests/{given}/withdraw", summary="Withdraw a request for cover")
async def withdraw_cover(asking: MaySwap, given: str) -> Cover:
    """By the person who asked, or a scheduler, while it is open."""
    offer = await _found(asking, Kind.COVER, given)
    _only(asking, offer, offer.new.user, given)
    return _cover(asking, await _ended(asking, offer, State.WITHDRAWN, given))


def _swap(asking: Asking, offer: Offer) -> Swap:
    return offered.swap(offer, asking.world.clock.now())


def _cover(asking: Asking, offer: Offer) -> Cover:
    return offered.cover(offer, asking.world.clock.now())


def _by(asking: Asking) -> By:
    return By(asking.caller.user, asking.caller.name)


async def _made(asking: Asking, new: NewOffer) -> Offer:
    wrong = offers.wrong_times(new, asking.world.clock.now())
    if wrong is not None:
        raise Problem(422, wrong.reason, wrong.remedy)
    return _done(await offers.make(asking.world, new, _by(asking)))


async def _new(connection: Connection, asking: Asking, body: NewCover, kind: Kind) -> NewOffer:
    team = await finding.team(connection, asking, body.team)
    user = asking.caller.user
    if body.user is not None:
        user = (await finding.user(connection, asking, body.user)).row
    if user != asking.caller.user:
        asking.in_team(team.id, "team", body.team, Action.SWAP_OTHERS)
    stint = await _stint(connection, asking, body, body.team)
    return NewOffer(team=team.id, kind=kind, user=user, stint=stint, comment=body.comment or None)


async def _stint(connection: Connection, asking: Asking, part: Part, team: str) -> Stint:
    found = await finding.in_team(connection, asking, "schedule", part.schedule, team)
    return Stint(found.row, part.from_, part.to)


async def _listed(asking: Asking, kind: Kind, which: Which) -> list[Offer]:
    now = asking.world.clock.now()
    async with asking.world.database.transaction() as connection:
        teams = list(await finding.teams_seen(connection, asking))
        if which.team is not None:
            teams = [(await finding.team(connection, asking, which.team)).id]
        return await stored.listed(connection, teams, kind, which.state, now)


async def _found(asking: Asking, kind: Kind, given: str) -> Offer:
    what = "swap" if kind is Kind.SWAP else "request for cover"
    reference = ids.decode(given)
    if reference is None or not isinstance(reference[1], int):
        raise not_found(what, given)
    asking.in_team(reference[0], what, given)
    async with asking.world.database.transaction() as connection:
        offer = await stored.find(connection, reference[0], reference[1])
    if offer is None or offer.new.kind is not kind:
        raise not_found(what, given)
    return offer


def _only(asking: Asking, offer: Offer, user: int | None, given: str) -> None:
    """Go on where the caller is this person, or may do it for others."""
    if asking.caller.user != user:
        asking.in_team(offer.new.team, "team", given, Action.SWAP_OTHERS)


async def _accept(asking: Asking, offer: Offer, taker: int | None) -> Offer | Impossible | None:
    return await offers.accept(asking.world, offer.new.team, offer.id, _by(asking), taker)


async def _ended(asking: Asking, offer: Offer, state: State, given: str) -> Offer:
    ended = await offers.end(asking.world, offer.new.team, offer.id, state, _by(asking))
    return _done(ended, given)


def _done(outcome: Offer | Impossible | None, given: str | None = None) -> Offer:
    if outcome is None:
        raise not_found("offer", given)
    if isinstance(outcome, Impossible):
        raise Problem(409, outcome.reason, outcome.remedy)
    return outcome
