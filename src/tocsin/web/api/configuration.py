"""Calls that list, make, change and remove what is configured, the same way for every kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Response

from tocsin.actions import configure
from tocsin.actions.configure import Editor
from tocsin.core import ids
from tocsin.core.access import TABLE, Action, Place, owns, sees
from tocsin.store import named
from tocsin.store.configuration import Kind
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, May, forbidden
from tocsin.web.api.selecting import Selection, selecting, selecting_many
from tocsin.web.problems import not_found

router = APIRouter(tags=["configuration"])

Object = dict[str, Any]
Fields = Annotated[Object, Body()]


@dataclass(frozen=True, slots=True)
class Resource:
    """What the API calls a kind, and what its callers must be allowed to do."""

    path: str
    kind: Kind
    read: Action
    write: Action
    change: Action | None = None  # where changing takes less than making and removing


_CONFIGURATION = (Action.READ_TEAM_CONFIGURATION, Action.WRITE_TEAM_CONFIGURATION)
_SCHEDULES = (Action.READ_TEAM_CONFIGURATION, Action.WRITE_SCHEDULES)
_OWN = (Action.READ_OWN, Action.WRITE_OWN)
_RIGHTS: Mapping[Kind, tuple[Action, ...]] = {
    Kind.TEAM: (
        Action.READ_TEAM_CONFIGURATION,
        Action.WRITE_TEAMS,
        Action.WRITE_TEAM_CONFIGURATION,
    ),
    Kind.USER: (Action.READ_USERS, Action.WRITE_USERS),
    Kind.METHOD: _OWN,
    Kind.RULE: _OWN,
    Kind.SCHEDULE: _SCHEDULES,
    Kind.OVERRIDE: _SCHEDULES,
    Kind.POLICY: _CONFIGURATION,
    Kind.INTEGRATION: _CONFIGURATION,
    Kind.CATEGORY: _CONFIGURATION,
    Kind.CONNECTOR: _CONFIGURATION,
    Kind.MAINTENANCE: _CONFIGURATION,
}
RESOURCES = tuple(
    Resource(path, kind, *_RIGHTS[kind]) for path, kind in configure.RESOURCES.items()
)

_NAMED = {
    Kind.SCHEDULE: "schedule",
    Kind.POLICY: "escalation_policy",
    Kind.INTEGRATION: "integration",
    Kind.CATEGORY: "category",
    Kind.CONNECTOR: "connector",
}


def _reading(resource: Resource) -> None:
    """The calls that show objects of one kind."""

    async def list_(
        asking: Annotated[Asking, Depends(May(resource.read))],
        selection: Annotated[Selection, Depends(selecting_many(resource.kind))],
    ) -> Object:
        return {"items": await _list(asking, resource, selection), "next": None}

    async def show(
        asking: Annotated[Asking, Depends(May(resource.read))],
        given: str,
        selection: Annotated[Selection, Depends(selecting(resource.kind))],
    ) -> Object:
        return await shown(asking, resource.kind, given, selection)

    path, noun = f"/{resource.path}", resource.kind.value
    router.add_api_route(path, list_, methods=["GET"], summary=f"Every {noun} that the caller sees")
    if resource.kind is not Kind.CONNECTOR:  # shown with its state: api/connectors.py
        router.add_api_route(
            f"{path}/{{given}}", show, methods=["GET"], summary=f"One {noun}, by id or name"
        )


def _writing(resource: Resource) -> None:
    """The calls that make and remove objects of one kind."""
    kind, noun = resource.kind, resource.kind.value

    async def create(
        asking: Annotated[Asking, Depends(May(resource.write))], body: Fields, response: Response
    ) -> Object:
        await _check_owner(asking, kind, body)
        check = guard(asking, noun)
        made = await configure.create(asking.world, kind, body, editor(asking), guard=check)
        _notice(asking, kind)
        return located(response, resource.path, made)

    async def remove(
        asking: Annotated[Asking, Depends(May(resource.write))],
        given: str,
        selection: Annotated[Selection, Depends(selecting(kind))],
        force: Annotated[bool, Query(description="even while somebody depends on it")] = False,
    ) -> Response:
        reference = await identified(asking, kind, given, selection)
        check = guard(asking, noun, given)
        await configure.delete(
            asking.world, kind, reference, editor(asking), force=force, guard=check
        )
        _notice(asking, kind)
        return Response(status_code=204)

    path, add = f"/{resource.path}", router.add_api_route
    add(path, create, methods=["POST"], status_code=201, summary=f"Make one {noun}")
    one = f"{path}/{{given}}"
    add(one, remove, methods=["DELETE"], status_code=204, summary=f"Remove one {noun}")


_KEEP = "an edit takes effect when the shifts of those who are on duty now end"


def _keeping(keep_current: Annotated[bool, Query(description=_KEEP)] = False) -> bool:
    return keep_current


def _not_keeping() -> bool:
    return False


def _changing(resource: Resource) -> None:
    """The call that changes objects of one kind."""
    kind, noun = resource.kind, resource.kind.value
    keeping = _keeping if kind in {Kind.SCHEDULE, Kind.TEAM} else _not_keeping

    async def change(
        asking: Annotated[Asking, Depends(May(resource.change or resource.write))],
        given: str,
        body: Fields,
        selection: Annotated[Selection, Depends(selecting(kind))],
        keep_current: Annotated[bool, Depends(keeping)],
    ) -> Object:
        reference = await identified(asking, kind, given, selection)
        check = guard(asking, noun, given)
        changed = await configure.update(
            asking.world,
            kind,
            reference,
            body,
            editor(asking),
            guard=check,
            keep_current=keep_current,
        )
        _notice(asking, kind)
        return changed

    router.add_api_route(
        f"/{resource.path}/{{given}}",
        change,
        methods=["PATCH"],
        summary=f"Change one {noun}: the keys that the body names",
    )


async def shown(asking: Asking, kind: Kind, given: str, selection: Selection) -> Object:
    """One object that the caller may see."""
    reference = await identified(asking, kind, given, selection)
    check = guard(asking, kind.value, given)
    return await configure.show(asking.world, kind, reference, viewer=editor(asking), guard=check)


def located(response: Response, path: str, made: Object) -> Object:
    """What was made, with its address in the header `Location`."""
    response.headers["Location"] = f"/api/v1/{path}/{made['id']}"
    return made


def editor(asking: Asking) -> Editor:
    """The caller as the editor of what is configured."""
    caller = asking.caller
    known = None if caller.everywhere else partial(sees, caller)
    return Editor(caller.name, admin=asking.may(Action.WRITE_TEAMS), sees=known)


def guard(
    asking: Asking, noun: str, given: str | None = None
) -> Callable[[int | None, int | None], None]:
    """Lets the caller reach only what is theirs, for what they ask.

    A maintenance window that is of no team is of all of them: it is shown to everybody, and
    only an admin may change it.
    """
    place = TABLE[asking.action].place

    def check(team: int | None, user: int | None) -> None:
        if place is Place.TEAM and team is not None:
            asking.in_team(team, noun, given)
        elif place is Place.TEAM and asking.action is not Action.READ_TEAM_CONFIGURATION:
            if not asking.may(Action.WRITE_TEAMS):
                raise forbidden(asking.caller, Action.WRITE_TEAMS)
        elif place is Place.SELF and user is not None:
            asking.of_user(user, noun, given)

    return check


async def _list(asking: Asking, resource: Resource, selection: Selection) -> list[Object]:
    kind = resource.kind
    if kind.of_user:
        owners = await _owners(asking, kind.value, selection.user)
        return await configure.show_all(asking.world, kind, viewer=editor(asking), users=owners)
    caller, team = asking.caller, selection.team
    async with asking.world.database.transaction() as connection:
        teams = await finding.teams_seen(connection, asking)
        if team is not None:
            one = await finding.team(connection, asking, team)
            teams = {one.id: one.name}
        people = await named.people_of(connection, teams) if kind is Kind.USER else ()
    if kind is Kind.USER:
        own = () if team is not None else (caller.user,)
        seen = None if caller.everywhere and team is None else {*own, *people}
        return await configure.show_all(asking.world, kind, users=seen)
    return await configure.show_all(asking.world, kind, teams=list(teams))


async def _owners(asking: Asking, noun: str, user: str | None) -> list[int] | None:
    """Whose things are listed: one's own, an admin everybody's (None), or those of `user`."""
    if user is None:
        return None if owns(asking.caller, 0) else [asking.caller.user]
    async with asking.world.database.transaction() as connection:
        found = await finding.user(connection, asking, user)
    asking.of_user(found.row, f"{noun} of the user {found.name}")
    return [found.row]


async def _check_owner(asking: Asking, kind: Kind, body: Object) -> None:
    """The owner that a new object names must be one that the caller may make things for."""
    by_team = kind.of_team or kind is Kind.MAINTENANCE
    owner = body.get("team" if by_team else "user")
    if not isinstance(owner, str) or not (by_team or kind.of_user):
        return
    async with asking.world.database.transaction() as connection:
        if by_team:
            await finding.team(connection, asking, owner)
        else:
            user = await finding.user(connection, asking, owner)
            asking.of_user(user.row, "user", owner)


def _notice(asking: Asking, kind: Kind) -> None:
    """Roles and memberships are in these: what callers may do is looked up anew."""
    if kind in {Kind.USER, Kind.TEAM}:
        asking.doors.callers.forget()


async def identified(asking: Asking, kind: Kind, given: str, selection: Selection) -> str:
    """The id of what is named, looked for only where the caller may look.

    Raises a 409 `Problem` for a name that several have there.
    """
    async with asking.world.database.transaction() as connection:
        if kind in _NAMED:
            found = await finding.in_team(connection, asking, _NAMED[kind], given, selection.team)
            return ids.encode(found.team, found.row)
        if kind is Kind.MAINTENANCE:
            return await finding.maintenance_window(connection, asking, given)
        if kind is Kind.METHOD:
            return await finding.contact_method(connection, asking, given, selection.user)
        if kind is Kind.TEAM:
            one = await finding.team(connection, asking, given)
            return ids.encode(0, one.id)
        if kind is Kind.USER:
            user = await finding.user(connection, asking, given)
            return ids.encode(0, user.row)
    if ids.decode(given) is not None:
        return given
    raise not_found(kind.value, given)


for _resource in RESOURCES:
    _reading(_resource)
    _writing(_resource)
    _changing(_resource)
