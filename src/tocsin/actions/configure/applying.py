"""The changes that bring the stored configuration to what a file says, shown or made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.actions.configure.absent import absent_on_duty
from tocsin.actions.configure.ahead import Look, lookahead
from tocsin.actions.configure.check import Check, known_names
from tocsin.actions.configure.difference import Act, Change, Difference, difference
from tocsin.actions.configure.faults import ConfigureError, Fault, Path, place_of, with_lines
from tocsin.actions.configure.noting import notes
from tocsin.actions.configure.reading import Document
from tocsin.actions.configure.report import Line, RefusedError, Report
from tocsin.actions.configure.ringing import ringing
from tocsin.actions.configure.sealing import Sealing, duplicates, sealed, stored_names
from tocsin.actions.configure.shape import Item, join, split
from tocsin.actions.configure.tree import check_tree
from tocsin.actions.configure.writing import Writer
from tocsin.actions.world import World
from tocsin.core.notation import mapping
from tocsin.store import plans, policies, shifts
from tocsin.store.configuration import Held, Holdings, Key, Kind, dependents, load, lock
from tocsin.store.db import Connection
from tocsin.store.holidays import prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """`overwrite`: edits made here since the last apply are put back. `prune`: what is not in the
    file any more goes even while somebody depends on it. `keep_current`: changed schedules take
    effect when the shifts of those on duty now end.
    """

    overwrite: bool = False
    prune: bool = False
    keep_current: bool = False


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
    return await _with_others(world, work, report)


async def plan(
    world: World, document: Document, choices: Choices = DEFAULT, look: Look | None = None
) -> Report:
    """The report that `apply` would give; nothing is stored. Raises `ConfigureError`.

    With `look` it says as well what becomes different in who is on duty.
    """
    now = world.clock.now()
    async with world.database.transaction() as connection:
        work = await _prepared(connection, world, document, choices, now)
        teams = work.writer.holdings.teams
        named = mapping(document.value.get("teams"))
        ahead = lookahead(look, now, work.difference.changes, named, teams)
        await ahead.read_before(connection, teams)
        report = await work.done()
        await ahead.read_after(connection, teams)
        await connection.rollback()  # it was done only to be shown
    report = await _with_others(world, work, report)
    return replace(report, compared=await ahead.compared())


async def _with_others(world: World, work: "_Work", report: Report) -> Report:
    """The report, with time off on duty in teams that stay as they are.

    Looked for when nothing is locked any more: it may take a while, and new alerts would wait.
    """
    others = sorted(set(work.writer.holdings.teams.values()) - work.writer.shifted)
    found: list[str] = []
    for start in range(0, len(others), _AT_ONCE):
        async with world.database.transaction() as connection:
            some = others[start : start + _AT_ONCE]
            found += await absent_on_duty(connection, some, work.writer.now)
    return replace(report, warnings=(*report.warnings, *found))


_AT_ONCE = 50
"""Teams looked at in one transaction."""


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
        changes, writer = self.difference.changes, self.writer
        return Report(
            at=writer.now,
            created=_lines(changes, Act.CREATE),
            changed=_lines(changes, Act.CHANGE),
            removed=_lines(changes, Act.REMOVE),
            adopted=_lines(changes, Act.ADOPT),
            kept=tuple(Line(what=str(held.key)) for held in self.difference.kept),
            warnings=(*self.warnings, *writer.notes),
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
    await prepare(mapping(team).get("holidays") for team in _teams(tree, holdings))
    removes = tree.get("version") == 1 and bool(mapping(tree.get("teams")))
    items = split(tree)
    staying = [one for one in _staying(holdings, removes=removes) if one.key not in items]
    check = _checked(world, document, items, holdings, staying)
    sealing = sealed(items, holdings.objects, world.keys)
    bodies = {one.key: one.body for one in staying}
    bodies |= {key: item.body for key, item in sealing.items.items()}
    paths = {key: item.path for key, item in items.items()}
    faults = [*check.faults.found, *sealing.faults, *duplicates(bodies, paths)]
    if faults:
        raise ConfigureError(with_lines(faults, document.lines))
    if staying and (left := _left_behind(world, document, holdings, staying, sealing)):
        raise ConfigureError(left)
    found = difference(
        sealing.items, holdings.objects, removes=removes, overwrite=choices.overwrite
    )
    refused = [*with_lines(found.conflicts, document.lines)]
    if not choices.prune:
        refused += await _needed(connection, holdings, found.changes, now)
    writer = Writer(connection, world.keys, holdings, now, editor=None, secrets=sealing.secrets)
    writer.keep_current = choices.keep_current
    together = [(one.key, one.body, one.position) for one in staying]
    together += [(one.key, one.body, one.position) for one in sealing.items.values()]
    after, _ = join(together)
    heard = (note.told() for note in ringing(after))
    told = (*notes(world, check, tree, items.values()), *heard)
    return _Work(writer=writer, difference=found, refused=tuple(refused), warnings=told)


def _teams(tree: Mapping[str, object], holdings: Holdings) -> Iterable[object]:
    """The definitions of all teams, those of the file and those that are held."""
    held = (one.body for key, one in holdings.objects.items() if key.kind is Kind.TEAM)
    return (*mapping(tree.get("teams")).values(), *held)


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
    world: World,
    document: Document,
    holdings: Holdings,
    staying: Iterable[Held],
    sealing: Sealing,
) -> tuple[Fault, ...]:
    """What stays here and would refer to nothing any more, once the file is applied.

    It stands in no line of the file, so its faults name it instead.
    """
    together = [(held.key, held.body, held.position) for held in staying]
    together += [(item.key, item.body, item.position) for item in sealing.items.values()]
    before, _ = join((held.key, held.body, held.position) for held in holdings.objects.values())
    after, places = join(together)
    stored = stored_names(holdings.objects) | {"/".join(key.names) for key in sealing.items}
    found = new_faults(world, before, after, stored)
    owners = {places[held.key]: held for held in staying if held.key in places}
    left = [_stays(fault, held) for fault in found if (held := _owner(fault, owners))]
    rest = [fault for fault in found if _owner(fault, owners) is None]
    return (*left, *with_lines(rest, document.lines))


def _owner(fault: Fault, owners: Mapping[Path, Held]) -> Held | None:
    """The innermost object that the fault lies in, if it stays here."""
    lengths = range(len(fault.path), 0, -1)
    return next((owners[fault.path[:n]] for n in lengths if fault.path[:n] in owners), None)


def _stays(fault: Fault, held: Held) -> Fault:
    origin = "was made here" if held.file_body is None else "stays here"
    what = f"it {origin} and would refer to nothing: {place_of(fault.path)}: {fault.what}"
    remedy = "change it first, or leave in the file what it needs"
    return Fault((str(held.key),), f"{what}; {remedy}")


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
        bodies = {
            (one.owner, one.names[-1]): found.body
            for one, found in holdings.objects.items()
            if one.kind is Kind.POLICY
        }
        names = policies.Names(holdings.users, holdings.teams, bodies, held.key.owner)
        digest = plans.digest(policies.policy_of(held.body, names, held.key.names[-1]))
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
