"""Alerts of Tocsin's own, and those about people on duty who cannot be reached."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.actions.worlds import world_at
from tests.store.scene import NOW
from tocsin.actions.own import close_own, raise_own
from tocsin.actions.reach import check_reach
from tocsin.actions.reply import AlertRef, change
from tocsin.actions.upkeep import extend_shifts, upkeep
from tocsin.actions.world import PlugIns, World
from tocsin.core.changes import Closed
from tocsin.core.kinds import Actor, Severity, Via
from tocsin.store.db import Row, rows, run
from tocsin.testing.clock import MovableClock


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """Mara is on duty until 2026-11-25 00:00 UTC, it is 03:00 the day before."""
    async with world_at(database) as made:
        yield made


async def sql(world: World, text: str, *args: object) -> None:
    async with world.database.transaction() as connection:
        await run(connection, text, *args)


async def alerts(world: World) -> list[Row]:
    async with world.database.transaction() as connection:
        return list(
            await rows(
                connection,
                "SELECT id, title, text, status, severity, source_kind, source_name, external_id,"
                " seen_count FROM alert ORDER BY number",
            )
        )


async def minutes(world: World, count: float) -> None:
    assert isinstance(world.clock, MovableClock)
    await world.clock.move(timedelta(minutes=count))
    await check_reach(world)


async def test_an_own_alert_is_raised_while_none_is_open_and_pages(world: World) -> None:
    assert await raise_own(world, 1, "k", "Disk full", "Make room.", Severity.CRITICAL)
    assert not await raise_own(world, 1, "k", "Disk full", "Make room.")
    (alert,) = await alerts(world)
    assert (alert["severity"], alert["source_kind"], alert["source_name"]) == (
        "critical",
        "tocsin",
        "Tocsin",
    )
    assert alert["seen_count"] == 1
    async with world.database.transaction() as connection:
        assert await rows(connection, "SELECT 1 FROM notification WHERE user_id = 1")


async def closed_by_hand(world: World) -> None:
    (row,) = [row for row in await alerts(world) if row["status"] == "open"]
    ref = AlertRef(1, row["id"])
    await change(world, ref, Closed(Actor("mara", 1, Via.WEB)))


async def test_it_closes_and_is_raised_again_unless_somebody_knows(world: World) -> None:
    assert not await close_own(world, 1, "k", "nothing to close")
    await raise_own(world, 1, "k", "Disk full", "")
    assert await close_own(world, 1, "k", "There is room again.")
    assert await raise_own(world, 1, "k", "Disk full", "", once=True)
    await closed_by_hand(world)
    assert not await raise_own(world, 1, "k", "Disk full", "", once=True)
    assert await raise_own(world, 1, "k", "Disk full", "")
    assert [row["status"] for row in await alerts(world)] == ["closed", "closed", "open"]


BREAKS = {
    "They may not answer alerts": "UPDATE app_user SET role = 'viewer' WHERE id = 1",
    "The user is deactivated": "UPDATE app_user SET active = false WHERE id = 1",
    "There is no contact method": "DELETE FROM contact_method WHERE user_id = 1",
    "Every contact method is switched off": (
        "UPDATE contact_method SET disabled = 'bounced' WHERE user_id = 1"
    ),
    "the channel voice is not installed here": (
        "UPDATE contact_method SET channel = 'voice' WHERE user_id = 1"
    ),
    "settings.channels.email: ": (
        "UPDATE contact_method SET channel = 'email', address = 'mara@example.org'"
    ),
    "10.0.0.7 is not public: put their networks into TOCSIN_ALLOW_PRIVATE_TARGETS": (
        "UPDATE contact_method SET address = 'https://10.0.0.7/mara'"
    ),
}


@pytest.mark.parametrize("why", BREAKS)
async def test_who_is_on_duty_and_cannot_be_reached_is_an_alert(world: World, why: str) -> None:
    await minutes(world, 1)
    assert await alerts(world) == []
    await sql(world, BREAKS[why])
    await minutes(world, 1)
    await minutes(world, 1)
    (alert,) = await alerts(world)
    assert alert["title"] == (
        "mara is on duty from 2026-11-23 01:00 (Europe/Berlin) and cannot be reached"
    )
    assert why in alert["text"]
    assert (alert["severity"], alert["seen_count"]) == ("high", 1)


async def test_it_is_said_twelve_hours_ahead_once_per_shift(world: World) -> None:
    await sql(
        world,
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why) VALUES"
        " (1, 1, '1', 2, tstzrange($1, $2), 'rotation weeks'),"
        " (1, 1, '2', 2, tstzrange($1, $2), 'rotation weeks')",
        NOW + timedelta(hours=14),
        NOW + timedelta(hours=16),
    )
    await sql(world, "DELETE FROM contact_method WHERE user_id = 2")
    await minutes(world, 119)
    assert await alerts(world) == []
    await minutes(world, 2)
    (alert,) = await alerts(world)
    assert alert["external_id"] == "unreachable:jonas:2026-11-24T17:00:00Z"
    await closed_by_hand(world)
    await minutes(world, 1)
    assert len(await alerts(world)) == 1


async def test_one_that_closed_by_itself_is_raised_again_in_the_same_shift(world: World) -> None:
    for broken in (True, False, True):
        await sql(world, "UPDATE contact_method SET disabled = $1", "bounced" if broken else None)
        await minutes(world, 1)
    assert [row["status"] for row in await alerts(world)] == ["closed", "open"]


async def test_it_closes_when_a_method_works_again(world: World) -> None:
    await sql(world, "UPDATE contact_method SET disabled = 'bounced' WHERE user_id = 1")
    await minutes(world, 1)
    await sql(world, "UPDATE contact_method SET disabled = NULL WHERE user_id = 1")
    await minutes(world, 1)
    (alert,) = await alerts(world)
    assert alert["status"] == "closed"


async def test_it_closes_when_somebody_else_is_on_duty(world: World) -> None:
    await sql(world, "DELETE FROM contact_method WHERE user_id = 1")
    await minutes(world, 1)
    await sql(world, "UPDATE shift SET user_id = 2")
    await minutes(world, 1)
    (alert,) = await alerts(world)
    assert alert["status"] == "closed"


async def test_the_upkeep_looks_after_it(database: str) -> None:
    async with world_at(database) as world:
        await sql(
            world,
            "INSERT INTO punch (team_id, user_id, tier, during, by_name)"
            " VALUES (1, 2, '1', tstzrange($1, NULL), 'jonas')",
            NOW,
        )
        await extend_shifts(world)  # the schedule has nobody, so Mara's shift goes
        await upkeep(replace(world, plug_ins=PlugIns()))
        assert [row["title"][:18] for row in await alerts(world)] == ["jonas is on duty f"]
