"""Raw events by day: nothing is in the way of a partition, old ones go as a whole."""

from datetime import date, timedelta

from tests.store.scene import NOW, scene
from tocsin.store.db import Database, rows
from tocsin.store.events import RawEvent, drop_partitions, keep_events, make_partitions
from tocsin.store.uuids import uuid7

TODAY = NOW.date()


async def keep(database: Database, days_ago: int = 0) -> None:
    at = NOW - timedelta(days=days_ago)
    event = RawEvent(
        team=1, id=uuid7(at), integration=1, received_at=at, content=b"{}", media_type=None
    )
    async with database.transaction() as connection:
        await keep_events(connection, [event])


async def places(database: Database) -> list[str]:
    async with database.transaction() as connection:
        found = await rows(connection, "SELECT tableoid::regclass::text AS place FROM event")
    return sorted(row["place"] for row in found)


async def make(database: Database, today: date = TODAY) -> None:
    async with database.transaction() as connection:
        await make_partitions(connection, today)


async def test_an_event_that_came_before_its_partition_is_moved_into_it(database: str) -> None:
    async with scene(database) as db:
        await keep(db)
        assert await places(db) == ["event_default"]
        await make(db)
        assert await places(db) == ["event_20261124"]
        await keep(db)
        await make(db)
        assert await places(db) == ["event_20261124", "event_20261124"]


async def test_old_days_are_dropped_as_a_whole(database: str) -> None:
    async with scene(database) as db:
        await make(db, TODAY - timedelta(days=40))
        await make(db)
        await keep(db, days_ago=40)
        await keep(db)
        async with db.transaction() as connection:
            dropped = await drop_partitions(connection, TODAY - timedelta(days=30))
        assert "event_20261015" in dropped
        assert await places(db) == ["event_20261124"]
