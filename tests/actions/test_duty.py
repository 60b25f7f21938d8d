"""Who is on duty, and duty taken and left by hand."""

from datetime import timedelta

import pytest

from tests.actions.configured import NOW, SMALL, select, world_on
from tocsin.actions import duty
from tocsin.actions.configure import apply, read
from tocsin.actions.world import World
from tocsin.core.standins import Impossible
from tocsin.store import shifts
from tocsin.testing.clock import MovableClock


async def _rows(world: World) -> tuple[int, dict[str, int]]:
    (team,) = await select(world, "SELECT id FROM team")
    users = await select(world, "SELECT id, name FROM app_user")
    return team["id"], {row["name"]: row["id"] for row in users}


async def test_duty_says_who_until_when_and_by_what(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        team, _ = await _rows(world)
        (now,) = await duty.on_duty(world, [team])
        (week,) = await duty.on_duty(world, [team], NOW + timedelta(days=7))
    assert (now.user_name, now.tier, now.why) == ("jonas", "1", "rotation weeks")
    assert now.until is not None
    assert now.until.isoformat() == "2026-11-30T08:00:00+00:00"
    assert week.user_name == "mara"


async def test_punching_in_puts_somebody_on_duty_beside_the_shift(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        team, users = await _rows(world)
        until = NOW + timedelta(hours=2)
        await duty.punch_in(world, team, users["mara"], tier="1", until=until, by="mara")
        found = await duty.punch_in(world, team, users["mara"], tier="1", until=until, by="mara")
        assert not isinstance(found, Impossible)
        assert [(one.user_name, one.why) for one in found] == [
            ("jonas", "rotation weeks"),
            ("mara", "punched in"),
        ]
        assert len(await duty.on_duty(world, [team], until)) == 1
        left = await duty.punch_out(world, team, users["mara"], tier=None, until=None, by="mara")
        assert not isinstance(left, Impossible)
        assert [one.user_name for one in left] == ["jonas"]


async def test_punching_out_of_a_shift_leaves_it_until_its_end(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        team, users = await _rows(world)
        assert (
            await duty.punch_out(
                world, team, users["jonas"], tier=None, until=NOW + timedelta(hours=1), by="jonas"
            )
            == []
        )
        back = await duty.on_duty(world, [team], NOW + timedelta(hours=1))
        assert [one.user_name for one in back] == ["jonas"]
        assert not (await apply(world, read(SMALL))).changes


async def test_an_end_in_the_past_is_refused(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        team, users = await _rows(world)
        with pytest.raises(ValueError, match="in the past"):
            await duty.punch_in(world, team, users["mara"], tier="1", until=NOW, by="mara")


async def test_shifts_worked_out_again_change_only_the_far_end(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        team, _ = await _rows(world)
        before = await select(world, "SELECT xmin::text, id, during FROM shift ORDER BY id")
        assert isinstance(world.clock, MovableClock)
        await world.clock.move(timedelta(days=1))
        async with world.database.transaction() as connection:
            await shifts.materialise(connection, team, world.clock.now())
        after = await select(world, "SELECT xmin::text, id, during FROM shift ORDER BY id")
    assert [dict(row) for row in before[:-1]] == [dict(row) for row in after[: len(before) - 1]]


async def test_somebody_inactive_is_on_no_duty(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL.replace("  jonas:\n", "  jonas:\n    active: false\n")))
        team, _ = await _rows(world)
        assert await duty.on_duty(world, [team]) == []
