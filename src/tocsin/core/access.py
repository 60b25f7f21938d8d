"""Who may do what: one table of actions, each with the role it needs.

Source: the product's roles and scopes. A role holds in all teams of a person unless a membership
sets another there; `admin` stands on the user only and reaches every team. A token's scope caps
the role and never raises it: `read` to viewer, `write` to team_admin, `admin` not at all. What a
caller has no part in is answered as if it did not exist; what is theirs but above their role is
refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a person may do in a team, least first; each includes those before it."""

    VIEWER = "viewer"
    USER = "user"
    SCHEDULER = "scheduler"
    TEAM_ADMIN = "team_admin"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """0 for viewer up to 4 for admin."""
        return _RANKS[self]


class Scope(StrEnum):
    """How much of its user's role a token may use."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def cap(self) -> Role:
        """The highest role that a token of this scope can act as."""
        return _CAPS[self]


_RANKS = {role: rank for rank, role in enumerate(Role)}
_CAPS = {Scope.READ: Role.VIEWER, Scope.WRITE: Role.TEAM_ADMIN, Scope.ADMIN: Role.ADMIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is asking. `role` is the user's own, `teams` the role held in each team by its id."""

    user: int
    name: str
    role: Role
    teams: Mapping[int, Role] = field(default_factory=dict[int, Role])
    scope: Scope = Scope.ADMIN

    @property
    def everywhere(self) -> bool:
        """Whether every team is theirs."""
        return self.role is Role.ADMIN

    @property
    def level(self) -> Role:
        """The highest role they can act as in any place."""
        return _capped(max((self.role, *self.teams.values()), key=_rank), self.scope)

    def role_in(self, team: int) -> Role | None:
        """The role they act as in `team`, None where they have no part in it."""
        held = Role.ADMIN if self.everywhere else self.teams.get(team)
        return None if held is None else _capped(held, self.scope)


class Place(StrEnum):
    """What an action is about, which decides whose role is looked at."""

    TEAM = "team"  # something that a team owns
    SELF = "self"  # something that a user owns; others' only for admins
    INSTALLATION = "installation"  # what everybody shares
    ANYWHERE = "anywhere"  # what the caller sees, filtered to their teams


class Action(StrEnum):
    """Everything that a caller can ask for."""

    READ_ALERTS = "read_alerts"
    RAISE_ALERTS = "raise_alerts"
    CHANGE_ALERTS = "change_alerts"
    FOLLOW_LIVE = "follow_live"
    READ_DUTY = "read_duty"
    FORESEE = "foresee"
    PUNCH = "punch"
    PUNCH_OTHERS = "punch_others"
    SWAP = "swap"
    SWAP_OTHERS = "swap_others"
    READ_TEAM_CONFIGURATION = "read_team_configuration"
    PREVIEW = "preview"
    WRITE_SCHEDULES = "write_schedules"
    WRITE_TEAM_CONFIGURATION = "write_team_configuration"
    POLL_CONNECTORS = "poll_connectors"
    WRITE_TEAMS = "write_teams"
    READ_USERS = "read_users"
    WRITE_USERS = "write_users"
    READ_OWN = "read_own"
    WRITE_OWN = "write_own"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: the least role, looked at in this place."""

    least: Role
    place: Place


TABLE: Mapping[Action, Row] = {
    Action.READ_ALERTS: Row(Role.VIEWER, Place.TEAM),
    Action.RAISE_ALERTS: Row(Role.USER, Place.TEAM),
    Action.CHANGE_ALERTS: Row(Role.USER, Place.TEAM),
    Action.FOLLOW_LIVE: Row(Role.VIEWER, Place.ANYWHERE),
    Action.READ_DUTY: Row(Role.VIEWER, Place.TEAM),
    Action.FORESEE: Row(Role.VIEWER, Place.TEAM),
    Action.PUNCH: Row(Role.USER, Place.TEAM),
    Action.PUNCH_OTHERS: Row(Role.SCHEDULER, Place.TEAM),
    Action.SWAP: Row(Role.USER, Place.TEAM),
    Action.SWAP_OTHERS: Row(Role.SCHEDULER, Place.TEAM),
    Action.READ_TEAM_CONFIGURATION: Row(Role.VIEWER, Place.TEAM),
    Action.PREVIEW: Row(Role.VIEWER, Place.ANYWHERE),
    Action.WRITE_SCHEDULES: Row(Role.SCHEDULER, Place.TEAM),
    Action.WRITE_TEAM_CONFIGURATION: Row(Role.TEAM_ADMIN, Place.TEAM),
    Action.POLL_CONNECTORS: Row(Role.USER, Place.TEAM),
    Action.WRITE_TEAMS: Row(Role.ADMIN, Place.INSTALLATION),
    Action.READ_USERS: Row(Role.VIEWER, Place.ANYWHERE),
    Action.WRITE_USERS: Row(Role.ADMIN, Place.INSTALLATION),
    Action.READ_OWN: Row(Role.VIEWER, Place.SELF),
    Action.WRITE_OWN: Row(Role.USER, Place.SELF),
}


def allows(caller: Caller, action: Action, team: int | None = None) -> bool:
    """Whether `caller` may do `action`, in `team` where it is about something a team owns.

    Without a team an action of place `team` is allowed to whoever may do it in at least one.
    """
    row = TABLE[action]
    if row.place is Place.TEAM and team is not None:
        held = caller.role_in(team)
        return held is not None and held.rank >= row.least.rank
    if row.place is Place.INSTALLATION:
        return _capped(caller.role, caller.scope).rank >= row.least.rank
    return caller.level.rank >= row.least.rank


def sees(caller: Caller, team: int) -> bool:
    """Whether `caller` may know that `team` exists."""
    return caller.role_in(team) is not None


def link_opens(person: Caller, team: int, *, meant: bool) -> bool:
    """Whether a signed link sent to `person` about an alert of `team` still opens.

    `meant`: the alert means them, in the team or not: by its steps as they stand now, because
    somebody asked for them, or as its owner.
    """
    return meant or sees(person, team)


def link_acts(person: Caller, team: int, *, meant: bool) -> bool:
    """Whether `person` may answer by such a link: members as their role says, others when meant."""
    if sees(person, team):
        return allows(person, Action.CHANGE_ALERTS, team)
    return meant


def owns(caller: Caller, user: int) -> bool:
    """Whether what `user` owns is the caller's own, or everybody's is (admins)."""
    return caller.user == user or _capped(caller.role, caller.scope) is Role.ADMIN


def may_grant(caller: Caller, scope: Scope) -> bool:
    """Whether `caller` may make a token of `scope`: never one that can do more than theirs."""
    return scope.cap.rank <= caller.scope.cap.rank


def _capped(role: Role, scope: Scope) -> Role:
    return min(role, scope.cap, key=_rank)


def _rank(role: Role) -> int:
    return role.rank
