"""What plan and apply warn of, though nothing is wrong with the file."""

import os
from collections.abc import Iterable, Mapping

from tocsin.actions.configure.check import FILES, Check
from tocsin.actions.configure.faults import place_of
from tocsin.actions.configure.later import warnings
from tocsin.actions.configure.shape import Item
from tocsin.actions.targets import REMEDY, out_of_reach, refused
from tocsin.actions.world import World
from tocsin.core.notation import mapping
from tocsin.egress import Guard
from tocsin.ports import SecretMissingError
from tocsin.store.configuration import Kind

MOST = 50
"""Lines about the file that are shown."""


def notes(
    world: World, check: Check, tree: Mapping[str, object], items: Iterable[Item]
) -> tuple[str, ...]:
    """One line each: what comes later, what is not removed, what cannot be read or reached."""
    found = [*warnings(check.later), *dict.fromkeys(check.notes)]
    if not mapping(tree.get("teams")):
        found.append("without a team nothing is removed")
    return (*_some(found), *_out_of_reach(world, items), *_unread(world, check))


def _some(found: list[str]) -> list[str]:
    """The first of many: whoever reads a thousand lines misses the one that counts."""
    left = len(found) - MOST
    return found if left <= 0 else [*found[:MOST], f"… and {left} more of this kind"]


def _out_of_reach(world: World, items: Iterable[Item]) -> Iterable[str]:
    guard = Guard.of(world.allow_private)
    found: list[str] = []
    for item in items:
        if item.key.kind is Kind.METHOD and item.body.get("enabled") is not False:
            host = out_of_reach(str(item.body.get("address")), guard)
            if host is not None:
                found.append(f"{place_of(item.path)} ({host})")
    if found:
        yield f"{refused(found)}: {REMEDY}"


def _unread(world: World, check: Check) -> Iterable[str]:
    """References that cannot be followed where this runs; another process may be able to."""
    for path, reference in check.references:
        what = None
        if "secret_env" in reference:
            try:
                world.secrets(reference)
            except SecretMissingError:
                what = f"the environment variable {reference['secret_env']} is not set"
        for key in FILES & set(reference):
            if not os.access(str(reference[key]), os.R_OK):
                what = f"{key} {reference[key]} cannot be read"
        if what is not None:
            yield f"{place_of(path)}: {what} where this command runs; serve reads it where it runs"
