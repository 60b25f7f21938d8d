"""The ledger of a real night is clean, and whatever is changed in it afterwards is named."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.nights.night import Night, night
from tocsin.actions.verify import verify
from tocsin.cli.ledger import line
from tocsin.core.changes import Acknowledged, Closed
from tocsin.core.kinds import Actor, Via
from tocsin.store.db import run

START = datetime(2026, 11, 24, 2, 58, tzinfo=UTC)
ADA = Actor("ada", 3, Via.REPLY)


@asynccontextmanager
async def a_night(dsn: str) -> AsyncGenerator[Night]:
    """One alert that ada takes in the second step and closes, one that goes on ringing."""
    async with night(dsn, START) as n:
        n.broken.add("mara")
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(seconds=50))
        n.broken.clear()
        await n.until(START + timedelta(minutes=3))
        await n.answer("p1", Acknowledged(ADA), "ada acknowledges")
        await n.raise_alert("Valve stuck", "p2")
        await n.until(START + timedelta(minutes=12))
        await n.answer("p1", Closed(ADA, "valve replaced"), "ada closes")
        await n.until(START + timedelta(minutes=15))
        yield n


async def found(n: Night, since: datetime = START, batch: int = 50) -> list[str]:
    return [line(one) async for read in verify(n.world, since, batch) for one in read.found]


async def test_a_real_night_is_clean(database: str) -> None:
    async with a_night(database) as n:
        assert await found(n) == []
        counts = [(read.alerts, read.notifications) async for read in verify(n.world, START, 1)]
        assert [alerts for alerts, _ in counts] == [1, 1]
        assert all(notifications > 3 for _, notifications in counts)


async def test_only_what_changed_since_or_is_open_is_looked_at(database: str) -> None:
    async with a_night(database) as n:
        later = START + timedelta(days=1)
        counts = [read.alerts async for read in verify(n.world, later)]
        assert counts == [1]


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        (
            (
                "DELETE FROM notification n USING alert a WHERE a.id = n.alert_id AND a.number = 1"
                " AND n.user_id = 3 AND n.purpose = 'escalation'"
            ),
            "soc #1: page to ada, due Tue 2026-11-24 04:00:00 CET, is missing (step 2 of round 1)",
        ),
        (
            (
                "INSERT INTO ledger (team_id, notification_id, at, state)"
                " SELECT n.team_id, n.id, n.sent_at + interval '1 s', 'sent' FROM notification n"
                " JOIN alert a ON a.id = n.alert_id WHERE a.number = 1 AND n.user_id = 3"
                " AND n.purpose = 'escalation'"
            ),
            (
                "soc #1: page to ada/phone, due Tue 2026-11-24 04:00:00 CET,"
                " was sent 2 times, and is not marked as a possible duplicate"
            ),
        ),
        (
            (
                "UPDATE timeline t SET at = t.at + interval '70 s' FROM alert a"
                " WHERE a.id = t.alert_id AND a.number = 2 AND t.kind = 'step'"
                """ AND t.data @> '{"step": 2, "round": 1}'"""
            ),
            "soc #2: step 2 of round 1, due Tue 2026-11-24 04:03:00 CET, started 1 min 10 s late",
        ),
        (
            (
                "DELETE FROM timeline t USING alert a WHERE a.id = t.alert_id AND a.number = 2"
                """ AND t.kind = 'step' AND t.data @> '{"step": 2, "round": 1}'"""
            ),
            (
                "soc #2: step 2 of round 1, due Tue 2026-11-24 04:03:00 CET,"
                " did not start; in its place came step 1 of round 2"
            ),
        ),
        (
            (
                "UPDATE notification n SET state = 'planned', next_try_at = n.due_at FROM alert a"
                " WHERE a.id = n.alert_id AND a.number = 2 AND n.user_id = 3"
            ),
            "soc #2: page to ada/phone, due Tue 2026-11-24 04:03:00 CET, was not tried again",
        ),
        (
            "UPDATE alert SET next_step_at = NULL WHERE number = 2",
            "soc #2: the alert's timer, due ",
        ),
        (
            (
                "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why) VALUES"
                " (1, 1, '1', 2, tstzrange('2026-11-24 00:00Z', '2026-11-25 00:00Z'), 'override')"
            ),
            (
                "soc #1: step 1 of round 1, due Tue 2026-11-24 03:58:00 CET,"
                " left out jonas: on duty then"
            ),
        ),
        (
            (
                "DELETE FROM notification n USING alert a WHERE a.id = n.alert_id AND a.number = 2"
                " AND n.user_id = 1 AND n.attempt > 3"
            ),
            (
                "soc #2: page to mara/phone (attempt 3), due Tue 2026-11-24 04:02:30 CET,"
                " was not repeated"
            ),
        ),
    ],
)
async def test_what_was_changed_afterwards_is_named(
    database: str, tampering: str, said: str
) -> None:
    async with a_night(database) as n:
        async with n.world.database.transaction() as connection:
            assert await run(connection, tampering), "nothing was changed"
        told = await found(n)
        assert any(one.startswith(said) for one in told), told


async def test_a_page_that_went_out_after_its_alert_was_taken_is_named(database: str) -> None:
    async with a_night(database) as n:
        async with n.world.database.transaction() as connection:
            await run(
                connection,
                "INSERT INTO ledger (team_id, notification_id, at, state, possible_duplicate)"
                " SELECT n.team_id, n.id, n.sent_at + interval '5 min', s.state, true"
                " FROM notification n JOIN alert a ON a.id = n.alert_id,"
                " unnest(ARRAY['leased', 'sent']) AS s(state) WHERE a.number = 1"
                " AND n.user_id = 3 AND n.purpose = 'escalation'",
            )
        assert await found(n) == [
            (
                "soc #1: page to ada/phone, due Tue 2026-11-24 04:00:00 CET,"
                " went out 4 min after its escalation had ended"
            )
        ]
