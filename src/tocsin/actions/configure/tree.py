"""The rules for a whole configuration."""

from collections.abc import Mapping
from typing import cast

from tocsin.actions.configure.blocks import Block
from tocsin.actions.configure.calendars import check_calendar
from tocsin.actions.configure.chains import check_chains
from tocsin.actions.configure.check import Check, TeamNames
from tocsin.actions.configure.escalation import check_policy
from tocsin.actions.configure.intake import (
    check_category,
    check_connector,
    check_integration,
    check_maintenance,
    check_route,
    check_webhook,
)
from tocsin.actions.configure.later import LATER
from tocsin.actions.configure.living import check_hand_over, check_notices
from tocsin.actions.configure.people import CHANNELS, check_user
from tocsin.actions.configure.watching import check_watchdog
from tocsin.core.access import Role
from tocsin.core.notation import listing, mapping

VERSION = 1
_TEAM_ROLES = tuple(role for role in Role if role is not Role.ADMIN)


def check_tree(tree: Mapping[str, object], check: Check) -> None:
    """Check every object of a configuration; what was found is in `check`."""
    check_root(Block(tree, (), check.faults), check)
    check_chains(tree, check)
    _unreachable_people(tree, check)


def check_root(block: Block, check: Check) -> None:
    """Check the outermost block and everything inside it, each key through its getter."""
    version = block.raw("version")
    if version is None:
        check.notes.append("without `version: 1` nothing is removed")
    elif version != VERSION or isinstance(version, bool):
        block.fault("version", "this program reads version 1")
    for name, user in block.named("users"):
        check_user(name, user, check)
    for name, team in block.named("teams"):
        _team(name, team, check)
    for _, window in block.named("maintenance_windows"):
        check_maintenance(window, check)
    for _, webhook in block.named("webhooks"):
        check_webhook(webhook, check)
    settings = block.block("settings")
    if settings is not None:
        for name, channel in settings.named("channels"):
            _channel_settings(name, channel, check)
        watchdog = settings.block("watchdog")
        if watchdog is not None:
            check_watchdog(watchdog, check)
        settings.end()
    block.end()


def _team(name: str, block: Block, check: Check) -> None:
    block.need("time_zone")
    block.text("name")
    _members(block, check)
    check_calendar(block, check)
    check_hand_over(block)
    check_notices(block)
    for _, policy in block.named("escalation_policies"):
        check_policy(name, policy, check)
    for _, category in block.named("categories"):
        check_category(name, category, check)
    for other, integration in block.named("integrations"):
        check_integration(name, other, integration, check)
        _needs_policy(name, integration, check)
    for other, connector in block.named("connectors"):
        check_connector(name, other, connector, check)
        _needs_policy(name, connector, check)
    for route in block.blocks("routing"):
        check_route(name, route, check)
    block.end()


def _members(block: Block, check: Check) -> None:
    seen: set[str] = set()
    for path, entry in block.entries("members"):
        name, place = entry, path
        if isinstance(entry, dict) and (member := block.inner(cast("object", entry), path)):
            member.need("user")
            name, place = member.raw("user") or "", (*path, "user")
            member.choice("role", _TEAM_ROLES)
            member.end()
        check.user(place, name)
        if str(name) in seen:
            check.faults.add(path, f"{name} is a member already")
        seen.add(str(name))


def _needs_policy(team: str, block: Block, check: Check) -> None:
    policies = check.known.teams.get(team, TeamNames()).policies
    if block.value.get("policy") is None and "default" not in policies:
        what = f"team {team} needs an escalation policy named `default`, or give `policy` here"
        block.fault(None, what)


def _channel_settings(name: str, block: Block, check: Check) -> None:
    if name not in (*CHANNELS, *check.plug_ins.channels):
        block.fault(None, f"there is no channel {name!r}; known are {', '.join(CHANNELS)}")
        return
    for key in block.value:
        block.anything(key)
    check.references_in(block.value, block.path)
    plug_in = check.channel(name)
    if plug_in is None and f"channel {name}" in LATER:
        check.waits(f"channel {name}")
    elif plug_in is not None and (wrong := plug_in.check_settings(block.value)) is not None:
        block.fault(None, wrong)


def _unreachable_people(tree: Mapping[str, object], check: Check) -> None:
    members: set[str] = set()
    for team in mapping(tree.get("teams")).values():
        for entry in listing(mapping(team).get("members")):
            members.add(str(mapping(entry).get("user", entry)))
    users = mapping(tree.get("users"))
    for name in sorted(members & set(users)):
        if not mapping(mapping(users[name]).get("contact_methods")):
            check.notes.append(f"users.{name}: has no contact method, so no page reaches them")
