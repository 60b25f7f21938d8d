"""The outbox of pages: leases that only the holder settles, marks for possible duplicates."""

from datetime import datetime, timedelta

import pytest

from tests.store.scene import NOW, an_alert, later, scene
from tocsin.core.alert import Alert
from tocsin.core.effects import Notify, Purpose
from tocsin.core.kinds import Status, Urgency
from tocsin.core.notification import State
from tocsin.store import alerts
from tocsin.store.db import Database, rows, run
from tocsin.store.outbox import Due, Settled, claim_pages, settle_pages


async def plan(database: Database, alert: Alert, *due: datetime, repeat: int | None = None) -> None:
    pages = tuple(
        Notify(
            1, 1, at, Purpose.ESCALATION, Urgency.URGENT,
            None if repeat is None else timedelta(seconds=repeat),
        )
        for at in due
    )  # fmt: skip
    async with database.transaction() as connection:
        await alerts.save(connection, [alerts.Saved(alert, pages, new=True)], NOW)


async def claim(database: Database, now: datetime = NOW) -> list[Due]:
    async with database.transaction() as connection:
        return await claim_pages(connection, now, 10)


async def settle(database: Database, *settled: Settled, now: datetime = NOW) -> tuple[Due, ...]:
    async with database.transaction() as connection:
        return await settle_pages(connection, settled, now)


async def let_leases_expire(database: Database) -> None:
    async with database.transaction() as connection:
        await run(
            connection,
            "UPDATE notification SET lease_until = clock_timestamp() - interval '1 second',"
            " next_try_at = $1 WHERE state = 'leased'",
            NOW,
        )


async def states(database: Database) -> list[tuple[str, int, bool]]:
    async with database.transaction() as connection:
        found = await rows(
            connection,
            "SELECT state, attempt, possible_duplicate FROM notification ORDER BY attempt, due_at",
        )
    return [(row["state"], row["attempt"], row["possible_duplicate"]) for row in found]


async def test_a_page_is_claimed_when_it_is_due_and_by_one_holder_only(database: str) -> None:
    async with scene(database) as db:
        await plan(db, an_alert(), later(seconds=10))
        assert await claim(db) == []
        (due,) = await claim(db, later(seconds=10))
        assert await claim(db, later(seconds=10)) == []
        assert (due.tries, due.possible_duplicate) == (1, False)


async def test_a_lease_that_ran_out_is_claimed_again_and_marked_as_possible_duplicate(
    database: str,
) -> None:
    async with scene(database) as db:
        await plan(db, an_alert(), NOW)
        (first,) = await claim(db)
        await let_leases_expire(db)
        (second,) = await claim(db)
        assert second.id == first.id, "the idempotency key stays the same"
        assert second.number > first.number
        assert second.possible_duplicate


async def test_a_holder_that_lost_its_lease_cannot_settle(database: str) -> None:
    async with scene(database) as db:
        await plan(db, an_alert(), NOW)
        (first,) = await claim(db)
        await let_leases_expire(db)
        (second,) = await claim(db)
        assert await settle(db, Settled(due=first, state=State.FAILED)) == (first,)
        assert await states(db) == [("leased", 1, True)]
        assert await settle(db, Settled(due=second, state=State.SENT)) == ()
        assert await states(db) == [("sent", 1, True)]


async def test_settling_twice_is_settling_once(database: str) -> None:
    async with scene(database) as db:
        await plan(db, an_alert(), NOW, repeat=30)
        (due,) = await claim(db)
        sent = Settled(due=due, state=State.SENT, repeat_at=later(seconds=30))
        assert await settle(db, sent) == ()
        assert await settle(db, sent) == (due,)
        assert await states(db) == [("sent", 1, False), ("planned", 2, False)]


async def test_a_repetition_is_planned_only_while_the_alert_is_open(database: str) -> None:
    async with scene(database) as db:
        alert = an_alert()
        await plan(db, alert, NOW, repeat=30)
        (due,) = await claim(db)
        async with db.transaction() as connection:
            acknowledged = an_alert(id=alert.id, status=Status.ACKNOWLEDGED)
            await alerts.save(connection, [alerts.Saved(acknowledged, ())], NOW)
        await settle(db, Settled(due=due, state=State.SENT, repeat_at=later(seconds=30)))
        assert await states(db) == [("sent", 1, False)]


async def test_a_failed_page_comes_again_and_keeps_its_ledger(database: str) -> None:
    async with scene(database) as db:
        alert = an_alert()
        await plan(db, alert, NOW)
        (due,) = await claim(db)
        again = Settled(
            due=due, state=State.PLANNED, detail="no answer", again_at=later(seconds=2),
            maybe_sent=True,
        )  # fmt: skip
        await settle(db, again)
        assert await claim(db, later(seconds=1)) == []
        (retry,) = await claim(db, later(seconds=2))
        assert (retry.tries, retry.possible_duplicate) == (2, True)
        await settle(db, Settled(due=retry, state=State.SENT), now=later(seconds=3))
        async with db.transaction() as connection:
            lines = await alerts.ledger(connection, 1, alert.id)
        assert [(line["state"], line["detail"]) for line in lines] == [
            ("leased", None),
            ("retry", "no answer"),
            ("leased", None),
            ("sent", None),
        ]


async def test_the_same_page_is_planned_once_and_again_after_it_was_withdrawn(
    database: str,
) -> None:
    async with scene(database) as db:
        alert = an_alert()
        page = Notify(1, 1, NOW, Purpose.ESCALATION, Urgency.URGENT)
        async with db.transaction() as connection:
            saved = alerts.Saved(alert, (page, page), new=True)
            await alerts.save(connection, [saved], NOW)
        assert len(await states(db)) == 1
        async with db.transaction() as connection:
            await run(connection, "UPDATE notification SET state = 'cancelled', next_try_at = NULL")
            await alerts.save(connection, [alerts.Saved(alert, (page,))], NOW)
        assert [state for state, _, _ in await states(db)] == ["cancelled", "planned"]


@pytest.mark.parametrize(
    ("repeats", "expected"),
    [(True, ["sent", "planned"]), (False, ["sent", "planned", "planned"])],
    ids=["it repeats itself", "it is one message"],
)
async def test_a_newer_page_ends_the_chain_of_a_method_only_where_it_has_one(
    database: str, repeats: bool, expected: list[str]
) -> None:
    async with scene(database) as db:
        alert = an_alert()
        await plan(db, alert, NOW, repeat=30)
        (due,) = await claim(db)
        every = timedelta(seconds=30) if repeats else None
        page = Notify(1, 1, later(seconds=5), Purpose.ESCALATION, Urgency.URGENT, every)
        async with db.transaction() as connection:
            await alerts.save(connection, [alerts.Saved(alert, (page,))], later(seconds=5))
        await settle(db, Settled(due=due, state=State.SENT, repeat_at=later(seconds=30)))
        assert sorted(state for state, _, _ in await states(db)) == sorted(expected)
