"""Roles, scopes, places: the policy table holds what it says."""

import itertools

import pytest

from tocsin.core.access import (
    TABLE,
    Action,
    Caller,
    Place,
    Role,
    Scope,
    allows,
    link_acts,
    link_opens,
    may_grant,
    owns,
    sees,
)

OWN, FOREIGN = 1, 2


def caller(role: Role, scope: Scope = Scope.ADMIN, teams: dict[int, Role] | None = None) -> Caller:
    held = {OWN: role} if teams is None else teams
    return Caller(user=7, name="mara", role=role, teams=held, scope=scope)


def test_every_action_has_a_row() -> None:
    assert set(TABLE) == set(Action)


@pytest.mark.parametrize(("action", "role"), list(itertools.product(Action, Role)))
def test_a_higher_role_may_everything_that_a_lower_one_may(action: Action, role: Role) -> None:
    lower = [other for other in Role if other.rank <= role.rank]
    if any(allows(caller(other), action, OWN) for other in lower):
        assert allows(caller(role), action, OWN)


@pytest.mark.parametrize(
    ("action", "role"),
    [
        (action, role)
        for action, role in itertools.product(Action, Role)
        if TABLE[action].place is Place.TEAM and role is not Role.ADMIN
    ],
)
def test_nobody_but_an_admin_acts_in_a_foreign_team(action: Action, role: Role) -> None:
    assert not allows(caller(role), action, FOREIGN)
    assert not sees(caller(role), FOREIGN)


@pytest.mark.parametrize("action", Action)
def test_an_admin_acts_everywhere(action: Action) -> None:
    admin = caller(Role.ADMIN, teams={})
    assert allows(admin, action, FOREIGN)
    assert sees(admin, FOREIGN)
    assert owns(admin, 99)


def test_a_role_set_for_one_team_holds_in_that_team_only() -> None:
    ada = caller(Role.USER, teams={1: Role.USER, 2: Role.TEAM_ADMIN})
    assert allows(ada, Action.WRITE_TEAM_CONFIGURATION, 2)
    assert not allows(ada, Action.WRITE_TEAM_CONFIGURATION, 1)
    assert not allows(ada, Action.WRITE_TEAMS)


@pytest.mark.parametrize("role", Role)
def test_a_read_token_reads_whatever_its_user_is(role: Role) -> None:
    reader = caller(role, Scope.READ)
    allowed = {action for action in Action if allows(reader, action, OWN)}
    assert allowed == {action for action in Action if TABLE[action].least is Role.VIEWER}


def test_a_write_token_of_an_admin_sees_everything_and_changes_no_users() -> None:
    admin = caller(Role.ADMIN, Scope.WRITE, teams={})
    assert sees(admin, FOREIGN)
    assert allows(admin, Action.WRITE_TEAM_CONFIGURATION, FOREIGN)
    assert not allows(admin, Action.WRITE_USERS)
    assert not allows(admin, Action.WRITE_TEAMS)
    assert not owns(admin, 99)


@pytest.mark.parametrize(("role", "scope"), list(itertools.product(Role, Scope)))
def test_a_scope_never_raises_a_role(role: Role, scope: Scope) -> None:
    acting = caller(role, scope).role_in(OWN)
    assert acting is not None
    assert acting.rank <= role.rank


def test_a_link_opens_to_members_and_to_whom_the_alert_means() -> None:
    member, stranger = caller(Role.VIEWER), caller(Role.USER, teams={})
    assert link_opens(member, OWN, meant=False)
    assert link_opens(caller(Role.ADMIN, teams={}), OWN, meant=False)
    assert link_opens(stranger, OWN, meant=True)
    assert not link_opens(stranger, OWN, meant=False)


def test_by_a_link_members_act_as_their_role_says_and_others_where_they_are_meant() -> None:
    stranger = caller(Role.USER, teams={})
    assert link_acts(stranger, OWN, meant=True)
    assert not link_acts(stranger, OWN, meant=False)
    assert link_acts(caller(Role.USER), OWN, meant=False)
    assert not link_acts(caller(Role.VIEWER), OWN, meant=True)


def test_people_own_what_is_theirs() -> None:
    assert owns(caller(Role.USER), 7)
    assert not owns(caller(Role.TEAM_ADMIN), 8)


def test_a_token_is_made_only_of_a_scope_that_its_maker_has() -> None:
    writer = caller(Role.ADMIN, Scope.WRITE)
    assert may_grant(writer, Scope.READ)
    assert may_grant(writer, Scope.WRITE)
    assert not may_grant(writer, Scope.ADMIN)


def test_somebody_in_no_team_sees_no_team() -> None:
    alone = caller(Role.TEAM_ADMIN, teams={})
    assert not sees(alone, OWN)
    assert not allows(alone, Action.READ_ALERTS, OWN)
