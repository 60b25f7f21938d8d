"""What people are told of duty, as the configuration says it."""

import pytest

from tests.actions.configured import SMALL, select, world_on
from tocsin.actions.configure import ConfigureError, Editor, apply, export, read, update
from tocsin.store.configuration import Kind

ADA = Editor("ada", admin=True)
TOLD = """\
    hand_over: {enabled: true, accept_within: 20m}
    notices: {gaps: true, unreachable: false, ahead: 3d}
"""
REMINDED = "    reminders: {before: 2h, before_end: 15m}\n"
FILE = SMALL.replace(
    "    time_zone: Europe/Berlin\n", f"    time_zone: Europe/Berlin\n{TOLD}"
).replace("  jonas:\n", f"  jonas:\n{REMINDED}")


async def test_it_is_kept_exported_and_stays_the_same_when_applied_again(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(FILE))
        text = await export(world)
        assert not (await apply(world, read(FILE))).changes
        (team,) = await select(world, "SELECT body->'hand_over' AS it FROM team")
    assert '"20m"' in team["it"]
    for words in ("accept_within: 20m", "ahead: 3d", "before_end: 15m"):
        assert words in text


@pytest.mark.parametrize(
    ("kind", "name", "body", "place"),
    [
        (Kind.TEAM, "soc", {"hand_over": {"accept_within": "10s"}}, ("hand_over", "accept_within")),
        (Kind.TEAM, "soc", {"hand_over": {"after": "10m"}}, ("hand_over", "after")),
        (Kind.TEAM, "soc", {"notices": {"ahead": "30d"}}, ("notices", "ahead")),
        (Kind.TEAM, "soc", {"notices": {"gaps": "no"}}, ("notices", "gaps")),
        (Kind.USER, "jonas", {"reminders": {"before": "soon"}}, ("reminders", "before")),
        (Kind.USER, "jonas", {"reminders": {"enabled": 1}}, ("reminders", "enabled")),
    ],
)
async def test_what_makes_no_sense_is_refused_at_its_place(
    database: str, kind: Kind, name: str, body: dict[str, object], place: tuple[str, ...]
) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(ConfigureError) as refused:
            await update(world, kind, name, body, ADA)
    assert [fault.path for fault in refused.value.faults] == [place]
