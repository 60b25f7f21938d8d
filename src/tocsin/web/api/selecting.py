"""What a call takes behind the question mark: selections by name, nothing unknown."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from tocsin.store.configuration import Kind
from tocsin.web.api.bodies import Name
from tocsin.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Selection:
    """Within which team, or among what which user owns, a name is looked for."""

    team: str | None = None
    user: str | None = None


def by_team(team: Name | None = None) -> Selection:
    """`?team=NAME`."""
    return Selection(team=team)


def by_user(user: Name | None = None) -> Selection:
    """`?user=NAME`."""
    return Selection(user=user)


def by_nothing() -> Selection:
    """For what nobody owns: its name is unique."""
    return Selection()


def selecting(kind: Kind) -> Callable[..., Selection]:
    """The selection that goes with one object of a kind."""
    if kind.of_team:
        return by_team
    return by_user if kind.of_user else by_nothing


def selecting_many(kind: Kind) -> Callable[..., Selection]:
    """The selection that goes with the list of a kind: users and windows by team as well."""
    return by_team if kind in {Kind.USER, Kind.MAINTENANCE} else selecting(kind)


def refuse_unknown(request: Request) -> None:
    """Raise a 422 `Problem` that names each query parameter that the call does not take."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = sorted(set(_parameters(route.dependant)))
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        hint = f"known are {', '.join(known)}" if known else "the call takes none"
        what = f"there is no such parameter here; {hint}"
        faults = [{"where": f"query.{name[:80]}", "what": what} for name in unknown]
        raise Problem(
            422,
            f"query.{unknown[0][:80]}: {what}.",
            "Correct the named parameters and send the request again.",
            more={"faults": faults},
        )


def _parameters(dependant: Dependant) -> Iterable[str]:
    for field in dependant.query_params:
        kind = cast("object", field.field_info.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, inner in kind.model_fields.items():
                yield inner.alias or name
        else:
            yield field.alias
    for inner_one in dependant.dependencies:
        yield from _parameters(inner_one)
