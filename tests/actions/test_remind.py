"""Reminders of shifts: to each person at their time, once, on the clock of their wall."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.actions.ringing import House, Rings, house
from tests.actions.test_handover import CROWD
from tests.store.scene import NOW
from tocsin.actions.remind import send_reminders
from tocsin.store.shifts import materialise

JONAS = 2


@pytest.fixture
async def days(database: str) -> AsyncIterator[House]:
    """No shifts; the clock is at `NOW`."""
    async with house(database) as made:
        await made.sql("DELETE FROM shift")
        yield made


async def shift(made: House, begins: datetime, hours: float, user: int = JONAS) -> None:
    await made.sql(
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why)"
        " VALUES (1, 1, '1', $1, tstzrange($2, $3), 'rotation')",
        user,
        begins,
        begins + timedelta(hours=hours),
    )


async def look(made: House, at: datetime) -> list[str]:
    """What is said when the worker looks at this moment."""
    await made.clock.move(at - made.clock.now())
    await send_reminders(made.world)
    await made.deliver()
    said = [f"{message.user}: {message.text}" for message, _ in Rings.rang]
    Rings.rang.clear()
    return said


async def wish(made: House, body: str, user: int = JONAS) -> None:
    await made.sql("UPDATE app_user SET body = $2::jsonb WHERE id = $1", user, body)


async def test_an_hour_before_it_begins_unless_somebody_says_otherwise(days: House) -> None:
    begins = NOW + timedelta(hours=5)
    await shift(days, begins, 8)
    await shift(days, begins, 8, user=1)
    await wish(days, '{"reminders": {"before": "3h"}}', user=1)
    assert await look(days, begins - timedelta(hours=3, seconds=31)) == []
    line = "Your duty in soc (tier 1) begins at Tue 24 Nov 09:00 (Europe/Berlin)."
    assert await look(days, begins - timedelta(hours=3)) == [f"mara: {line}", f"mara: {line}"]
    assert await look(days, begins - timedelta(hours=1, seconds=31)) == []
    assert await look(days, begins - timedelta(hours=1)) == [f"jonas: {line}"]
    for minutes in (59, 30, 1, 0, -5):
        assert await look(days, begins - timedelta(minutes=minutes)) == []


async def test_who_wants_no_reminder_gets_none(days: House) -> None:
    begins = NOW + timedelta(hours=5)
    await shift(days, begins, 8)
    await wish(days, '{"reminders": {"enabled": false, "before": "2h", "before_end": "2h"}}')
    for hours in (-2, -0.5, 7, 7.9):
        assert await look(days, begins + timedelta(hours=hours)) == []


async def test_the_end_is_reminded_of_where_somebody_wants_that(days: House) -> None:
    begins = NOW + timedelta(hours=5)
    await shift(days, begins, 8)
    await shift(days, begins + timedelta(hours=8), 4)  # the next turn is theirs as well
    await wish(days, '{"time_zone": "Asia/Kathmandu", "reminders": {"before_end": "15m"}}')
    await look(days, begins)
    assert await look(days, begins + timedelta(hours=7, minutes=50)) == []
    end = begins + timedelta(hours=12)
    assert await look(days, end - timedelta(minutes=15)) == [
        "jonas: Your duty in soc (tier 1) ends at Wed 25 Nov 01:45 (Asia/Kathmandu)."
    ]
    assert await look(days, end) == []


async def test_turns_that_follow_each_other_begin_once(days: House) -> None:
    begins = NOW + timedelta(hours=5)
    for number in range(3):
        await shift(days, begins + timedelta(hours=8 * number), 8)
    assert len(await look(days, begins - timedelta(minutes=30))) == 1
    assert await look(days, begins + timedelta(hours=7, minutes=30)) == []
    assert await look(days, begins + timedelta(hours=15, minutes=30)) == []


async def test_what_has_begun_during_an_outage_is_not_reminded_of(days: House) -> None:
    begins = NOW + timedelta(hours=5)
    await shift(days, begins, 8)
    assert await look(days, begins + timedelta(minutes=1)) == []


async def test_of_several_processes_one_reminds_and_a_crash_repeats_nothing(days: House) -> None:
    begins = NOW + timedelta(hours=5)
    await shift(days, begins, 8)
    await days.clock.move(begins - timedelta(minutes=30) - days.clock.now())
    await days.sql("ALTER TABLE notification ADD CONSTRAINT none CHECK (false) NOT VALID")
    with pytest.raises(Exception, match="none"):
        await send_reminders(days.world)
    await days.sql("ALTER TABLE notification DROP CONSTRAINT none")
    await asyncio.gather(*(send_reminders(days.world) for _ in range(4)))
    await days.deliver()
    assert len(Rings.rang) == 1


async def test_many_who_begin_at_once_are_reminded_once_each(days: House) -> None:
    for statement in CROWD:
        await days.sql(statement)
    await days.clock.move(datetime(2026, 11, 24, 11, 30, tzinfo=UTC) - days.clock.now())
    await send_reminders(days.world)
    found = await days.rows("SELECT user_id FROM notification")
    assert sorted(row["user_id"] for row in found) == list(range(101, 221))
    written = await days.rows("SELECT count(*) FROM told GROUP BY xmin ORDER BY 1")
    assert [row["count"] for row in written] == [20, 50, 50]


NIGHTS = {
    # The hand-over at 02:30 is skipped: it is the jump itself, 03:00.
    "spring": (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "Sun 28 Mar 03:00"),
    # It is shown twice: the first counts.
    "autumn": (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), "Sun 31 Oct 02:30"),
}


@pytest.mark.parametrize(("begins", "shown"), NIGHTS.values(), ids=NIGHTS)
async def test_on_nights_when_the_clock_changes_it_comes_a_real_hour_before(
    days: House, begins: datetime, shown: str
) -> None:
    body = (
        '{"rotations": [{"participants": ["jonas", "ada"], "start": "2026-01-01T02:30",'
        ' "unit": "day", "name": "nights"}]}'
    )
    await days.sql("UPDATE schedule SET body = $1::jsonb", body)
    await days.clock.move(begins - timedelta(hours=3) - days.clock.now())
    async with days.world.database.transaction() as connection:
        await materialise(connection, 1, days.clock.now())
    assert await look(days, begins - timedelta(hours=1, seconds=31)) == []
    (said,) = await look(days, begins - timedelta(hours=1))
    assert said.endswith(f"(tier 1) begins at {shown} (Europe/Berlin).")
    assert await look(days, begins) == []
