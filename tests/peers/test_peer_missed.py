"""How escalations and pages get lost elsewhere; see docs/peer-bugs.md."""

from datetime import UTC, datetime, timedelta

from tests.nights.night import night
from tests.peers.earlier import revision
from tests.peers.restarts import next_process, policy, rang, sql
from tocsin.store import alerts
from tocsin.store.db import Database, migrate, run
from tocsin.store.outbox import claim_pages

START = datetime(2026, 11, 24, 2, 58, tzinfo=UTC)  # 03:58 on the team's clock
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


async def test_an_escalation_that_waits_for_a_time_is_never_resumed_after_a_restart(
    database: str,
) -> None:
    async with night(database, START) as n:
        await policy(
            n,
            '{"notify": [{"duty": 1}], "wait": "5m", "when": {"from": "09:00", "to": "17:00"}},'
            ' {"notify": [{"duty": 2}], "if_nobody": "hold", "hold_for": "8h"}',
        )
        await sql(
            n,
            "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why) VALUES"
            " (1, 1, '2', 2, tstzrange('2026-11-24 08:00Z', '2026-11-24 16:00Z'), 'day')",
        )
        await n.raise_alert("Pump down", "p1")
        for clock in ("03:30", "05:30", "07:30", "07:59", "08:00"):  # it restarts every few hours
            async with next_process(n) as later:
                await later.clock.move_to(datetime.fromisoformat(f"2026-11-24T{clock}Z"))
                await later.settle()
        assert rang(n, "jonas") == ["08:00:00"]
        told = [line[9:] for line in await n.timeline("p1")]
        assert told[:3] == ["raised plant", "passed_over Tocsin", "nobody Tocsin"], "it is visible"


async def test_an_escalation_does_not_run_after_an_upgrade(empty_database: str) -> None:
    """The first release raised the alert and paged mara; this one goes on with ada."""
    await revision(empty_database, "0001")
    old = Database(empty_database, size=1)
    async with old.transaction() as connection:
        await run(connection, _PLAN_OF_0001)
        await run(connection, _ALERT_OF_0001, START, START + 2 * MINUTE)
    await old.close()
    await migrate(empty_database)
    async with night(empty_database, START + MINUTE) as n:
        await n.until(START + 3 * MINUTE)
        assert rang(n, "ada") == ["03:00:00"]


_PLAN_OF_0001 = """
INSERT INTO plan (team_id, digest, body) VALUES (1, 'first', '{"acknowledge_timeout": null,
  "repeat": 1, "steps": [{"if_nobody": "skip", "notify": [{"duty": "1"}], "wait": 120.0},
  {"if_nobody": "skip", "notify": [{"user": 3}], "wait": 300.0}]}')
"""
_ALERT_OF_0001 = """
INSERT INTO alert (team_id, id, number, status, severity, urgency, mode, title, source_kind,
  external_id, policy, episode, round, step, next_step_at, created_at, updated_at, state)
VALUES (1, gen_random_uuid(), 1, 'open', 'high', 'urgent', 'single', 'Pump down', 'signl4',
  'p1', 'first', 1, 0, 0, $2, $1, $1, '{"acknowledgements_required": 1, "answers": [],
  "closure": null, "awaiting_owner": false, "exhausted": false, "responders": [], "paged":
  [{"user": 1, "method": 1, "due_at": "2026-11-24T02:58:00Z", "again_at": null}]}')
"""


async def test_one_row_left_in_progress_stops_all_others(database: str) -> None:
    async with night(database, START) as n:
        await n.raise_alert("Pump down", "p1")
        await n.clock.move(timedelta(seconds=30))
        async with n.world.database.transaction() as connection:
            assert len(await claim_pages(connection, n.clock.now(), 10)) == 1
        # Whoever took the repetition is gone, and nothing ever ends what it began.
        await sql(n, "UPDATE notification SET lease_until = 'infinity' WHERE state = 'leased'")
        await policy(
            n, '{"notify": [{"user": "jonas"}], "wait": "1m"}, {"notify": [{"user": "ada"}]}'
        )
        for number in range(20):
            await n.raise_alert("Boiler hot", f"b{number}")
        await n.until(n.clock.now() + 4 * MINUTE)
        for number in range(20):
            alert = await n.alert(f"b{number}")
            async with n.world.database.transaction() as connection:
                found = await alerts.notifications(connection, 1, alert.id)
            assert {page["user_name"] for page in found} == {"jonas", "ada"}
            assert {page["state"] for page in found} <= {"sent", "bundled"}


async def test_a_page_of_last_resort_is_dropped_by_a_cutoff_of_hours(database: str) -> None:
    async with night(database, START) as n:
        slow = ", ".join('{"notify": [{"user": "jonas"}], "wait": "20h"}' for _ in range(2))
        await policy(n, f'{slow}, {{"notify": [{{"user": "ada"}}], "wait": "20h"}}')
        await n.raise_alert("Pump down", "p1")
        for _ in range(6):  # nobody works through what is due for most of the time
            await n.clock.move(16 * HOUR)
            async with next_process(n) as later:
                await later.settle()
        assert (len(rang(n, "jonas")), len(rang(n, "ada"))) == (2, 2)
        kinds = [line.split()[1] for line in await n.timeline("p1")]
        assert kinds == ["raised", "step", "step", "step", "nobody_answered"]


async def test_a_page_is_dropped_when_its_lease_expires(database: str) -> None:
    async with night(database, START) as n:
        await n.raise_alert("Pump down", "p1")
        await n.clock.move(timedelta(seconds=30))
        async with n.world.database.transaction() as connection:
            (held,) = await claim_pages(connection, n.clock.now(), 10)
        await sql(n, "UPDATE notification SET lease_until = now() WHERE state = 'leased'")
        await n.until(n.clock.now() + timedelta(seconds=30))
        assert rang(n, "mara") == ["02:58:00", "02:59:00"]
        async with n.world.database.transaction() as connection:
            found = await alerts.notifications(connection, 1, (await n.alert("p1")).id)
        (same,) = [page for page in found if page["id"] == held.id]
        assert (same["state"], same["possible_duplicate"]) == ("sent", True)


async def test_a_backlog_is_replayed_in_order_after_an_outage(database: str) -> None:
    async with night(database, START) as n:
        for number in range(5):
            await n.raise_alert(f"Pump {number} down", f"p{number}")
        await n.clock.move(HOUR)  # both rounds and "nobody answered" would be over by now
        n.told.clear()
        async with next_process(n) as later:
            await later.settle()
            assert sorted(line[9:].partition(", ")[0] for line in n.told) == [
                "ada: alert: 5 alerts",
                "mara: alert again (2): 5 alerts",
            ]
            await later.until(later.clock.now() + timedelta(seconds=20))
            assert len(n.told) == 2
