"""Calls about feeds of duty, whose addresses are shown once."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import StringConstraints

from tocsin.actions import feeds
from tocsin.actions.feeds import Wanted
from tocsin.core.access import Action, owns
from tocsin.store.feeds import FeedKind
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, May
from tocsin.web.api.bodies import Name, Strict
from tocsin.web.api.configuration import guard, located
from tocsin.web.problems import Problem

router = APIRouter(tags=["calendars"])

Object = dict[str, Any]
ReadOwn = Annotated[Asking, Depends(May(Action.READ_OWN))]
WriteOwn = Annotated[Asking, Depends(May(Action.WRITE_OWN))]


class NewFeed(Strict):
    """A feed to be made: of the caller's own duty unless it names a schedule or a team."""

    name: Annotated[str, StringConstraints(max_length=200)] = ""
    schedule: Name | None = None
    team: Name | None = None


@router.get("/feeds", summary="The caller's feeds; an admin sees everybody's")
async def list_feeds(asking: ReadOwn) -> Object:
    """Without their addresses."""
    mine = None if owns(asking.caller, 0) else [asking.caller.user]
    return {"items": await feeds.show_feeds(asking.world, mine), "next": None}


@router.post("/feeds", status_code=201, summary="Make a feed")
async def create_feed(asking: WriteOwn, body: NewFeed, response: Response) -> Object:
    """`url` in the answer is shown this once: whoever has it sees the duty, without signing in.

    It shows what the caller may see, for as long as they may. `team` without `schedule` shows all
    schedules of the team.
    """
    wanted = await _wanted(asking, body)
    return located(response, "feeds", await feeds.create_feed(asking.world, wanted))


@router.delete("/feeds/{given}", status_code=204, summary="Make a feed's address worthless")
async def delete_feed(asking: WriteOwn, given: str) -> Response:
    """By its id."""
    await feeds.delete_feed(asking.world, given, guard=guard(asking, "feed", given))
    return Response(status_code=204)


async def _wanted(asking: Asking, body: NewFeed) -> Wanted:
    owner, name = asking.caller.user, body.name
    if any(not sign.isprintable() for sign in name):
        raise Problem(422, "body.name: it has signs that cannot be seen.", "Leave them out.")
    async with asking.world.database.transaction() as connection:
        if body.schedule is not None:
            found = await finding.in_team(connection, asking, "schedule", body.schedule, body.team)
            return Wanted(
                name=name or f"Duty: {found.name}",
                kind=FeedKind.SCHEDULE,
                owner=owner,
                team=found.team,
                schedule=found.row,
            )
        if body.team is not None:
            team = await finding.team(connection, asking, body.team)
            return Wanted(
                name=name or f"Duty: {team.name}", kind=FeedKind.TEAM, owner=owner, team=team.id
            )
    return Wanted(name=name or f"Duty: {asking.caller.name}", kind=FeedKind.USER, owner=owner)
