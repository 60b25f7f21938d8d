"""Calls that list, make, change and remove what is configured, the same way for every kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Response

from tocsin.actions import configure
from tocsin.actions.configure import Editor
from tocsin.core import ids
from tocsin.core.access import TABLE, Action, Place, owns
from tocsin.store import named
from tocsin.store.configuration import Kind
from tocsin.web.api import finding
from tocsin.web.api.asking import Asking, May
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
        asking: Annotated[Asking, Depends(May(resource.read))], team: str | None = None
    ) -> Object:
        return {"items": await _list(asking, resource, team), "next": None}

    async def show(
        asking: Annotated[Asking, Depends(May(resource.read))], given: str, team: str | None = None
    ) -> Object:
        return await shown(asking, resource.kind, given, team)

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
        asking: Annotated[Asking, Depends(May(resource.write))], body: Fields
    ) -> Object:
        check = guard(asking, noun)
        return await configure.create(asking.world, kind, body, editor(asking), guard=check)

    async def remove(
        asking: Annotated[Asking, Depends(May(resource.write))],
        given: str,
        team: str | None = None,
        force: Annotated[bool, Query(description="even while somebody depends on it")] = False,
    ) -> Response:
        reference, check = await _id(asking, kind, given, team), guard(asking, noun)
        await configure.delete(
            asking.world, kind, reference, editor(asking), force=force, guard=check
        )
        return Response(status_code=204)

    path, add = f"/{resource.path}", router.add_api_route
    add(path, create, methods=["POST"], status_code=201, summary=f"Make one {noun}")
    one = f"{path}/{{given}}"
    add(one, remove, methods=["DELETE"], status_code=204, summary=f"Remove one {noun}")


def _changing(resource: Resource) -> None:
    """The call that changes objects of one kind."""
    kind, noun = resource.kind, resource.kind.value

    async def change(
        asking: Annotated[Asking, Depends(May(resource.change or resource.write))],
        given: str,
        body: Fields,
        team: str | None = None,
    ) -> Object:
        reference, check = await _id(asking, kind, given, team), guard(asking, noun)
        return await configure.update(
            asking.world, kind, reference, body, editor(asking), guard=check
        )

    router.add_api_route(
        f"/{resource.path}/{{given}}",
        change,
        methods=["PATCH"],
        summary=f"Change one {noun}: the keys that the body names",
    )


async def shown(asking: Asking, kind: Kind, given: str, team: str | None) -> Object:
    """One object that the caller may see."""
    reference = await _id(asking, kind, given, team)
    return await configure.show(asking.world, kind, reference, guard=guard(asking, kind.value))


def editor(asking: Asking) -> Editor:
    """The caller as the editor of what is configured."""
    return Editor(asking.caller.name, admin=asking.may(Action.WRITE_TEAMS))


def guard(asking: Asking, noun: str) -> Callable[[int | None, int | None], None]:
    """Lets the caller reach only what is theirs, for what they ask."""
    place = TABLE[asking.action].place

    def check(team: int | None, user: int | None) -> None:
        if place is Place.TEAM and team is not None:
            asking.in_team(team, noun)
        elif place is Place.SELF and user is not None:
            asking.of_user(user, noun)

    return check


async def _list(asking: Asking, resource: Resource, team: str | None) -> list[Object]:
    caller = asking.caller
    async with asking.world.database.transaction() as connection:
        teams = await finding.teams_seen(connection, asking)
        if team is not None:
            one = await finding.team(connection, asking, team)
            teams = {one.id: one.name}
        people = await named.people_of(connection, teams) if resource.kind is Kind.USER else ()
    if resource.kind.of_user:
        mine = None if owns(caller, 0) else [caller.user]
        return await configure.show_all(asking.world, resource.kind, users=mine)
    if resource.kind is Kind.USER:
        seen = None if caller.everywhere and team is None else {caller.user, *people}
        return await configure.show_all(asking.world, resource.kind, users=seen)
    return await configure.show_all(asking.world, resource.kind, teams=list(teams))


async def _id(asking: Asking, kind: Kind, given: str, team: str | None) -> str:
    """The id of what is named, looked for only where the caller may look."""
    async with asking.world.database.transaction() as connection:
        if kind in _NAMED:
            found = await finding.in_team(connection, asking, _NAMED[kind], given, team)
            return ids.encode(found.team, found.row)
        if kind is Kind.TEAM:
            one = await finding.team(connection, asking, given)
            return ids.encode(0, one.id)
        if kind is Kind.USER:
            user = await finding.user(connection, asking, given)
            return ids.encode(0, user.row)
    if ids.decode(given) is not None:
        return given
    if kind is Kind.METHOD and "/" not in given:
        return f"{asking.caller.name}/{given}"
    raise not_found(kind.value)


for _resource in RESOURCES:
    _reading(_resource)
    _writing(_resource)
    _changing(_resource)
