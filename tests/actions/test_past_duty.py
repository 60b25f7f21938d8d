"""What is kept of duty that is over, and for how long."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from tests.actions.ringing import House, house
from tests.store.scene import NOW
from tocsin.actions.upkeep import upkeep
from tocsin.store.schedules import schedules_of_team

OLD, RECENT = NOW - timedelta(days=403), NOW - timedelta(days=390)


@pytest.fixture
async def years(database: str) -> AsyncIterator[House]:
    async with house(database) as made:
        yield made


async def offer(
    made: House, state: str, answered: datetime, *, schedule: int = 1, user: int = 1
) -> None:
    await made.sql(
        "INSERT INTO shift_offer (team_id, kind, schedule_id, user_id, during, state, made_by,"
        " made_at, begins_at, answered_at, comment)"
        " VALUES (1, 'cover', $3, $4, tstzrange($2, NULL), $1, 'mara', $2, $2, $2,"
        " concat_ws(' ', $1::text, $3::int, $4::int))",
        state,
        answered,
        schedule,
        user,
    )


async def test_offers_go_that_ended_long_ago_or_are_about_nobody(years: House) -> None:
    later = NOW + timedelta(days=1)
    await offer(years, "accepted", OLD)
    await offer(years, "expired", OLD)
    await offer(years, "declined", RECENT)
    await offer(years, "withdrawn", RECENT, schedule=77)
    await offer(years, "accepted", RECENT, user=77)
    await offer(years, "open", later)
    await upkeep(years.world)
    left = await years.rows("SELECT comment FROM shift_offer ORDER BY comment")
    assert [row["comment"] for row in left] == ["declined 1 1", "open 1 1"]


async def override(made: House, to: str, *, file: bool = False) -> None:
    await made.sql(
        "INSERT INTO schedule_override (team_id, schedule_id, body, file_body) VALUES (1, 1,"
        " jsonb_build_object('user', 'mara', 'from', '2024-01-01T00:00Z', 'to', $1::text),"
        " CASE WHEN $2 THEN '{}'::jsonb END)",
        to,
        file,
    )


async def test_overrides_by_hand_go_that_ended_long_ago(years: House) -> None:
    await override(years, f"{OLD:%Y-%m-%dT%H:%MZ}")
    await override(years, f"{RECENT:%Y-%m-%dT%H:%M}+02:00")
    await override(years, f"{OLD - timedelta(days=9):%Y-%m-%dT%H:%MZ}", file=True)
    await upkeep(years.world)
    left = await years.rows("SELECT file_body IS NULL AS made FROM schedule_override ORDER BY id")
    assert [row["made"] for row in left] == [True, False]


async def test_only_overrides_that_may_count_are_read(years: House) -> None:
    ended = NOW - timedelta(days=3)
    for to in (ended, NOW - timedelta(hours=1), NOW + timedelta(hours=1)):
        await override(years, f"{to:%Y-%m-%dT%H:%M:%SZ}")
    async with years.world.database.transaction() as connection:
        now = await schedules_of_team(connection, 1, NOW, NOW + timedelta(days=1))
        then = await schedules_of_team(connection, 1, ended, NOW)
    assert [one.to > NOW - timedelta(days=2) for one in now[1].overrides] == [True, True]
    assert len(then[1].overrides) == 3
