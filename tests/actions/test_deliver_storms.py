"""Many alerts for one contact method: nothing is lost, little is sent."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.actions.ringing import House, Rings, a_page, house
from tests.store.scene import an_alert
from tocsin.actions.deliver import Deliverer
from tocsin.actions.deliver.storms import storms_over
from tocsin.core.alert import Alert
from tocsin.core.effects import Purpose
from tocsin.core.kinds import Severity, Status
from tocsin.store.db import rows


async def storm(h: House, count: int, start: int = 1, repeat: float | None = None) -> list[Alert]:
    return [
        await h.save(an_alert(number), a_page(repeat=repeat))
        for number in range(start, start + count)
    ]


def numbers() -> list[list[object]]:
    """The alerts of each message."""
    return [
        [alert["number"] for alert in message.alerts or (message.alert or {},)]
        for message, _ in Rings.rang
    ]


async def kinds(h: House, kind: str) -> list[int]:
    found = await h.rows(
        "SELECT a.number FROM timeline t JOIN alert a ON a.id = t.alert_id WHERE t.kind = $1"
        " ORDER BY a.number",
        kind,
    )
    return [row["number"] for row in found]


async def test_alerts_that_are_due_together_become_one_message_by_the_worst(database: str) -> None:
    async with house(database) as h:
        await storm(h, 3)
        worst = await h.save(an_alert(4, severity=Severity.CRITICAL), a_page())
        await h.deliver()
        assert numbers() == [[4, 1, 2, 3]]
        (message, _) = Rings.rang[0]
        assert message.text == "4 alerts, worst: CRITICAL #4 Pump down (soc); acknowledge all"
        assert message.alert == message.alerts[0]
        assert await h.states() == [(1, "bundled"), (2, "bundled"), (3, "bundled"), (4, "sent")]
        assert await kinds(h, "bundled") == [1, 2, 3]
        carriers = await h.rows("SELECT DISTINCT carrier_id FROM notification WHERE alert_id <> $1",
                                worst.id)  # fmt: skip
        own = await h.rows("SELECT id FROM notification WHERE alert_id = $1", worst.id)
        assert [row["carrier_id"] for row in carriers] == [own[0]["id"]]


async def test_further_alerts_wait_for_the_window_and_then_come_together(database: str) -> None:
    async with house(database) as h:
        await storm(h, 1)
        await h.deliver()
        (second, _, _) = await storm(h, 3, start=2)
        await h.deliver()
        assert numbers() == [[1]]
        assert [state for _, state in await h.states()] == ["sent", *["planned"] * 3]
        waits = ("planned", "waits 1 s for the next message: other alerts were told just now")
        assert waits in await h.ledger(second)
        await h.after(1)
        assert numbers() == [[1], [2, 3, 4]]
        rounds = await h.rows("SELECT tries FROM notification WHERE state = 'bundled'")
        assert {row["tries"] for row in rounds} == {1}, "to wait is no try"


async def test_other_people_are_not_delayed(database: str) -> None:
    async with house(database) as h:
        await h.save(an_alert(1), a_page())
        await h.deliver()
        await h.save(an_alert(2), a_page(2, user=2), a_page(11))
        await h.deliver()
        assert [(m.user, m.contact_method) for m, _ in Rings.rang] == [
            ("mara", "phone"), ("jonas", "phone"), ("mara", "pager")
        ]  # fmt: skip


async def test_a_thousand_alerts_are_told_in_few_messages_and_none_is_lost(database: str) -> None:
    async with house(database) as h:
        await storm(h, 1000)
        for _ in range(20):
            await h.after(2)
        told = [number for message in numbers() for number in message]
        assert sorted(told, key=str) == sorted(range(1, 1001), key=str)
        assert len(Rings.rang) <= 5


async def test_repetitions_of_bundled_pages_come_together_again(database: str) -> None:
    async with house(database) as h:
        await storm(h, 3, repeat=30)
        await h.deliver()
        await h.after(30)
        await h.after(30)
        assert numbers() == [[1, 2, 3]] * 3
        assert [message.attempt for message, _ in Rings.rang] == [1, 2, 3]


async def test_an_acknowledged_alert_leaves_the_bundle(database: str) -> None:
    async with house(database) as h:
        one, two, three = await storm(h, 3, repeat=30)
        await h.deliver()
        for alert in (one, three):
            taken = an_alert(alert.number, id=alert.id, status=Status.ACKNOWLEDGED)
            await h.save(taken, new=False)
        await h.after(30)
        assert numbers() == [[1, 2, 3], [two.number]]
        assert Rings.rang[1][0].alerts == ()


@pytest.mark.parametrize("channel", ["busy", "gone"])
async def test_a_bundle_that_fails_fails_for_all(database: str, channel: str) -> None:
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET channel = $1 WHERE id = 1", channel)
        for number in (1, 2):
            await h.save(an_alert(number), a_page(), a_page(11, 300))
        await h.deliverer.launch()
        await h.deliverer.drain()
        state = "planned" if channel == "busy" else "failed"
        found = await h.rows("SELECT state FROM notification WHERE method_id = 1")
        assert [row["state"] for row in found] == [state, state]
        await h.deliver()
        assert numbers() == [[1, 2]], "both move up to the pager, where they share a message again"
        await h.sql("UPDATE contact_method SET channel = 'rings' WHERE id = 1")
        await h.after(2)
        again = [[1, 2]] * (2 if channel == "busy" else 1)
        assert numbers() == again, "under the id it may have been sent with before"


async def test_a_worker_that_dies_with_a_bundle_loses_none_of_it(database: str) -> None:
    async with house(database) as h:
        await storm(h, 3)
        await h.deliverer.launch()
        first = await h.rows("SELECT id FROM notification WHERE carrier_id IS NULL")
        # It was handed over, and the process is gone before it wrote that down.
        other = Deliverer(h.world)
        await h.sql("UPDATE notification SET lease_until = clock_timestamp() - interval '1 s'")
        await h.clock.move(timedelta(seconds=31))
        await storm(h, 1, start=4)
        await other.launch()
        await other.drain()
        sent = [message.id for message, _ in Rings.rang]
        assert numbers() in ([[1, 2, 3], [1, 2, 3], [4]], [[1, 2, 3], [4], [1, 2, 3]])
        assert sent.count(sent[0]) == 2, "under the same id, so with the same alerts"
        marked = await h.rows("SELECT id FROM notification WHERE possible_duplicate")
        assert len(marked) == 3
        assert first[0]["id"] in {row["id"] for row in marked}
        await other.close()


async def test_two_processes_share_what_a_method_was_sent(database: str) -> None:
    async with house(database) as h:
        await storm(h, 1)
        await h.deliver()
        await storm(h, 200, start=2)
        other = Deliverer(h.world)
        for _ in range(6):
            await asyncio.gather(h.deliverer.launch(), other.launch())
            await h.deliverer.drain()
            await other.drain()
        assert numbers() == [[1]], "each knows what the other sent"
        await h.clock.move(timedelta(seconds=1))
        for _ in range(6):
            await asyncio.gather(h.deliverer.launch(), other.launch())
            await h.deliverer.drain()
            await other.drain()
        await other.close()
        await h.after(30)
        told = sorted(str(number) for message in numbers() for number in message)
        assert told == sorted(str(number) for number in range(1, 202))
        assert len(Rings.rang) <= 4


async def test_the_limit_of_a_method_is_a_line_in_the_timeline_and_drops_nothing(
    database: str,
) -> None:
    async with house(database) as h:
        limits = """{"limits": {"per_minute": 2}}"""
        await h.sql("UPDATE contact_method SET body = $1 WHERE id = 1", limits)
        for number in range(1, 6):
            await h.save(an_alert(number), a_page())
            await h.after(5)
        assert numbers() == [[1], [2]]
        assert await kinds(h, "throttled") == [3, 4, 5]
        await h.after(60)
        assert numbers() == [[1], [2], [3, 4, 5]]


async def test_news_of_many_alerts_are_one_message_of_each_kind(database: str) -> None:
    async with house(database) as h:
        for number in range(1, 4):
            closed = an_alert(number, status=Status.CLOSED)
            await h.save(closed, a_page(purpose=Purpose.RESOLVED), a_page(purpose=Purpose.UPDATE))
        await h.deliver()
        assert [message.subject for message, _ in Rings.rang] == [
            "3 alerts closed, worst: HIGH #1 Pump down"
        ]


async def test_the_end_of_a_storm_is_told_once(database: str) -> None:
    async with house(database) as h:
        alerts = await storm(h, 6)
        await h.deliver()
        assert await storms_over(h.world) == 0
        await h.save(an_alert(1, id=alerts[0].id, status=Status.CLOSED), new=False)
        await h.after(60)
        assert [await storms_over(h.world), await storms_over(h.world)] == [1, 0]
        await h.deliver()
        (message, _) = Rings.rang[-1]
        assert (message.kind, message.alert, dict(message.links)) == ("notice", None, {})
        assert message.user == "mara"
        assert message.text == (
            "The storm is over: 6 alerts in 1 minute; 5 open, 0 acknowledged, 1 closed."
        )


async def test_a_storm_that_ends_when_the_next_page_comes_is_told_too(database: str) -> None:
    async with house(database) as h:
        await storm(h, 6)
        await h.deliver()
        await h.clock.move(timedelta(seconds=61))
        await storm(h, 1, start=7)
        await h.deliver()
        assert await storms_over(h.world) == 0
        assert [message.kind for message, _ in Rings.rang] == ["alert", "alert", "notice"]


async def test_messages_of_a_storm_come_further_and_further_apart(database: str) -> None:
    async with house(database) as h:
        rang: list[float] = []
        for number in range(1, 400):
            await h.save(an_alert(number), a_page())
            before = len(Rings.rang)
            await h.after(0.25)
            rang += [number * 0.25] * (len(Rings.rang) - before)
        gaps = [round(later - earlier) for earlier, later in pairwise(rang)]
        assert gaps[:6] == [1, 2, 4, 8, 15, 30]
        async with h.world.database.transaction() as connection:
            (row,) = await rows(connection, "SELECT count(*) AS n FROM traffic")
        assert row["n"] == 1
