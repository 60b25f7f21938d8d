"""What every call of the API begins with: who asks, and whether they may."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from tocsin.actions.world import World
from tocsin.core.access import TABLE, Action, Caller, Place, Scope, allows, owns, sees
from tocsin.web.api.selecting import refuse_unknown
from tocsin.web.auth import Callers
from tocsin.web.live import Live
from tocsin.web.parts import Parts
from tocsin.web.problems import Problem, not_found


@dataclass(frozen=True, slots=True)
class Doors:
    """What the API's calls share; it hangs on the application."""

    parts: Parts
    callers: Callers
    live: Live


@dataclass(frozen=True, slots=True)
class Asking:
    """One call: the caller, what they ask for, and the parts that answer it."""

    caller: Caller
    action: Action
    doors: Doors

    @property
    def world(self) -> World:
        """The world that `app` put together."""
        return self.doors.parts.world

    def in_team(
        self, team: int, what: str, given: str | None = None, action: Action | None = None
    ) -> None:
        """Go on only if the caller may do this in `team`. Raises a 404 or 403 `Problem`.

        `what` and `given` name the thing asked for; a foreign team's looks as if it did not exist.
        """
        if not sees(self.caller, team):
            raise not_found(what, given)
        if not allows(self.caller, action or self.action, team):
            raise forbidden(self.caller, action or self.action, team)

    def of_user(self, user: int, what: str, given: str | None = None) -> None:
        """Go on only if what `user` owns is the caller's to look at or change."""
        if not owns(self.caller, user):
            raise not_found(what, given)

    def may(self, action: Action, team: int | None = None) -> bool:
        """Whether the caller may do `action` as well."""
        return allows(self.caller, action, team)


class May:
    """The declaration of a route: what its caller must be allowed to do.

    About things of a team the handler asks `in_team` once it knows which; all else is checked
    here. Every route has exactly one; tests/web/test_access_table.py walks them.
    """

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(self, request: Request) -> Asking:
        doors: Doors = request.app.state.doors
        caller = await doors.callers.identify(request)
        refuse_unknown(request)
        if TABLE[self.action].place is not Place.TEAM and not allows(caller, self.action):
            raise forbidden(caller, self.action)
        return Asking(caller, self.action, doors)


def forbidden(caller: Caller, action: Action, team: int | None = None) -> Problem:
    """What is the caller's to see, but not to do: for want of a role, or of the token's scope."""
    least, scope = TABLE[action].least.value, caller.scope.value
    if allows(replace(caller, scope=Scope.ADMIN), action, team):
        return Problem(
            403,
            f"This needs the role {least}; {caller.name} has it, but a token of scope {scope}"
            " does not reach that far.",
            "Use a token of a wider scope.",
        )
    return Problem(
        403,
        f"This needs the role {least}, and {caller.name} has a lesser one.",
        "Ask an admin for the role.",
    )


ReadAlerts = Annotated[Asking, Depends(May(Action.READ_ALERTS))]
RaiseAlerts = Annotated[Asking, Depends(May(Action.RAISE_ALERTS))]
ChangeAlerts = Annotated[Asking, Depends(May(Action.CHANGE_ALERTS))]
FollowLive = Annotated[Asking, Depends(May(Action.FOLLOW_LIVE))]
ReadDuty = Annotated[Asking, Depends(May(Action.READ_DUTY))]
Foresee = Annotated[Asking, Depends(May(Action.FORESEE))]
Punch = Annotated[Asking, Depends(May(Action.PUNCH))]
MaySwap = Annotated[Asking, Depends(May(Action.SWAP))]
ReadTeamConfiguration = Annotated[Asking, Depends(May(Action.READ_TEAM_CONFIGURATION))]
Preview = Annotated[Asking, Depends(May(Action.PREVIEW))]
PollConnectors = Annotated[Asking, Depends(May(Action.POLL_CONNECTORS))]
