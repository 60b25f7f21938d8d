"""Finds a configured object by what a call names, and names the one that a call makes."""

from collections.abc import Callable, Mapping

from tocsin.actions.configure.faults import ConfigureError, ConflictError, Fault, NotFoundError
from tocsin.core import ids
from tocsin.store.configuration import Held, Holdings, Key, Kind

Guard = Callable[[int | None, int | None], None]
"""Raises unless the caller may reach what this team, or this user, owns (by id)."""


def everywhere(_team: int | None, _user: int | None) -> None:
    """The guard of whoever may reach everything."""


def find(holdings: Holdings, kind: Kind, given: str, within: str | None, guard: Guard) -> Held:
    """The object with this id or name; `within` is the name of its team or user.

    Raises `NotFoundError`, and `ConflictError` for a name that several have; that names them all,
    so a caller who does not see all of them finds the id first.
    """
    reference = ids.decode(given)
    for held in holdings.objects.values():
        team = (held.team or 0) if kind.of_team else 0
        if held.key.kind is kind and reference == (team, held.id):
            guard(held.team, held.user)
            return held
    named = [
        held
        for held in holdings.objects.values()
        if held.key.kind is kind
        and given in {held.key.names[-1], "/".join(held.key.names)}
        and within in {None, held.key.owner}
    ]
    if len(named) > 1:
        owners = tuple("/".join(held.key.names) for held in named)
        raise ConflictError(f"{kind} {given[:80]!r} is in several; use its id", owners)
    if not named:
        raise NotFoundError(f"there is no {kind} {given[:80]!r}")
    guard(named[0].team, named[0].user)
    return named[0]


def new_key(kind: Kind, body: Mapping[str, object], holdings: Holdings, guard: Guard) -> Key:
    """The key of the object that `body` describes, when its owner is known.

    Raises `ConfigureError` for a body that does not name it, `NotFoundError` for its owner.
    """
    match kind:
        case Kind.MAINTENANCE:
            if body.get("team") is None:
                guard(None, None)
            else:
                _team(body, holdings, guard)
            return Key(kind, (_text(body, "name"),))
        case Kind.USER | Kind.TEAM:
            guard(None, None)
            return Key(kind, (_text(body, "name"),))
        case Kind.METHOD:
            return Key(kind, (_user(body, holdings, guard), _text(body, "name")))
        case Kind.RULE:
            user, urgency = _user(body, holdings, guard), _text(body, "urgency")
            taken = [
                int(key.names[2])
                for key in holdings.objects
                if key.kind is kind and key.names[:2] == (user, urgency)
            ]
            return Key(kind, (user, urgency, str(max(taken, default=-1) + 1)))
        case Kind.OVERRIDE:
            team = _team(body, holdings, guard)
            schedule = find(holdings, Kind.SCHEDULE, _text(body, "schedule"), team, guard)
            return Key(kind, (*schedule.key.names, "@"))
        case _:
            return Key(kind, (_team(body, holdings, guard), _text(body, "name")))


def with_team_named(body: Mapping[str, object], holdings: Holdings) -> dict[str, object]:
    """A body whose `team`, where it has one, is called by its name; unknown ones stay."""
    given = body.get("team")
    names = {ids.encode(0, row): name for name, row in holdings.teams.items()}
    return {**body, "team": names.get(given, given)} if isinstance(given, str) else dict(body)


def _team(body: Mapping[str, object], holdings: Holdings, guard: Guard) -> str:
    return find(holdings, Kind.TEAM, _text(body, "team"), None, guard).key.owner


def _user(body: Mapping[str, object], holdings: Holdings, guard: Guard) -> str:
    return find(holdings, Kind.USER, _text(body, "user"), None, guard).key.owner


def _text(body: Mapping[str, object], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigureError([Fault((key,), "give a text")])
    return value
