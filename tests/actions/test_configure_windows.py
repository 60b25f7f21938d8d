"""Maintenance windows in the configuration: what is refused, and whose a window is."""

import pytest

from tests.actions.configured import PLUG_INS, SMALL, select, snapshot, world_on
from tests.actions.test_configure_edit import ADA, BODIES
from tocsin.actions.configure import (
    Choices,
    ConfigureError,
    ConflictError,
    apply,
    create,
    delete,
    export,
    plan,
    read,
    show,
    update,
)
from tocsin.actions.configure.check import Check, known_names
from tocsin.actions.configure.tree import check_tree
from tocsin.actions.world import World
from tocsin.core import ids
from tocsin.store.configuration import Kind

WINDOW = BODIES["maintenance-windows"]
FILE = """\
maintenance_windows:
  night:
    team: soc
    category: identity
    from: 2026-11-29T02:00
    to: 2026-11-29T06:00
    rrule: FREQ=WEEKLY;BYDAY=SU
    match: {all: [{field: title, regex: "^sign"}], any: [{field: zone, is: 3}]}
    reason: move
  all: {from: 2026-12-01T00:00Z, to: 2026-12-01T04:00Z, reason: power}
"""


def checked(old: str, new: str) -> Check:
    assert old in FILE
    tree = read(SMALL + FILE.replace(old, new, 1)).value
    check = Check(known_names(tree), PLUG_INS)
    check_tree(tree, check)
    return check


@pytest.mark.parametrize(
    ("old", "new", "place", "fault"),
    [
        ("    reason: move\n", "", None, "`reason` is missing"),
        ("    to: 2026-11-29T06:00\n", "", None, "`to` is missing"),
        ("team: soc", "team: socks", "team", "there is no team 'socks'; did you mean soc?"),
        ("category: identity", "category: none", "category", "team soc has no category 'none'"),
        ("category: identity", "integration: x", "integration", "team soc has no integration 'x'"),
        ("to: 2026-11-29T06:00", "to: 2026-11-29T02:00", "to", "it ends before it begins"),
        ("to: 2026-11-29T06:00", "to: 2026-11-29T06:00Z", "to", "give an offset (or Z) for both"),
        ("to: 2026-11-29T06:00", "to: 2028-11-29T06:00", "rrule", "at most 366 days long"),
        ("FREQ=WEEKLY;BYDAY=SU", "FREQ=SECONDLY", "rrule", "begin with FREQ=DAILY"),
        ("FREQ=WEEKLY;BYDAY=SU", "FREQ=DAILY;COUNT=99999999", "rrule", "from 1 to 1000"),
        ("FREQ=WEEKLY;BYDAY=SU", "FREQ=DAILY;UNTIL=20200101", "rrule", "no time that ever comes"),
        ('"^sign"', '"("', "regex", "it is no regular expression"),
        ("[{field: zone, is: 3}]", "[]", "any", "name at least one test"),
        ("is: 3", "is: 3, contains: x", 0, "give one of `is`, `contains`, `regex`"),
        ("reason: move", "reason: move\n    days: [mon]", "days", "there is no such key here"),
    ],
)
def test_a_fault_is_named_with_its_place(
    old: str, new: str, place: str | int | None, fault: str
) -> None:
    (found,) = checked(old, new).faults.found
    assert found.path[:2] == ("maintenance_windows", "night")
    assert found.path[-1] == ("night" if place is None else place)
    assert fault in found.what


def test_one_that_is_right_has_no_fault_and_nothing_to_note() -> None:
    check = checked("night", "night")
    assert (check.faults.found, check.notes, check.later) == ([], [], set())


def test_a_beginning_that_its_rule_does_not_name_is_noted() -> None:
    (note,) = checked("BYDAY=SU", "BYDAY=MO").notes
    assert note == (
        "maintenance_windows.night: `from` is no time of `rrule`:"
        " it opens for the first time at 2026-11-30T02:00:00"
    )


async def teams(world: World) -> dict[str, object]:
    sql = (
        "SELECT w.name, t.name AS team FROM maintenance_window w"
        " LEFT JOIN team t ON t.id = w.team_id"
    )
    return {row["name"]: row["team"] for row in await select(world, sql)}


async def test_windows_of_a_file_are_made_changed_exported_and_removed(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL + FILE))
        assert await teams(world) == {"night": "soc", "all": None}
        before = await snapshot(world)
        exported = read(await export(world)).value["maintenance_windows"]
        assert exported == read(SMALL + FILE).value["maintenance_windows"]
        assert not (await apply(world, read(SMALL + FILE))).changes
        assert await snapshot(world) == before
        await apply(
            world, read(SMALL + FILE.replace("    team: soc\n    category: identity\n", ""))
        )
        assert await teams(world) == {"night": None, "all": None}
        await apply(world, read(SMALL))
        assert await teams(world) == {}


async def test_a_window_made_here_is_never_compared_nor_exported_nor_removed(
    database: str,
) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        await create(world, Kind.MAINTENANCE, WINDOW, ADA)
        report = await apply(world, read(SMALL))
        assert not report.changes
        assert not report.kept
        assert await teams(world) == {"patching": "soc"}
        assert "patching" not in await export(world)
        text = FILE.replace("night:", "patching:")
        await apply(world, read(SMALL + text), Choices(overwrite=True))
        found = await show(world, Kind.MAINTENANCE, "patching")
        assert (found["from_file"], found["reason"]) == (True, "move")


async def test_an_edit_of_a_window_of_the_file_stands_in_its_way(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL + FILE))
        await update(world, Kind.MAINTENANCE, "night", {"reason": "other"}, ADA)
        report = await plan(world, read(SMALL + FILE))
        assert "changed here by ada" in str(report.refused[0].what)


async def test_a_window_stays_with_its_team(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL + FILE))
        (soc,) = await select(world, "SELECT id FROM team")
        await create(world, Kind.MAINTENANCE, {**WINDOW, "team": ids.encode(0, soc["id"])}, ADA)
        assert (await teams(world))["patching"] == "soc"
        await update(world, Kind.MAINTENANCE, "patching", {"team": "soc", "reason": "x"}, ADA)
        for name, team in (("patching", None), ("all", "soc")):
            with pytest.raises(ConfigureError, match="cannot be changed; make a new one"):
                await update(world, Kind.MAINTENANCE, name, {"team": team}, ADA)


async def test_what_a_window_names_cannot_go_before_it(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        await create(world, Kind.MAINTENANCE, WINDOW, ADA)
        with pytest.raises(ConflictError, match=r"maintenance_windows\.patching"):
            await delete(world, Kind.INTEGRATION, "plant", ADA, force=True)
        with pytest.raises(ConflictError, match=r"maintenance_windows\.patching"):
            await delete(world, Kind.TEAM, "soc", ADA, force=True)
        await delete(world, Kind.MAINTENANCE, "patching", ADA)
        await delete(world, Kind.INTEGRATION, "plant", ADA, force=True)
