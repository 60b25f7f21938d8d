"""What happens to alerts reaches the custom table: all of it, once by id, in nobody's way."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.actions.syncing import MARA, Night, night
from tocsin.actions.page import page_due
from tocsin.actions.publish import publications_due, publish
from tocsin.core.changes import Acknowledged, Annotated, Closed
from tocsin.core.notification import State
from tocsin.microsoft.table import stream_columns
from tocsin.store import alerts
from tocsin.store.outbox import (
    DuePublications,
    claim_publications,
    drop_publications,
    published,
    report,
)

RULE = "dcr-0a1b2c3d4e5f60718293a4b5c6d7e8f9"
POSTS = "/dataCollectionRules/"


@asynccontextmanager
async def recorded(database: str, folder: Path) -> AsyncGenerator[Night]:
    """A night whose connector has a custom table."""
    async with night(database, folder, table={"rule": RULE}) as n:
        n.sky.cloud.identity.azure_roles.add("Monitoring Metrics Publisher")
        n.sky.cloud.resources["rule"] = {
            "id": "rule",
            "properties": {
                "immutableId": RULE,
                "streamDeclarations": {"Custom-SIGNL4_CL": {"columns": stream_columns()}},
            },
        }
        yield n


async def _told(n: Night) -> int:
    """How many events were handed over, or tried to be; waits inside a call pass quickly."""
    due = await publications_due(n.world)
    for one in due:
        handing_over = asyncio.create_task(publish(n.world, n.sources, one))
        while not (await asyncio.wait({handing_over}, timeout=0.1))[0]:
            await n.pass_time(seconds=4)
        await handing_over
    return sum(len(one.events) for one in due)


async def _waiting(n: Night) -> int:
    (row,) = await n.sql("SELECT count(*) AS n FROM publication")
    return int(row["n"])


def _rows(n: Night, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row.get(column) for column in columns) for row in n.sky.cloud.ingested]


def _ids(n: Night) -> Counter[str]:
    return Counter(row["EventId"] for row in n.sky.cloud.ingested)


async def test_the_life_of_an_alert_stands_in_the_table(database: str, tmp_path: Path) -> None:
    async with recorded(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel", severity="High")
        await n.poll()
        for change in (
            Acknowledged(by=MARA),
            Annotated(by=MARA, comment="looking"),
            Closed(by=MARA, classification=None),
        ):
            await n.pass_time(minutes=1)
            await n.change(change)
        await _told(n)
        assert await _waiting(n) == 0
        lives = [row for row in _rows(n, "EventType", "Status", "Actor") if row[0] != "escalated"]
        assert lives == [
            ("created", "open", "sentinel"),
            ("acknowledged", "acknowledged", "mara"),
            ("comment", "acknowledged", "mara"),
            ("closed", "closed", "mara"),
        ]
        assert set(_rows(n, "AlertTitle", "Severity", "IncidentNumber")) == {
            ("Impossible travel", "high", str(incident.number))
        }
        assert set(_ids(n).values()) == {1}


async def test_without_a_table_nothing_is_promised(database: str, tmp_path: Path) -> None:
    async with night(database, tmp_path) as n:
        n.sky.cloud.add_sentinel_incident(title="Impossible travel", severity="High")
        await n.poll()
        assert await _waiting(n) == 0


async def test_an_escalation_is_told_and_the_first_step_is_none(
    database: str, tmp_path: Path
) -> None:
    async with recorded(database, tmp_path) as n:
        n.sky.cloud.add_sentinel_incident(title="Impossible travel", severity="High")
        await n.poll()
        await _told(n)
        assert "escalated" not in {row["EventType"] for row in n.sky.cloud.ingested}
        for _ in range(3):
            await n.pass_time(minutes=30)
            await page_due(n.world)
        await _told(n)
        assert "escalated" in {row["EventType"] for row in n.sky.cloud.ingested}


async def test_what_became_of_a_message_is_told(database: str, tmp_path: Path) -> None:
    async with recorded(database, tmp_path) as n:
        n.sky.cloud.add_sentinel_incident(title="Impossible travel", severity="High")
        await n.poll()
        alert = await n.alert()
        async with n.world.database.transaction() as connection:
            (page,) = await alerts.notifications(connection, 1, alert.id)
            for state in (State.DELIVERED, State.DELIVERED, State.SEEN):
                await report(connection, 1, page["id"], state, None, n.clock.now())
        await _told(n)
        messages = [row for row in n.sky.cloud.ingested if row["EventType"] == "notified"]
        assert [(row["DeliveryStatus"], row["Actor"], row["Attempt"]) for row in messages] == [
            ("delivered", "mara", 1)
        ]
        assert messages[0]["Channel"]
        assert messages[0]["CorrelationId"]


async def test_a_table_that_is_away_loses_nothing_and_holds_nobody_up(
    database: str, tmp_path: Path
) -> None:
    async with recorded(database, tmp_path) as n:
        fault = n.sky.cloud.faults.add(POSTS, "POST", 503, times=None)
        n.sky.cloud.add_sentinel_incident(title="Impossible travel", severity="High")
        await n.poll()
        before, began = await _waiting(n), n.clock.now()
        assert await _told(n) == before
        assert await _waiting(n) == before
        (row,) = await n.sql(
            "SELECT count(DISTINCT next_try_at) AS times, min(next_try_at) AS first"
            " FROM publication"
        )
        assert (row["times"], row["first"] > began) == (1, True), "all are put off together"
        await n.change(Acknowledged(by=MARA))  # paging and answers go on
        n.sky.cloud.faults.remove(fault)
        await n.pass_time(minutes=15)
        assert await _told(n) > before
        assert set(_ids(n).values()) == {1}
        assert await _waiting(n) == 0


async def test_a_reset_after_the_rows_were_taken_doubles_rows_and_no_event(
    database: str, tmp_path: Path
) -> None:
    async with recorded(database, tmp_path) as n:
        n.sky.cloud.faults.add(POSTS, "POST", "reset_after_apply", times=4)
        n.sky.cloud.add_sentinel_incident(title="Impossible travel", severity="High")
        await n.poll()
        await _told(n)
        once = set(_ids(n))
        await n.pass_time(minutes=15)
        await _told(n)
        assert set(_ids(n)) == once
        assert min(_ids(n).values()) > 1
        assert await _waiting(n) == 0


async def test_a_holder_that_lost_its_lease_forgets_nothing(database: str, tmp_path: Path) -> None:
    async with recorded(database, tmp_path) as n:
        n.sky.cloud.add_sentinel_incident(title="Impossible travel", severity="High")
        await n.poll()
        (first,) = await publications_due(n.world)
        assert await publications_due(n.world) == (), "one holder at a time"
        await n.run("UPDATE publication SET lease_until = now() - interval '1 second'")
        await n.pass_time(minutes=5)
        (second,) = await publications_due(n.world)
        async with n.world.database.transaction() as connection:
            assert await published(connection, first) == 0
            assert await published(connection, second) == len(first.events)


async def test_events_are_handed_over_oldest_first_and_some_at_a_time(
    database: str, tmp_path: Path
) -> None:
    async with recorded(database, tmp_path) as n:
        for number in range(3):
            n.sky.cloud.add_sentinel_incident(title=f"incident {number}", severity="High")
            await n.poll()
            await n.pass_time(minutes=1)
        total = await _waiting(n)
        seen: list[DuePublications] = []
        while await _waiting(n):
            async with n.world.database.transaction() as connection:
                (due,) = await claim_publications(connection, n.clock.now(), n.clock, events=2)
                await published(connection, due)
            seen.append(due)
        times = [event.at for due in seen for event in due.events]
        assert times == sorted(times)
        assert (len(times), max(len(due.events) for due in seen)) == (total, 2)


async def test_a_source_that_takes_no_events_is_told_none(database: str, tmp_path: Path) -> None:
    async with recorded(database, tmp_path) as n:
        n.sky.cloud.add_sentinel_incident(title="Impossible travel", severity="High")
        await n.poll()
        await n.run("UPDATE connector SET enabled = false")
        assert await _told(n) > 0
        assert n.sky.cloud.ingested == []
        assert await _waiting(n) > 0, "a connector that is switched off may come back"


async def test_what_no_sink_took_for_long_is_dropped(database: str, tmp_path: Path) -> None:
    async with recorded(database, tmp_path) as n:
        n.sky.cloud.add_sentinel_incident(title="Impossible travel", severity="High")
        await n.poll()
        now = n.clock.now()
        async with n.world.database.transaction() as connection:
            assert await drop_publications(connection, now - timedelta(days=7)) == 0
            assert await drop_publications(connection, now + timedelta(seconds=1)) > 0


@pytest.mark.parametrize("broken", [RuntimeError, ValueError])
async def test_a_sink_that_breaks_is_tried_again(
    broken: type[Exception], database: str, tmp_path: Path
) -> None:
    async with recorded(database, tmp_path) as n:
        n.sky.cloud.add_sentinel_incident(title="Impossible travel", severity="High")
        await n.poll()
        waiting = await _waiting(n)

        def breaks() -> type:
            raise broken("its package is broken")

        plug_ins = replace(n.world.plug_ins, sources={"microsoft": breaks})
        world = replace(n.world, plug_ins=plug_ins)
        (due,) = await publications_due(world)
        await publish(world, type(n.sources)(world), due)
        assert await _waiting(n) == waiting
