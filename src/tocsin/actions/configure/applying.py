"""The changes that bring the stored configuration to what a file says, shown or made."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tocsin.actions.configure.check import FILES, Check, known_names
from tocsin.actions.configure.difference import Act, Change, Difference, difference
from tocsin.actions.configure.faults import ConfigureError, Fault, place_of, with_lines
from tocsin.actions.configure.later import warnings
from tocsin.actions.configure.reading import Document
from tocsin.actions.configure.report import Line, RefusedError, Report
from tocsin.actions.configure.sealing import Sealing, duplicates, sealed, stored_names
from tocsin.actions.configure.shape import Item, join, split
from tocsin.actions.configure.tree import check_tree
from tocsin.actions.configure.writing import Writer
from tocsin.actions.world import World
from tocsin.core.notation import mapping
from tocsin.ports import SecretMissingError
from tocsin.store import plans, policies, shifts
from tocsin.store.configuration import Held, Holdings, Key, Kind, dependents, load, lock
from tocsin.store.db import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """`overwrite`: edits made here since the last apply are put back. `prune`: what is not in the
    file any more goes even while somebody depends on it.
    """

    overwrite: bool = False
    prune: bool = False


DEFAULT = Choices()


async def apply(world: World, document: Document, choices: Choices = DEFAULT) -> Report:
    """Make the changes, all or none. Applying the same file twice changes nothing.

    Raises `ConfigureError` for a bad file and `RefusedError` where edits made here or dependents
    stand in the way.
    """
    now = world.clock.now()
    async with world.database.transaction() as connection:
        work = await _prepared(connection, world, document, choices, now)
        if work.refused:
            raise RefusedError(await work.refusal())
        report = await work.done()
    await world.database.notify()
    world.wake()
    return report


async def plan(world: World, document: Document, choices: Choices = DEFAULT) -> Report:
    """The report that `apply` would give; nothing is stored. Raises `ConfigureError`."""
    now = world.clock.now()
    async with world.database.transaction() as connection:
        work = await _prepared(connection, world, document, choices, now)
        report = await work.done()
        await connection.rollback()  # it was done only to be shown
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What one apply is going to do."""

    writer: Writer
    difference: Difference
    refused: tuple[Fault, ...]
    warnings: tuple[str, ...]

    async def done(self) -> Report:
        """Write the changes and tell them."""
        before = await self._duties()
        await self.writer.write(self.difference.changes)
        return await self.report(before)

    async def refusal(self) -> Report:
        """Tell what would have been done, and why it is not."""
        return await self.report(await self._duties())

    async def report(self, before: tuple[shifts.OnDuty, ...]) -> Report:
        changes = self.difference.changes
        return Report(
            at=self.writer.now,
            created=_lines(changes, Act.CREATE),
            changed=_lines(changes, Act.CHANGE),
            removed=_lines(changes, Act.REMOVE),
            adopted=_lines(changes, Act.ADOPT),
            kept=tuple(Line(what=str(held.key)) for held in self.difference.kept),
            warnings=self.warnings,
            refused=self.refused,
            duty_before=before,
            duty_after=await self._duties(),
        )

    async def _duties(self) -> tuple[shifts.OnDuty, ...]:
        teams = self.writer.holdings.teams.values()
        return tuple(await shifts.duties(self.writer.connection, teams, self.writer.now))


async def _prepared(
    connection: Connection, world: World, document: Document, choices: Choices, now: datetime
) -> _Work:
    await lock(connection)
    holdings = await load(connection)
    tree = document.value
    removes = tree.get("version") == 1 and bool(mapping(tree.get("teams")))
    items = split(tree)
    staying = [one for one in _staying(holdings, removes=removes) if one.key not in items]
    check = _checked(world, document, items, holdings, staying)
    sealing = sealed(items, holdings.objects, world.keys)
    bodies = {one.key: one.body for one in staying}
    bodies |= {key: item.body for key, item in sealing.items.items()}
    paths = {key: item.path for key, item in items.items()}
    faults = [*check.faults.found, *sealing.faults, *duplicates(bodies, paths)]
    if not faults and staying:
        faults = _left_behind(world, holdings, staying, sealing)
    if faults:
        raise ConfigureError(with_lines(faults, document.lines))
    found = difference(
        sealing.items, holdings.objects, removes=removes, overwrite=choices.overwrite
    )
    refused = [*with_lines(found.conflicts, document.lines)]
    if not choices.prune:
        refused += await _needed(connection, holdings, found.changes, now)
    writer = Writer(connection, world.keys, holdings, now, editor=None, secrets=sealing.secrets)
    notes = [*warnings(check.later), *dict.fromkeys(check.notes), *_unread(world, check)]
    return _Work(writer=writer, difference=found, refused=tuple(refused), warnings=tuple(notes))


def _staying(holdings: Holdings, *, removes: bool) -> Iterable[Held]:
    """What is held and stays, whatever the file says of it."""
    return (held for held in holdings.objects.values() if not removes or held.file_body is None)


def _checked(
    world: World,
    document: Document,
    items: Mapping[Key, Item],
    holdings: Holdings,
    staying: Iterable[Held],
) -> Check:
    """The file held against every rule; it may refer to what was made here and stays."""
    together = [(held.key, held.body, held.position) for held in staying]
    together += [(item.key, item.body, item.position) for item in items.values()]
    merged, _ = join(together)
    stored = stored_names(holdings.objects)
    check = Check(known_names(merged, stored), world.plug_ins)
    check_tree(document.value, check)
    return check


def _left_behind(
    world: World, holdings: Holdings, staying: Iterable[Held], sealing: Sealing
) -> list[Fault]:
    """What was made here and would refer to nothing any more, once the file is applied."""
    together = [(held.key, held.body, held.position) for held in staying]
    together += [(item.key, item.body, item.position) for item in sealing.items.values()]
    before, _ = join((held.key, held.body, held.position) for held in holdings.objects.values())
    after, _ = join(together)
    stored = stored_names(holdings.objects) | {"/".join(key.names) for key in sealing.items}
    return new_faults(world, before, after, stored)


def new_faults(
    world: World,
    before: Mapping[str, object],
    after: Mapping[str, object],
    stored: frozenset[str],
) -> list[Fault]:
    """The faults of a configuration that it did not have before."""
    old, new = (Check(known_names(tree, stored), world.plug_ins) for tree in (before, after))
    check_tree(before, old)
    check_tree(after, new)
    return [fault for fault in new.faults.found if fault not in old.faults.found]


async def _needed(
    connection: Connection, holdings: Holdings, changes: Iterable[Change], now: datetime
) -> list[Fault]:
    """Why something that the file removes cannot go without --prune."""
    removed = [change.held for change in changes if change.act is Act.REMOVE and change.held]
    going = {held.key for held in removed}
    faults: list[Fault] = []
    for held in sorted(removed, key=lambda held: held.key.order):
        reasons = await reasons_to_stay(connection, held, holdings, now)
        reasons += [
            f"{other} was made here"
            for other in holdings.objects
            if _belongs(other, held.key) and other not in going
        ]
        if reasons:
            what = f"no longer in the file, but {'; '.join(reasons)}: give --prune to remove it"
            faults.append(Fault((str(held.key),), what))
    return faults


async def reasons_to_stay(
    connection: Connection, held: Held, holdings: Holdings, now: datetime
) -> list[str]:
    """Who is on duty by an object, which alerts and pages need it."""
    digest = None
    if held.key.kind is Kind.POLICY:
        names = policies.Names(holdings.users, holdings.teams)
        digest = plans.digest(policies.policy_of(held.body, names))
    return await dependents(connection, held, holdings, now, digest)


def _belongs(key: Key, owner: Key) -> bool:
    if owner.kind is Kind.TEAM:
        return key.kind.of_team and key.owner == owner.owner
    if owner.kind is Kind.USER:
        return key.kind.of_user and key.owner == owner.owner
    return (
        owner.kind is Kind.SCHEDULE and key.kind is Kind.OVERRIDE and key.names[:2] == owner.names
    )


def _lines(changes: Iterable[Change], act: Act) -> tuple[Line, ...]:
    return tuple(
        Line(what=str(change.key), note=change.note) for change in changes if change.act is act
    )


def _unread(world: World, check: Check) -> Iterable[str]:
    """References that cannot be followed where this runs; another process may be able to."""
    for path, reference in check.references:
        reason = None
        if "secret_env" in reference:
            try:
                world.secrets(reference)
            except SecretMissingError as error:
                reason = str(error)
        for key in FILES & set(reference):
            if not os.access(str(reference[key]), os.R_OK):
                reason = f"{key} {reference[key]} cannot be read"
        if reason is not None:
            yield f"{place_of(path)}: {reason}; it is read where it is used"
