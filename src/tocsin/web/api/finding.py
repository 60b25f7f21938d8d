"""Finds what a call names, by id or by name, among what its caller may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tocsin.core import ids
from tocsin.core.access import owns, sees
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
        raise not_found("team", given)
    asking.in_team(found.row, "team", given)
    return TeamRef(found.row, found.name)


async def teams_seen(connection: Connection, asking: Asking) -> dict[int, str]:
    """Every team of the caller, by id."""
    every = await names.all_teams(connection)
    return {team: name for team, name in every.items() if sees(asking.caller, team)}


async def user(connection: Connection, asking: Asking, given: str) -> Found:
    """The user with this id or name, if the caller shares a team with them, or is an admin."""
    found = await named.user(connection, given, _row_of(given))
    if found is None:
        raise not_found("user", given)
    if found.row != asking.caller.user and not asking.caller.everywhere:
        shared = await named.teams_of(connection, found.row)
        if not any(sees(asking.caller, team) for team in shared):
            raise not_found("user", given)
    return found


async def contact_method(
    connection: Connection, asking: Asking, given: str, user_name: str | None
) -> str:
    """The id of the contact method with this id or name, among those the caller may look at.

    `user_name` narrows a name to one user. A name that several of them have is a 409 `Problem`
    that names them: an admin, who sees everybody's, says whose is meant.
    """
    mine = None if owns(asking.caller, 0) else [asking.caller.user]
    if user_name is not None:
        owner = await user(connection, asking, user_name)
        asking.of_user(owner.row, "contact method", given)
        mine = [owner.row]
    reference = ids.decode(given)
    row = reference[1] if reference is not None and reference[0] == 0 else None
    found = await named.methods(connection, mine, given, row if isinstance(row, int) else None)
    if not found:
        raise not_found("contact method", given)
    if len(found) > 1:
        owners = sorted(owner_name for _, owner_name in found)
        raise _ambiguous("users", "contact method", given, owners, "user")
    return ids.encode(0, found[0][0])


async def maintenance_window(connection: Connection, asking: Asking, given: str) -> str:
    """The id of the window with this id or name, if it is of all teams or of one they are in."""
    found = await named.maintenance_window(connection, given, _row_of(given))
    if found is None or (found[0] is not None and not sees(asking.caller, found[0])):
        raise not_found("maintenance window", given)
    return ids.encode(0, found[1].row)


async def in_team(
    connection: Connection, asking: Asking, kind: str, given: str, within: str | None = None
) -> Found:
    """What a team owns, by id or by name; `within` narrows a name to one team.

    A name that several of the caller's teams have is a 409 `Problem` that names them.
    """
    what = kind.replace("_", " ")
    teams = await teams_seen(connection, asking)
    if within is not None:
        narrowed = await team(connection, asking, within)
        teams = {narrowed.id: narrowed.name}
    reference = ids.decode(given)
    if reference is not None and reference[0] in teams and isinstance(reference[1], int):
        found = await named.by_row(connection, kind, reference[0], reference[1])
        if found is not None:
            asking.in_team(found.team, what, given)
            return found
    candidates = await named.by_name(connection, kind, list(teams), given)
    if not candidates:
        raise not_found(what, given)
    if len(candidates) > 1:
        owners = [teams[found.team] for found in candidates]
        raise _ambiguous("teams", what, given, owners, "team")
    asking.in_team(candidates[0].team, what, given)
    return candidates[0]


def alert(given: str) -> tuple[int, UUID]:
    """The team and row of an alert's id."""
    reference = ids.decode(given)
    if reference is None or not isinstance(reference[1], UUID):
        raise not_found("alert", given)
    return reference[0], reference[1]


def _row_of(given: str) -> int | None:
    """The row of an id that no team owns."""
    reference = ids.decode(given)
    if reference is None or isinstance(reference[1], UUID):
        return None
    return reference[1] if reference[0] in {0, reference[1]} else None


def _ambiguous(whose: str, what: str, given: str, owners: Sequence[str], parameter: str) -> Problem:
    candidates = [f"{name}/{given}" for name in sorted(owners)]
    listed = ", ".join(candidates[:8]) + (", ..." if len(candidates) > 8 else "")
    return Problem(
        409,
        f"Several {whose} have the {what} {given[:80]!r}: {listed}.",
        f"Add ?{parameter}=NAME, or use the id.",
        more={"candidates": candidates},
    )
