"""Who reads and writes a connector: one at a time, given back at a stop, never too many at once."""

import asyncio
from datetime import timedelta

import asyncpg

from tests.actions.syncing import MARA, Script, Watch, remote, scripted
from tests.store.scene import NOW
from tocsin.actions import sync
from tocsin.actions.reply import AlertRef, change_many
from tocsin.core.changes import Acknowledged, Annotated, Change, Closed
from tocsin.core.kinds import Severity, Status
from tocsin.core.reconcile import RemoteStatus
from tocsin.ports import Failed, FailureKind
from tocsin.store.configuration import Held, Key, Kind
from tocsin.store.configuration.writing import drop

MINUTE = timedelta(minutes=1)


async def answer_all(n: Watch, change: Change) -> None:
    await change_many(n.world, [AlertRef(1, alert.id) for alert in await n.alerts()], change)


async def expire(n: Watch, table: str) -> None:
    await n.run(f"UPDATE {table} SET lease_until = now() - interval '1 s'")


async def test_a_stop_in_mid_scan_gives_the_connector_to_another_at_once(database: str) -> None:
    going = asyncio.Event()

    async def hangs() -> None:
        going.set()
        await asyncio.Event().wait()

    script = Script(reading=hangs)
    async with scripted(database, script) as n:
        polling = asyncio.create_task(n.poll())
        await going.wait()
        polling.cancel()
        await asyncio.wait([polling])
        assert polling.cancelled()
        health = await n.health()
        assert (health.error, health.failures) == (None, 0), "a stop is no failure"
        (due,) = await sync.poll_due(n.world)
        script.reading = None
        await sync.poll(n.world, n.sources, due)
        assert (await n.health()).succeeded_at is not None


async def test_a_stop_in_mid_write_lets_another_write_at_once(database: str) -> None:
    going = asyncio.Event()

    async def hangs(_: str) -> None:
        going.set()
        await asyncio.Event().wait()

    script = Script()
    script.show(remote("one"))
    async with scripted(database, script) as n:
        await n.poll()
        await n.change(Acknowledged(MARA))
        script.writing = hangs
        writing = asyncio.create_task(n.write())
        await going.wait()
        writing.cancel()
        await asyncio.wait([writing])
        assert await n.leased("remote_write") == 0
        before = await n.kinds()
        script.show(remote("one", NOW + MINUTE, RemoteStatus.ACTIVE))
        await n.pass_time(minutes=2)
        await n.poll()
        assert await n.kinds() == before, "it may have been written: that is no news"
        script.writing = None
        assert await n.write() == 1


async def test_what_a_writer_read_after_its_lease_was_lost_is_discarded(database: str) -> None:
    """It slept, another took the object over, and an acknowledgement came in between."""
    script = Script()
    script.show(remote("one"))
    async with scripted(database, script) as n:
        await n.poll()
        await n.change(Annotated(MARA, "looks real"))
        (slept,) = await sync.writes_due(n.world)
        await expire(n, "remote_write")
        await n.pass_time(minutes=3)
        await n.change(Acknowledged(MARA))
        (active,) = await sync.writes_due(n.world)
        assert len(active.ids) == 2
        script.show(remote("one", NOW + MINUTE, RemoteStatus.CLOSED))
        await sync.write(n.world, n.sources, slept)
        assert (await n.alert()).status is Status.ACKNOWLEDGED
        states = await n.sql("SELECT state FROM remote_write")
        assert [row["state"] for row in states] == ["pending", "pending"]
        await sync.write(n.world, n.sources, active)
        assert (await n.alert()).status is Status.CLOSED
        states = await n.sql("SELECT state FROM remote_write")
        assert [row["state"] for row in states] == ["written", "written"]


async def test_a_connector_gets_eight_writes_at_a_time(database: str) -> None:
    script = Script()
    script.show(*(remote(f"{number:02}") for number in range(20)))
    async with scripted(database, script) as n:
        await n.poll()
        await answer_all(n, Acknowledged(MARA))
        first = await sync.writes_due(n.world)
        assert len(first) == 8
        assert await sync.writes_due(n.world) == ()
        for one in first[:3]:
            await sync.write(n.world, n.sources, one)
        assert len(await sync.writes_due(n.world)) == 3


async def test_writes_that_wait_for_a_budget_do_not_come_back_all_at_once(database: str) -> None:
    async def spent(_: str) -> Failed:
        return Failed(kind=FailureKind.TEMPORARY, reason="used up", retry_after=4 * MINUTE)

    script = Script(writing=spent)
    script.show(*(remote(f"{number:02}") for number in range(8)))
    async with scripted(database, script) as n:
        await n.poll()
        await answer_all(n, Acknowledged(MARA))
        assert await n.write() == 8
        found = await n.sql("SELECT next_try_at FROM remote_write")
        times = {row["next_try_at"] for row in found}
        assert len(times) > 1
        assert min(times) >= NOW + 4 * MINUTE
        assert max(times) <= NOW + 5 * MINUTE


async def test_what_a_removed_connector_was_to_be_told_has_failed_visibly(database: str) -> None:
    script = Script()
    script.show(remote("one"))
    async with scripted(database, script) as n:
        await n.poll()
        await n.change(Acknowledged(MARA))
        held = Held(key=Key(Kind.CONNECTOR, ("soc", "sentinel")), id=1, body={}, team=1)
        async with n.world.database.transaction() as connection:
            await drop(connection, held)
        await n.change(Closed(MARA))
        found = await n.sql("SELECT state, detail, next_try_at FROM remote_write")
        assert [tuple(row.values()) for row in found] == [
            ("failed", "the connector was removed", None)
        ]
        assert await n.sql("SELECT key FROM remote_object") == []
        assert await n.write() == 0


async def test_a_write_that_was_under_way_when_its_connector_was_removed_stays_failed(
    database: str,
) -> None:
    script = Script()
    script.show(remote("one"))
    async with scripted(database, script) as n:
        await n.poll()
        await n.change(Acknowledged(MARA))
        (due,) = await sync.writes_due(n.world)
        held = Held(key=Key(Kind.CONNECTOR, ("soc", "sentinel")), id=1, body={}, team=1)
        async with n.world.database.transaction() as connection:
            await drop(connection, held)
        await sync.write(n.world, n.sources, due)
        found = await n.sql("SELECT state, detail FROM remote_write")
        assert [tuple(row.values()) for row in found] == [("failed", "the connector was removed")]


async def test_a_page_locks_its_alerts_in_the_order_of_answers_to_many(database: str) -> None:
    """A bulk answer holds the older alert and goes on to the younger one, which arrives."""
    script = Script()
    script.show(remote("known"))
    async with scripted(database, script) as n:
        await n.poll()
        older = await n.alert()
        await n.pass_time(seconds=1)
        younger = await n.post("raised by hand", "arriving")
        assert older.id < younger.id
        bulk = await asyncpg.connect(database)
        try:
            lock = "SELECT 1 FROM alert WHERE id = $1 FOR NO KEY UPDATE"
            await bulk.execute("BEGIN")
            await bulk.execute("SET LOCAL lock_timeout = '2s'")
            await bulk.fetch(lock, older.id)
            script.show(remote("known", NOW + MINUTE, RemoteStatus.CLOSED), remote("arriving"))
            polling = asyncio.create_task(n.poll())
            await _waiting_for_a_lock(n)
            await bulk.fetch(lock, younger.id)
            await bulk.execute("COMMIT")
        finally:
            await bulk.close()
        await polling
        assert await n.open_alerts() == ["raised by hand"]
        assert (await n.health()).error is None


async def test_an_arrival_is_followed_by_the_alert_that_a_sender_raised_before(
    database: str,
) -> None:
    script = Script()
    script.show(remote("one"))
    async with scripted(database, script) as n:
        alert = await n.post("by a sender", "one")
        await n.poll()
        assert (await n.alert()).id == alert.id
        await n.change(Acknowledged(MARA))
        assert await n.write() == 1, "what is done here is told to the source"
        script.show(remote("one", NOW + MINUTE, RemoteStatus.CLOSED))
        await n.poll()
        assert (await n.alert()).status is Status.CLOSED
        assert (await n.alert()).severity is Severity.HIGH


async def _waiting_for_a_lock(n: Watch) -> None:
    waits = (
        "SELECT count(*) AS n FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10):
        while (await n.sql(waits))[0]["n"] == 0:  # noqa: ASYNC110 - the database has no event
            await asyncio.sleep(0.02)
