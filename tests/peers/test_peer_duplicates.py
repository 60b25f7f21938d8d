"""How people are told twice elsewhere, or of the wrong thing; see docs/peer-bugs.md."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec

from tests.nights.night import Night, night
from tests.peers.postboxes import postbox
from tests.peers.restarts import next_process, policy, sql
from tests.web.stage import SECRET, stage
from tocsin.core.changes import Acknowledged, Closed
from tocsin.core.kinds import Actor, Via

START = datetime(2026, 11, 24, 2, 58, tzinfo=UTC)
MARA, ADA = Actor("mara", 1, Via.REPLY), Actor("ada", 3, Via.REPLY)


async def _together(processes: tuple[Night, ...], minutes: float) -> None:
    """Let time pass while all processes look for work at the same moments."""
    clock = processes[0].clock
    end = clock.now() + timedelta(minutes=minutes)
    while clock.now() < end:
        await clock.move(timedelta(seconds=10))
        await asyncio.gather(*(process.settle() for process in processes))


async def test_two_instances_both_page(database: str) -> None:
    async with night(database, START) as n, next_process(n) as two, next_process(n) as three:
        processes = (n, two, three)
        await n.raise_alert("Pump down", "p1")
        await _together(processes, 2.5)
        await two.answer("p1", Acknowledged(ADA), "ada acknowledges")
        await _together(processes, 1)
        await three.answer("p1", Closed(ADA), "ada closes")
        await _together(processes, 10)
        pump = "HIGH #1 Pump down (soc · plant)"
        rang = [line[9:] for line in n.told if "mara:" in line or "ada:" in line]
        assert sorted(rang) == sorted(
            [
                f"mara: alert: {pump}",
                f"ada: alert: {pump}",
                *(f"mara: alert again ({again}): {pump}" for again in range(2, 7)),
                f"mara: acknowledged: Acknowledged by ada: {pump}",
                f"mara: resolved: Closed by ada: {pump}",
            ]
        )


async def test_the_same_mail_is_sent_twice(database: str) -> None:
    async with night(database, START) as n, next_process(n) as two, postbox() as mails:
        relay = {"host": "127.0.0.1", "port": mails.port, "security": "none"}
        settings = msgspec.json.encode(relay | {"from": "tocsin@example.org"}).decode()
        await sql(n, "INSERT INTO setting (name, body) VALUES ('channels/email', $1)", settings)
        await sql(
            n,
            "UPDATE contact_method SET channel = 'email', address = 'mara@example.org'"
            " WHERE user_id = 1",
        )
        await sql(n, "DELETE FROM notification_rule WHERE user_id = 1")
        await n.raise_alert("Pump down", "p1")
        await _together((n, two), 0.5)
        for process in (n, two):
            await process.answer("p1", Acknowledged(ADA), "ada acknowledges")
        await _together((n, two), 0.5)
        for process in (n, two):
            await process.answer("p1", Closed(ADA), "ada closes")
        await _together((n, two), 2)
        assert mails.subjects == [
            "HIGH #1 Pump down",
            "Acknowledged by ada: HIGH #1 Pump down",
            "Closed by ada: HIGH #1 Pump down",
        ]


async def test_an_alert_comes_back_under_a_new_id(database: str) -> None:
    async with night(database, START) as n:
        await n.raise_alert("Disk full", "disk C:")
        first = await n.alert("disk C:")
        for day in range(5):
            await n.clock.move(timedelta(days=1))
            async with next_process(n) as later:
                await later.raise_alert(f"Disk full, {90 + day} %", "disk C:")
                if day == 2:
                    await later.answer("disk C:", Acknowledged(ADA), "ada acknowledges")
        again = await n.alert("disk C:")
        assert (again.id, again.number, again.seen_count) == (first.id, first.number, 6)


async def test_a_step_is_logged_once_for_each_person(database: str) -> None:
    async with night(database, START) as n:
        await policy(
            n, '{"notify": [{"duty": 1}, {"user": "jonas"}, {"user": "ada"}], "wait": "5m"}'
        )
        await n.raise_alert("Pump down", "p1")
        assert {line[9:].partition(":")[0] for line in n.told[1:]} == {"mara", "jonas", "ada"}
        assert await n.timeline("p1") == ["02:58:00 raised plant", "02:58:00 step Tocsin"]


async def test_different_problems_with_one_name_become_one(database: str) -> None:
    async with stage(database) as doors, doors.client() as web:
        for host in ("db1", "db2", None, None):
            body = {"Title": "High memory utilization", "Severity": "high"}
            if host is not None:
                body["X-S4-ExternalID"] = host
            assert (await web.post(f"/webhook/{SECRET}", json=body)).status_code == 201
        found = await doors.rows("SELECT external_id, seen_count FROM alert ORDER BY number")
    assert [(row["external_id"], row["seen_count"]) for row in found] == [
        *(("db1", 1), ("db2", 1), (None, 1), (None, 1)),
    ]


async def test_the_key_that_a_sender_gives_is_ignored(database: str) -> None:
    async with stage(database) as doors, doors.client() as web:
        for volume in (91, 93, 95):
            body = {"Title": f"Volume {volume} % full", "X-S4-ExternalID": "volume 7"}
            assert (await web.post(f"/webhook/{SECRET}", json=body)).status_code == 201
        found = await doors.rows("SELECT id, external_id, seen_count FROM alert")
        assert [(row["external_id"], row["seen_count"]) for row in found] == [("volume 7", 3)]
        pages = await doors.rows("SELECT user_id FROM notification")
        assert len({row["user_id"] for row in pages}) == len(pages), "each was paged once"
