"""Calls about who is on duty."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from tocsin.actions import duty
from tocsin.actions.shown import instant
from tocsin.core import ids
from tocsin.core.access import Action
from tocsin.store import named
from tocsin.store.shifts import OnDuty
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, Punch, ReadDuty
from tocsin.web.api.bodies import AnyTier, Moment, Name, Strict, Tier
from tocsin.web.problems import Problem

router = APIRouter(tags=["duty"])

Object = dict[str, Any]


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


@router.get("/duty", summary="Who is on duty by tier, until when, and by what")
async def on_duty(
    asking: ReadDuty,
    team: Name | None = None,
    at: Annotated[Moment | None, Query()] = None,
) -> Object:
    """In one team, or in all of the caller's; now, unless `at` says otherwise.

    `until` is when the person goes off duty in that tier: shifts that follow each other count as
    one.
    """
    async with asking.world.database.transaction() as connection:
        teams = await finding.teams_seen(connection, asking)
        if team is not None:
            one = await finding.team(connection, asking, team)
            teams = {one.id: one.name}
    return _shown(await duty.on_duty(asking.world, teams, at))


@router.post("/duty/punch-in", summary="Go on duty by hand")
async def punch_in(asking: Punch, body: PunchIn) -> Object:
    """Answers who is on duty then. Somebody else takes the role scheduler."""
    team, user = await _who(asking, body)
    _check_end(asking, body.until)
    tier, by = body.tier.value, asking.caller.name
    return _shown(await duty.punch_in(asking.world, team, user, tier=tier, until=body.until, by=by))


@router.post("/duty/punch-out", summary="Go off duty by hand")
async def punch_out(asking: Punch, body: PunchOut) -> Object:
    """Answers who is on duty then. Somebody else takes the role scheduler."""
    team, user = await _who(asking, body)
    _check_end(asking, body.until)
    tier, by = body.tier and body.tier.value, asking.caller.name
    return _shown(
        await duty.punch_out(asking.world, team, user, tier=tier, until=body.until, by=by)
    )


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


def _shown(found: list[OnDuty]) -> Object:
    items = [
        {
            "team": entry.team_name,
            "team_id": ids.encode(0, entry.team),
            "tier": entry.tier,
            "user": entry.user_name,
            "user_id": ids.encode(0, entry.user),
            "since": instant(entry.since),
            "until": instant(entry.until),
            "by": _by(entry.why),
            "why": entry.why,
        }
        for entry in found
    ]
    return {"items": items, "next": None}


def _by(why: str) -> str:
    if why == "swap":
        return "override"
    return why if why in {"override", "punched in"} else "shift"
