"""Export writes a file that apply reads back without a change."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.actions.configured import SMALL, snapshot, world_on
from tests.actions.test_configure_rules import LATER_THINGS
from tocsin.actions.configure import ConfigureError, Editor, apply, create, export, plan, read
from tocsin.core.notation import mapping
from tocsin.store.configuration import Kind


@pytest.mark.parametrize("text", [SMALL, LATER_THINGS])
async def test_what_is_exported_is_what_was_applied(database: str, text: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(text))
        rows = await snapshot(world)
        exported = read(await export(world))
        report = await apply(world, exported)
        assert await snapshot(world) == rows
    assert not report.changes
    assert exported.value == _with_references(read(text).value)


async def test_the_example_is_exported_unchanged_but_for_secrets(
    database: str, shared: Path
) -> None:
    text = (shared / "examples/soc.yaml").read_text(encoding="utf-8")
    async with world_on(database) as world:
        await apply(world, read(text))
        exported = read(await export(world))
        assert not (await apply(world, exported)).changes
    value = exported.value
    assert value == _with_references(read(text).value)
    names = list(mapping(mapping(mapping(value["teams"])["soc"])["categories"]))
    assert names == ["identity", "noise"]  # the first that matches is chosen


async def test_an_override_made_here_is_not_exported(database: str) -> None:
    times = {"from": "2026-11-24T06:00Z", "to": "2026-11-24T12:00Z"}
    body = {"team": "soc", "schedule": "primary", "user": "mara", **times}
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        before = await export(world)
        await create(world, Kind.OVERRIDE, body, Editor("ada"))
        assert await export(world) == before


async def test_stored_secrets_are_refused_on_another_installation(
    database: str, shared: Path
) -> None:
    text = SMALL.replace("plant-secret-0001", "{stored: soc/plant}")
    async with world_on(database) as world:
        with pytest.raises(ConfigureError, match=r"line 34: teams\.soc\.integrations\.plant") as no:
            await plan(world, read(text))
    assert "enter the secret itself in this place" in str(no.value)


async def test_a_stored_secret_moves_with_its_name(database: str) -> None:
    renamed = SMALL.replace(
        "plant: {inlet: signl4, secret: plant-secret-0001}",
        "works: {inlet: signl4, secret: {stored: soc/plant}}",
    )
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        before = (await snapshot(world))["address"]
        await apply(world, read(renamed))
        after = (await snapshot(world))["address"]
    assert [mapping(row)["hash"] for row in before] == [mapping(row)["hash"] for row in after]


def _with_references(tree: Mapping[str, object]) -> dict[str, object]:
    """The tree with `{stored: NAME}` in the place of each sender's secret."""
    teams: dict[str, object] = {}
    for team, body in mapping(tree["teams"]).items():
        integrations = {
            name: {**mapping(one), "secret": {"stored": f"{team}/{name}"}}
            for name, one in mapping(mapping(body)["integrations"]).items()
        }
        teams[team] = {**mapping(body), "integrations": integrations}
    return {**tree, "teams": teams}
