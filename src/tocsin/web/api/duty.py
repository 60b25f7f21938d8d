"""Calls about who is on duty."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from tocsin.actions import duty
from tocsin.actions.farduty import planned_duty
from tocsin.actions.offers import By
from tocsin.actions.shown import instant
from tocsin.actions.takeover import Passing, pass_duty
from tocsin.core import ids
from tocsin.core.access import Action
from tocsin.core.notation import utc_text
from tocsin.core.standins import Impossible
from tocsin.store import named
from tocsin.store.shifts import OnDuty
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, Punch, ReadDuty
from tocsin.web.api.bodies import AnyTier, Moment, Name, Strict, Tier
from tocsin.web.problems import Problem

router = APIRouter(tags=["duty"])

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class Duty(BaseModel):
    """Somebody on duty in a tier."""

    team: str
    team_id: str
    tier: str
    user: str
    user_id: str
    since: Time
    until: Annotated[Time | None, Field(description="Null: until they are punched out.")]
    by: Annotated[str, Field(description="`shift`, `override` or `punched in`.")]
    why: str
    overdue: Annotated[bool, Field(description="Still punched in when their duty is over.")]


class Duties(BaseModel):
    """Who is on duty, in the order of teams and tiers."""

    items: list[Duty]
    next: None = None


class DutiesLeft(Duties):
    """The same after somebody went off duty; `warnings` says where nobody is on duty now."""

    warnings: list[str]


class PunchIn(Strict):
    """Who goes on duty by hand: the caller, unless `user` names another."""

    team: Name
    user: Name | None = None
    tier: AnyTier = Tier.FIRST
    until: Moment | None = None


class PunchOut(Strict):
    """Who goes off duty, in one tier or in all; out of a shift until `until`, else its end."""

    team: Name
    user: Name | None = None
    tier: AnyTier | None = None
    until: Moment | None = None


class TakeOver(Strict):
    """Whose duty is taken: that of `from`, else of all in the tier; by the caller, or by `user`."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    team: Name
    from_: Name | None = Field(None, alias="from")
    user: Name | None = None
    tier: AnyTier | None = None
    until: Moment | None = None


class HandOver(Strict):
    """To whom the caller's duty goes, or that of `user`; in one tier or in all."""

    team: Name
    to: Name
    user: Name | None = None
    tier: AnyTier | None = None
    until: Moment | None = None


@router.get("/duty", summary="Who is on duty by tier, until when, and by what")
async def on_duty(
    asking: ReadDuty,
    team: Name | None = None,
    at: Annotated[Moment | None, Query()] = None,
) -> Duties:
    """In one team, or in all of the caller's; now, unless `at` says otherwise.

    A time further away than shifts are stored needs the team, and is worked out from its schedules.
    `until` is when the person goes off duty in that tier: shifts that follow each other count as
    one.
    """
    async with asking.world.database.transaction() as connection:
        teams = await finding.teams_seen(connection, asking)
        if team is not None:
            one = await finding.team(connection, asking, team)
            teams = {one.id: one.name}
    if at is not None and at > duty.known_until(asking.world.clock.now()):
        return await _far(asking, None if team is None else next(iter(teams)), at)
    return _shown(await duty.on_duty(asking.world, teams, at))


async def _far(asking: Asking, team: int | None, at: datetime) -> Duties:
    if team is None:
        raise Problem(
            422,
            "For a time further away than shifts are stored, one team is worked out.",
            "Name the team.",
        )
    try:
        return _shown(await planned_duty(asking.world, team, at))
    except ValueError as error:
        raise Problem(422, f"{error}.", "Ask for another time.") from None


@router.post("/duty/punch-in", summary="Go on duty by hand")
async def punch_in(asking: Punch, body: PunchIn) -> Duties:
    """Answers who is on duty then. Somebody else takes the role scheduler."""
    team, user = await _who(asking, body)
    _check_end(asking, body.until)
    tier, by = body.tier.value, asking.caller.name
    return _possible(
        await duty.punch_in(asking.world, team, user, tier=tier, until=body.until, by=by)
    )


@router.post("/duty/punch-out", summary="Go off duty by hand")
async def punch_out(asking: Punch, body: PunchOut) -> DutiesLeft:
    """Answers who is on duty then. Somebody else takes the role scheduler.

    `warnings` names the tiers in which nobody is on duty any more.
    """
    team, user = await _who(asking, body)
    _check_end(asking, body.until)
    before = await duty.on_duty(asking.world, [team])
    tier, by = body.tier and body.tier.value, asking.caller.name
    found = _possible(
        await duty.punch_out(asking.world, team, user, tier=tier, until=body.until, by=by)
    )
    left = {one.tier for one in before} - {one.tier for one in found.items}
    warnings = [f"nobody is on duty in tier {one} now; who plans is told" for one in sorted(left)]
    return DutiesLeft(items=found.items, warnings=warnings)


@router.post("/duty/take-over", summary="Take over duty that runs")
async def take_over(asking: Punch, body: TakeOver) -> Duties:
    """Answers who is on duty then: the taker at once, in place of `from` or of all in the tier.

    Without `from` and `tier` it is tier 1; without `until` it lasts until that duty ends. Whose
    duty it was is told. For somebody else it takes the role scheduler.
    """
    team, taker = await _who(asking, PunchIn(team=body.team, user=body.user))
    _check_end(asking, body.until)
    giver = None
    if body.from_ is not None:
        giver = await _other(asking, body.from_)
    tier = body.tier or (Tier.FIRST if giver is None else None)
    return await _passed(asking, team, taker, giver, tier, body.until)


@router.post("/duty/hand-over", summary="Hand over duty that runs")
async def hand_over(asking: Punch, body: HandOver) -> Duties:
    """Answers who is on duty then: `to` at once, in place of the caller.

    Without `until` it lasts until that duty ends; after `until` it comes back. `to` is told.
    Somebody else's duty takes the role scheduler.
    """
    team, giver = await _who(asking, PunchIn(team=body.team, user=body.user))
    _check_end(asking, body.until)
    taker = await _other(asking, body.to)
    return await _passed(asking, team, taker, giver, body.tier, body.until)


async def _other(asking: Asking, given: str) -> int:
    async with asking.world.database.transaction() as connection:
        return (await finding.user(connection, asking, given)).row


async def _passed(
    asking: Asking,
    team: int,
    taker: int,
    giver: int | None,
    tier: Tier | None,
    until: datetime | None,
) -> Duties:
    if taker == giver:
        raise Problem(422, "Both are the same person.", "Name somebody else.")
    passing = Passing(team=team, taker=taker, giver=giver, tier=tier and tier.value, until=until)
    by = By(asking.caller.user, asking.caller.name)
    return _possible(await pass_duty(asking.world, passing, by))


def _possible(found: list[OnDuty] | Impossible) -> Duties:
    if isinstance(found, Impossible):
        raise Problem(409, found.reason, found.remedy)
    return _shown(found)


async def _who(asking: Asking, body: PunchIn | PunchOut) -> tuple[int, int]:
    """The team and the user, both by row; the user is a member of it."""
    async with asking.world.database.transaction() as connection:
        team = await finding.team(connection, asking, body.team)
        if body.user is None:
            user = asking.caller.user
        else:
            user = (await finding.user(connection, asking, body.user)).row
        members = await named.people_of(connection, [team.id])
    if user != asking.caller.user:
        asking.in_team(team.id, "team", body.team, Action.PUNCH_OTHERS)
    if user not in members:
        raise Problem(
            422,
            "Only a member of the team can be on duty in it.",
            "Add them to the team first.",
        )
    return team.id, user


def _check_end(asking: Asking, until: datetime | None) -> None:
    if until is not None and until <= asking.world.clock.now():
        raise Problem(422, "`until` lies in the past.", "Leave it out, or give a later time.")


def _shown(found: list[OnDuty]) -> Duties:
    return Duties(items=[_entry(one) for one in found])


def _entry(one: OnDuty) -> Duty:
    return Duty(
        team=one.team_name,
        team_id=ids.encode(0, one.team),
        tier=one.tier,
        user=one.user_name,
        user_id=ids.encode(0, one.user),
        since=utc_text(one.since),
        until=instant(one.until),
        by=_by(one.why),
        why=one.why,
        overdue=one.overdue,
    )


def _by(why: str) -> str:
    if why == "swap":
        return "override"
    return why if why in {"override", "punched in"} else "shift"
