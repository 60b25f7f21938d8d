"""Finds what a call names, by id or by name, among what its caller may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tocsin.core import ids
from tocsin.core.access import sees
from tocsin.store import named, names
from tocsin.store.db import Connection
from tocsin.store.named import Found
from tocsin.web.api.asking import Asking
from tocsin.web.problems import Problem, not_found


@dataclass(frozen=True, slots=True)
class TeamRef:
    """A team by id, with its name."""

    id: int
    name: str


async def team(connection: Connection, asking: Asking, given: str) -> TeamRef:
    """The team with this id or name, if the caller may do in it what they ask."""
    found = await named.team(connection, given, _row_of(given))
    if found is None:
        raise not_found("team")
    asking.in_team(found.row)
    return TeamRef(found.row, found.name)


async def teams_seen(connection: Connection, asking: Asking) -> dict[int, str]:
    """Every team of the caller, by id."""
    every = await names.all_teams(connection)
    return {team: name for team, name in every.items() if sees(asking.caller, team)}


async def user(connection: Connection, asking: Asking, given: str) -> Found:
    """The user with this id or name, if the caller shares a team with them, or is an admin."""
    found = await named.user(connection, given, _row_of(given))
    if found is None:
        raise not_found("user")
    if found.row != asking.caller.user and not asking.caller.everywhere:
        shared = await named.teams_of(connection, found.row)
        if not any(sees(asking.caller, team) for team in shared):
            raise not_found("user")
    return found


async def in_team(
    connection: Connection, asking: Asking, kind: str, given: str, within: str | None = None
) -> Found:
    """What a team owns, by id or by name; `within` narrows a name to one team.

    A name that several of the caller's teams have is a 409 `Problem` that names them.
    """
    what = kind.replace("_", " ")
    reference = ids.decode(given)
    if reference is not None and isinstance(reference[1], int):
        found = await named.by_row(connection, kind, reference[0], reference[1])
        if found is not None:
            asking.in_team(found.team, what)
            return found
    teams = await teams_seen(connection, asking)
    if within is not None:
        narrowed = await team(connection, asking, within)
        teams = {narrowed.id: narrowed.name}
    candidates = await named.by_name(connection, kind, list(teams), given)
    if not candidates:
        raise not_found(what)
    if len(candidates) > 1:
        raise _ambiguous(what, given, [teams[found.team] for found in candidates])
    asking.in_team(candidates[0].team, what)
    return candidates[0]


def alert(given: str) -> tuple[int, UUID]:
    """The team and row of an alert's id."""
    reference = ids.decode(given)
    if reference is None or not isinstance(reference[1], UUID):
        raise not_found("alert")
    return reference[0], reference[1]


def _row_of(given: str) -> int | None:
    """The row of an id that no team owns."""
    reference = ids.decode(given)
    if reference is None or isinstance(reference[1], UUID):
        return None
    return reference[1] if reference[0] in {0, reference[1]} else None


def _ambiguous(what: str, given: str, teams: Sequence[str]) -> Problem:
    return Problem(
        409,
        f"Several teams have {what} {given[:80]!r}.",
        "Add ?team=NAME, or use the id.",
        more={"candidates": [f"{name}/{given}" for name in sorted(teams)]},
    )
