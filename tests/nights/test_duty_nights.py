"""Golden nights in which duty changes: who was told what while a step waited."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from inline_snapshot import snapshot

from tests.nights.night import Night, night
from tocsin.actions.verify import verify
from tocsin.core.changes import Acknowledged
from tocsin.core.kinds import Actor, Via
from tocsin.store.db import run

START = datetime(2026, 11, 24, 2, 58, tzinfo=UTC)
MARA = Actor("mara", 1, Via.REPLY)
HANDOVER = datetime(2026, 11, 24, 2, 58, 45, tzinfo=UTC)


@asynccontextmanager
async def changing(dsn: str, *statements: str) -> AsyncGenerator[Night]:
    """A night that begins with these changes to the installation, and breaks no promise."""
    async with night(dsn, START) as n:
        await alter(n, *statements)
        yield n
        assert [one.found async for one in verify(n.world, START)] == [()]


async def alter(n: Night, *statements: str) -> None:
    async with n.world.database.transaction() as connection:
        for statement in statements:
            await run(connection, statement)


def mara_until(end: datetime) -> str:
    return f"UPDATE shift SET during = tstzrange(lower(during), '{end}')"


def jonas_from(start: datetime) -> str:
    return (
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why)"
        f" VALUES (1, 1, '1', 2, tstzrange('{start}', '2026-11-25'), 'rotation weeks')"
    )


def policy(body: str) -> str:
    return f"UPDATE escalation_policy SET body = '{body}'"


def rung(n: Night) -> list[str]:
    """The lines without what every message says at its end."""
    return [line.replace("HIGH #1 Pump down (soc · plant)", "…") for line in n.told]


async def test_a_shift_change_in_mid_step(database: str) -> None:
    async with changing(database, mara_until(HANDOVER), jonas_from(HANDOVER)) as n:
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(minutes=4))
        assert rung(n) == snapshot(
            [
                "02:58:00 raised: Pump down",
                "02:58:00 mara: alert: …",
                "02:58:30 mara: alert again (2): …",
                "02:58:50 jonas: alert: …",
                "03:00:00 ada: alert: …",
            ]
        )
        assert await n.timeline("p1") == snapshot(
            [
                "02:58:00 raised plant",
                "02:58:00 step Tocsin",
                "02:58:50 left_duty Tocsin",
                "02:58:50 came_on_duty Tocsin",
                "03:00:00 step Tocsin",
            ]
        )


async def test_whoever_follows_cannot_be_reached_at_first(database: str) -> None:
    async with changing(database, mara_until(HANDOVER), jonas_from(HANDOVER)) as n:
        n.broken.add("jonas")
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(seconds=70))
        n.broken.clear()
        await n.until(START + timedelta(seconds=110))
        assert rung(n) == snapshot(
            [
                "02:58:00 raised: Pump down",
                "02:58:00 mara: alert: …",
                "02:58:30 mara: alert again (2): …",
                "02:58:50 jonas's phone is broken",
                "02:59:00 mara: alert again (3): …",
                "02:59:00 jonas's phone is broken",
                "02:59:10 jonas's phone is broken",
                "02:59:20 jonas: alert: …",
            ]
        )


async def test_a_shift_change_in_mid_repeat(database: str) -> None:
    handover = START + timedelta(seconds=90)
    every_minute = policy('{"repeat": 9, "steps": [{"notify": [{"duty": 1}], "wait": "1m"}]}')
    async with changing(database, every_minute, mara_until(handover), jonas_from(handover)) as n:
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(minutes=3))
        assert rung(n) == snapshot(
            [
                "02:58:00 raised: Pump down",
                "02:58:00 mara: alert: …",
                "02:58:30 mara: alert again (2): …",
                "02:59:00 mara: alert: …",
                "02:59:30 mara: alert again (2): …",
                "02:59:30 jonas: alert: …",
                "03:00:00 jonas: alert: …",
                "03:01:00 jonas: alert: …",
            ]
        )
        assert await n.timeline("p1") == snapshot(
            [
                "02:58:00 raised plant",
                "02:58:00 step Tocsin",
                "02:59:00 step Tocsin",
                "02:59:30 left_duty Tocsin",
                "02:59:30 came_on_duty Tocsin",
                "03:00:00 step Tocsin",
                "03:01:00 step Tocsin",
            ]
        )


async def test_with_an_empty_shift_after_it_who_leaves_stays_paged_until_somebody_comes(
    database: str,
) -> None:
    long_step = policy('{"steps": [{"notify": [{"duty": 1}], "wait": "10m"}]}')
    back = START + timedelta(seconds=135)
    async with changing(database, long_step, mara_until(HANDOVER), jonas_from(back)) as n:
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(minutes=4))
        assert rung(n) == snapshot(
            [
                "02:58:00 raised: Pump down",
                "02:58:00 mara: alert: …",
                "02:58:30 mara: alert again (2): …",
                "02:59:00 mara: alert again (3): …",
                "02:59:30 mara: alert again (4): …",
                "03:00:00 mara: alert again (5): …",
                "03:00:20 jonas: alert: …",
            ]
        )
        assert await n.timeline("p1") == snapshot(
            [
                "02:58:00 raised plant",
                "02:58:00 step Tocsin",
                "02:58:50 left_duty Tocsin",
                "03:00:20 came_on_duty Tocsin",
            ]
        )


async def test_a_person_deactivated_in_mid_step(database: str) -> None:
    async with changing(database) as n:
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(seconds=40))
        await alter(n, "UPDATE app_user SET active = false WHERE name = 'mara'")
        await n.until(START + timedelta(minutes=2))
        assert rung(n) == snapshot(
            [
                "02:58:00 raised: Pump down",
                "02:58:00 mara: alert: …",
                "02:58:30 mara: alert again (2): …",
                "02:58:50 ada: alert: …",
            ]
        )
        assert await n.timeline("p1") == snapshot(
            [
                "02:58:00 raised plant",
                "02:58:00 step Tocsin",
                "02:58:50 left_duty Tocsin",
                "02:58:50 step Tocsin",
            ]
        )


async def test_somebody_punches_in_while_a_step_waits_without_anybody(database: str) -> None:
    waiting = policy(
        '{"steps": [{"notify": [{"duty": 1}], "wait": "3m", "if_nobody": "continue"},'
        ' {"notify": [{"user": "ada"}], "wait": "5m"}]}'
    )
    async with changing(database, waiting, "DELETE FROM shift") as n:
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(seconds=60))
        await alter(
            n,
            "INSERT INTO punch (team_id, user_id, tier, during, by_name)"
            " VALUES (1, 2, '1', tstzrange('2026-11-24 02:59Z', NULL), 'jonas')",
        )
        await n.until(START + timedelta(minutes=4))
        assert rung(n) == snapshot(
            ["02:58:00 raised: Pump down", "02:59:10 jonas: alert: …", "03:01:00 ada: alert: …"]
        )
        assert await n.timeline("p1") == snapshot(
            [
                "02:58:00 raised plant",
                "02:58:00 nobody Tocsin",
                "02:58:00 step Tocsin",
                "02:59:10 came_on_duty Tocsin",
                "03:01:00 step Tocsin",
            ]
        )


async def test_a_held_step_starts_when_a_shift_begins(database: str) -> None:
    holding = policy(
        '{"steps": [{"notify": [{"duty": 1}], "wait": "1m", "if_nobody": "hold"},'
        ' {"notify": [{"user": "ada"}], "wait": "5m"}]}'
    )
    begins = START + timedelta(minutes=12)
    async with changing(database, holding, "DELETE FROM shift", jonas_from(begins)) as n:
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(minutes=14))
        assert rung(n) == snapshot(
            ["02:58:00 raised: Pump down", "03:10:00 jonas: alert: …", "03:11:00 ada: alert: …"]
        )
        assert await n.timeline("p1") == snapshot(
            [
                "02:58:00 raised plant",
                "02:58:00 nobody Tocsin",
                "03:10:00 step Tocsin",
                "03:11:00 step Tocsin",
            ]
        )


async def test_a_contact_method_is_added_for_the_only_person_on_duty_who_had_none(
    database: str,
) -> None:
    waiting = policy(
        '{"steps": [{"notify": [{"duty": 1}], "wait": "3m", "if_nobody": "continue"}]}'
    )
    hidden = "UPDATE contact_method SET user_id = 3, name = 'spare' WHERE id = 1"
    async with changing(database, waiting, hidden) as n:
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(seconds=60))
        await alter(n, "UPDATE contact_method SET user_id = 1, name = 'phone' WHERE id = 1")
        await n.until(START + timedelta(seconds=100))
        assert rung(n) == snapshot(
            [
                "02:58:00 raised: Pump down",
                "02:59:10 mara: alert: …",
                "02:59:40 mara: alert again (2): …",
            ]
        )
        assert await n.timeline("p1") == snapshot(
            [
                "02:58:00 raised plant",
                "02:58:00 nobody Tocsin",
                "02:58:00 step Tocsin",
                "02:59:10 came_on_duty Tocsin",
            ]
        )


async def test_the_owner_of_an_acknowledged_alert_keeps_it_over_a_shift_change(
    database: str,
) -> None:
    async with changing(database, mara_until(HANDOVER), jonas_from(HANDOVER)) as n:
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(seconds=20))
        await n.answer("p1", Acknowledged(MARA), "mara acknowledges")
        await n.until(START + timedelta(minutes=10))
        assert rung(n) == snapshot(
            [
                "02:58:00 raised: Pump down",
                "02:58:00 mara: alert: …",
                "02:58:20 mara acknowledges → acknowledged",
                "02:58:50 jonas: update: Update: … Acknowledged by mara at 02:58 UTC.",
            ]
        )
        assert await n.timeline("p1") == snapshot(
            [
                "02:58:00 raised plant",
                "02:58:00 step Tocsin",
                "02:58:20 acknowledged mara",
                "02:58:50 came_on_duty Tocsin",
            ]
        )
        assert (await n.alert("p1")).owner == 1


async def test_nobody_is_on_duty_until_somebody_comes_after_nobody_answered(
    database: str,
) -> None:
    steps = '{"steps": [{"notify": [{"duty": 1}], "wait": "2m"}]}'
    gap = "DELETE FROM shift"
    async with changing(database, policy(steps), gap, jonas_from(HANDOVER)) as n:
        await n.raise_alert("Pump down", "p1")
        assert (await n.alert("p1")).exhausted
        await n.until(START + timedelta(minutes=4))
        assert rung(n) == snapshot(
            [
                "02:58:00 raised: Pump down",
                "02:58:00 ada: alert: Nobody answered: …",
                "02:58:50 jonas: alert: …",
                "03:00:50 ada: alert: Nobody answered: …",
            ]
        )
        assert await n.timeline("p1") == snapshot(
            [
                "02:58:00 raised plant",
                "02:58:00 nobody Tocsin",
                "02:58:00 nobody_answered Tocsin",
                "02:58:50 came_on_duty Tocsin",
                "02:58:50 step Tocsin",
                "03:00:50 nobody_answered Tocsin",
            ]
        )
