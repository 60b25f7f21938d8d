"""Shifts worked out ahead: what is stored follows the schedules, and the past stays."""

import asyncio
import json
from datetime import datetime, timedelta

from tests.store.scene import NOW, later, scene
from tocsin.store.db import Connection, rows, run
from tocsin.store.events import reserve_numbers
from tocsin.store.shifts import HORIZON, duties, materialise

HOURS = {"participants": ["mara", "jonas"], "start": "2026-01-01T00:00", "unit": "hour"}
Spans = list[tuple[int, datetime, datetime]]


async def _schedule(connection: Connection, name: str, **rotation: object) -> None:
    await run(
        connection,
        "INSERT INTO schedule (team_id, id, name, tier, body) OVERRIDING SYSTEM VALUE"
        " SELECT 1, max(id) + 1, $1, '1', $2::jsonb FROM schedule",
        name,
        json.dumps({"rotations": [HOURS | rotation]}),
    )


async def _spans(connection: Connection, until: datetime | None = None) -> Spans:
    """Everybody's duty by beginning, what lies after `until` cut off."""
    found = await rows(
        connection,
        "SELECT user_id, lower(during) AS begins, upper(during) AS ends FROM shift"
        " ORDER BY lower(during), user_id, schedule_id",
    )
    spans = [(row["user_id"], row["begins"], row["ends"]) for row in found]
    if until is None:
        return spans
    return [(user, begin, min(end, until)) for user, begin, end in spans if begin < until]


async def test_what_is_over_stays_and_what_runs_ends_when_a_schedule_is_gone(
    database: str,
) -> None:
    async with scene(database) as db, db.transaction() as connection:
        await _schedule(connection, "hours")
        await materialise(connection, 1, NOW)
        now = later(hours=5, minutes=30)
        past = await _spans(connection, until=now)
        assert len(past) == 1 + 6  # what the scene begins with ended at once
        await run(connection, "DELETE FROM schedule WHERE team_id = 1")
        await materialise(connection, 1, now)
        assert await _spans(connection) == past


async def test_a_change_of_zone_rewrites_what_comes_and_leaves_the_past(database: str) -> None:
    async with scene(database) as db, db.transaction() as connection:
        await _schedule(connection, "days", unit="day", every=2)
        await materialise(connection, 1, NOW)
        now = later(days=3)
        past = await _spans(connection, until=now)
        await run(connection, "UPDATE team SET time_zone = 'Asia/Kathmandu' WHERE id = 1")
        assert await materialise(connection, 1, now) > 0
        assert await _spans(connection, until=now) == past
        ahead = [begin for _, begin, _ in await _spans(connection) if begin > now]
        assert {f"{begin:%H:%M}" for begin in ahead} == {"18:15"}
        assert await materialise(connection, 1, now) == 0


async def test_many_schedules_are_written_in_slices(database: str) -> None:
    async with scene(database) as db, db.transaction() as connection:
        for number in range(4):
            await _schedule(connection, f"hours {number}")
        await run(connection, "DELETE FROM schedule WHERE name = 'primary'")
        await materialise(connection, 1, NOW)
        spans = [span for span in await _spans(connection) if span[2] > NOW]
        assert len(spans) == 4 * (HORIZON // timedelta(hours=1))
        assert len(await duties(connection, [1, 1], later(days=40))) == 4
        assert await materialise(connection, 1, NOW) == 0


async def test_a_part_of_the_schedules_leaves_the_others_as_they_are(database: str) -> None:
    async with scene(database) as db, db.transaction() as connection:
        await _schedule(connection, "one")
        await _schedule(connection, "other")
        await materialise(connection, 1, NOW)
        (last,) = await rows(connection, "SELECT max(id) AS id FROM schedule")
        await run(connection, "UPDATE schedule SET body = '{}' WHERE team_id = 1")
        await materialise(connection, 1, later(minutes=30), [last["id"]])
        assert len(await duties(connection, [1], later(hours=2))) == 1


async def test_new_alerts_take_their_numbers_while_shifts_are_worked_out(database: str) -> None:
    async with scene(database) as db, db.transaction() as connection:
        await materialise(connection, 1, NOW)
        numbers = await asyncio.wait_for(reserve_numbers(db, {1: 2}), timeout=10)
        assert len(numbers) == 1
