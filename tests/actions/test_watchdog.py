"""The watchdog: it sees what is not done, and reaches the admins past all that may be broken."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
import pytest
import structlog
from aiohttp import web

from tests.actions.worlds import world_at
from tests.store.scene import NOW, an_alert
from tocsin.actions.watchdog import Watchdog, opened_watchdog
from tocsin.actions.world import World
from tocsin.core.alert import Alert
from tocsin.core.effects import Notify, Purpose
from tocsin.core.kinds import Urgency
from tocsin.keys import new_signing_key, webhook_signature
from tocsin.store import alerts, people
from tocsin.store.db import rows, run
from tocsin.store.outbox import claim_pages
from tocsin.store.watch import Findings, look, unrepeated
from tocsin.testing.clock import MovableClock


@dataclass
class Outside:
    """The world outside: the admins' phones and the dead-man address."""

    port: int = 0
    rang: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    bodies: list[tuple[dict[str, str], bytes]] = field(
        default_factory=list[tuple[dict[str, str], bytes]]
    )
    pings: int = 0
    takes: bool = True

    async def rings(self, request: web.Request) -> web.Response:
        """A page is posted to somebody's phone."""
        body = await request.read()
        self.bodies.append(({k.lower(): v for k, v in request.headers.items()}, body))
        page = json.loads(body)
        assert (page["kind"], page["alert"], page["links"]) == ("notice", None, {})
        if not self.takes:
            return web.Response(status=503)
        self.rang.append((request.match_info["who"], page["text"]))
        return web.Response()

    async def pinged(self, _: web.Request) -> web.Response:
        """The dead-man address."""
        self.pings += self.takes
        return web.Response(status=200 if self.takes else 500)

    def take(self) -> list[tuple[str, str]]:
        """What rang since the last time."""
        rang, self.rang = self.rang, []
        return rang


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    made = Outside()
    application = web.Application()
    application.router.add_post("/{who}", made.rings)
    application.router.add_get("/alive", made.pinged)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@dataclass
class Yard:
    """An installation without a worker, and a watchdog that is told when to look."""

    world: World
    watchdog: Watchdog
    outside: Outside

    async def sql(self, text: str, *args: object) -> None:
        async with self.world.database.transaction() as connection:
            await run(connection, text, *args)

    async def page(self, alert: Alert | None = None, repeat: timedelta | None = None) -> Alert:
        """An alert with a page that is due now."""
        alert = alert or an_alert(next_step_at=NOW + timedelta(days=1))
        page = Notify(1, 1, self.world.clock.now(), Purpose.ESCALATION, Urgency.URGENT, repeat)
        async with self.world.database.transaction() as connection:
            await alerts.save(connection, [alerts.Saved(alert, (page,), new=True)], NOW)
        return alert

    async def passes(self, seconds: float) -> None:
        """Time goes on, and the watchdog looks every 5 s."""
        assert isinstance(self.world.clock, MovableClock)
        while seconds > 0:
            await self.world.clock.move(timedelta(seconds=min(5.0, seconds)))
            await self.watchdog.turn()
            seconds -= 5

    async def look(self) -> Findings:
        async with self.world.database.transaction() as connection:
            return await look(connection, self.world.clock.now())

    async def job(self, name: str) -> datetime | None:
        async with self.world.database.transaction() as connection:
            found = await rows(connection, "SELECT run_at FROM job WHERE name = $1", name)
        return found[0]["run_at"] if found else None


@pytest.fixture
async def yard(database: str, outside: Outside) -> AsyncIterator[Yard]:
    """Root is the admin; mara, jonas and ada (team admin) have phones as well."""
    async with world_at(database) as world, opened_watchdog(world) as watchdog:
        made = Yard(world, watchdog, outside)
        await made.sql("INSERT INTO app_user (id, name, role) VALUES (4, 'root', 'admin')")
        await made.sql(
            "INSERT INTO contact_method (id, user_id, name, channel, address)"
            " VALUES (4, 4, 'phone', 'webhook', 'http://127.0.0.1:9/root')"
        )
        await made.sql(
            "UPDATE contact_method SET address = replace(address, ':9/', ':' || $1::text || '/')",
            str(outside.port),
        )
        yield made


async def settings(yard: Yard, body: dict[str, object]) -> None:
    await yard.sql("INSERT INTO setting (name, body) VALUES ('watchdog', $1)", json.dumps(body))


async def test_a_page_that_nobody_sends_reaches_the_admins_by_the_second_path(yard: Yard) -> None:
    await yard.page()
    await yard.passes(40)
    assert yard.outside.take() == [], "late for 15 s, and broken for 30 s after that"
    await yard.passes(5)
    (rang,) = yard.outside.take()
    assert rang == ("root", "Tocsin does not page as it should: 1 page(s) late, the worst by 45 s.")
    await yard.passes(595)
    assert yard.outside.take() == [], "once per incident, and again after ten minutes"
    await yard.passes(5)
    assert [who for who, _ in yard.outside.take()] == ["root"]
    await yard.sql("UPDATE notification SET state = 'sent', next_try_at = NULL")
    await yard.passes(10)
    assert yard.outside.take() == [("root", "Tocsin is well again: all that was promised is done.")]


async def test_what_is_mended_within_half_a_minute_is_told_to_nobody(yard: Yard) -> None:
    await yard.page()
    await yard.passes(40)
    await yard.sql("UPDATE notification SET state = 'sent', next_try_at = NULL")
    await yard.passes(60)
    assert yard.outside.take() == []


async def test_two_processes_tell_once(yard: Yard) -> None:
    async with opened_watchdog(yard.world) as other:
        await yard.page()
        for _ in range(12):
            await yard.passes(5)
            await other.turn()
        assert len(yard.outside.take()) == 1
        await yard.sql("UPDATE notification SET state = 'sent', next_try_at = NULL")
        await other.turn()
        await yard.passes(5)
        assert len(yard.outside.take()) == 1


async def test_where_nobody_is_admin_the_team_admins_are_told(yard: Yard) -> None:
    await yard.sql("UPDATE app_user SET active = false WHERE name = 'root'")
    await yard.page()
    await yard.passes(45)
    assert [who for who, _ in yard.outside.take()] == ["ada"]


async def test_a_further_address_is_told_as_well(yard: Yard) -> None:
    address = f"http://127.0.0.1:{yard.outside.port}/neighbours"
    await settings(yard, {"also": [{"channel": "webhook", "address": address}]})
    await yard.page()
    await yard.passes(45)
    assert sorted(who for who, _ in yard.outside.take()) == ["neighbours", "root"]


async def test_the_notice_is_signed_with_the_method_s_own_key(yard: Yard) -> None:
    key = new_signing_key()
    sealed = yard.world.keys.seal(key, people.seal_context(4))
    await yard.sql("UPDATE contact_method SET sealed_key = $1 WHERE id = 4", sealed)
    await yard.page()
    await yard.passes(45)
    ((headers, body),) = yard.outside.bodies
    signature = webhook_signature(
        key, headers["webhook-id"], int(headers["webhook-timestamp"]), body
    )
    assert headers["webhook-signature"] == signature


async def test_when_nobody_can_be_told_it_is_tried_again_after_half_a_minute(yard: Yard) -> None:
    yard.outside.takes = False
    await yard.page()
    await yard.passes(45)
    yard.outside.takes = True
    await yard.passes(25)
    assert yard.outside.take() == []
    await yard.passes(5)
    assert len(yard.outside.take()) == 1


async def _database_is(yard: Yard, *, away: bool) -> None:
    """Nobody gets in any more, and who was in is thrown out; or all may come again."""
    dsn = yard.world.database.dsn
    name = dsn.partition("?")[0].rpartition("/")[2]
    connection = await asyncpg.connect(dsn, database="postgres")
    try:
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {not away}')
        if away:
            await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
    finally:
        await connection.close()


async def test_while_the_database_is_away_the_admins_known_last_are_told(yard: Yard) -> None:
    await yard.passes(5)
    await _database_is(yard, away=True)
    try:
        await yard.passes(60)
        assert yard.outside.take() == []
        await yard.passes(5)
        (rang,) = yard.outside.take()
        assert rang[0] == "root"
        assert rang[1].startswith("Tocsin pages nobody: its database cannot be used for 60 s")
        await yard.passes(300)
        assert yard.outside.take() == []
    finally:
        await _database_is(yard, away=False)
    await yard.passes(5)
    assert yard.outside.take() == [("root", "Tocsin is well again: all that was promised is done.")]


async def test_while_all_is_well_the_dead_man_address_is_asked(yard: Yard) -> None:
    ping = f"http://127.0.0.1:{yard.outside.port}/alive"
    await settings(yard, {"ping": ping, "every": "20s"})
    await yard.passes(60)
    assert yard.outside.pings == 3
    assert await yard.job("watchdog pinged") == yard.world.clock.now() - timedelta(seconds=15)
    assert await yard.job("watchdog well") == yard.world.clock.now()
    await yard.page()
    await yard.passes(120)
    assert yard.outside.pings == 4, "nothing is late for the first 15 s"
    assert await yard.job("watchdog well") == yard.world.clock.now() - timedelta(seconds=110)


async def test_a_ping_that_is_not_taken_is_a_line_and_an_old_figure(yard: Yard) -> None:
    ping = f"http://127.0.0.1:{yard.outside.port}/alive"
    await settings(yard, {"ping": ping})
    yard.outside.takes = False
    with structlog.testing.capture_logs() as logs:
        await yard.passes(5)
    (line,) = [one for one in logs if one["log_level"] == "error"]
    assert (line["event"], line["reason"]) == (
        "the dead-man address did not take the ping",
        "it answered 500",
    )
    assert await yard.job("watchdog pinged") is None


async def test_what_a_provider_does_not_take_is_counted_and_no_alarm(yard: Yard) -> None:
    await yard.page()
    await yard.sql("UPDATE notification SET tries = 3, next_try_at = $1", NOW + timedelta(hours=1))
    await yard.passes(120)
    assert await yard.look() == Findings(failing=1)
    assert yard.outside.take() == []


async def test_a_page_in_the_air_is_late_only_when_its_worker_is_dead(yard: Yard) -> None:
    await yard.page()
    async with yard.world.database.transaction() as connection:
        assert len(await claim_pages(connection, NOW, 10)) == 1
    await yard.passes(40)
    assert await yard.look() == Findings()
    await yard.passes(5)
    assert await yard.look() == Findings(pages_late=1, page_lateness=45.0)


async def test_timers_and_forgotten_alerts_are_found(yard: Yard) -> None:
    async with yard.world.database.transaction() as connection:
        await alerts.save(
            connection,
            [
                alerts.Saved(an_alert(1, next_step_at=NOW), (), new=True),
                alerts.Saved(an_alert(2), (), new=True),
                alerts.Saved(an_alert(3, suppressed="maintenance"), (), new=True),
                alerts.Saved(an_alert(4, urgency=Urgency.RECORD), (), new=True),
                alerts.Saved(an_alert(5, exhausted=True), (), new=True),
            ],
            NOW,
        )
    await yard.passes(10)
    assert await yard.look() == Findings()
    await yard.passes(10)
    assert await yard.look() == Findings(timers_late=1, timer_lateness=20.0, forgotten=1)
    await yard.passes(30)
    (rang,) = yard.outside.take()
    assert "1 step(s) of alerts late, the worst by 45 s; 1 open alert(s) forgotten" in rang[1]


async def _unrepeated(yard: Yard) -> int:
    async with yard.world.database.transaction() as connection:
        return await unrepeated(connection, yard.world.clock.now())


async def test_a_page_that_repeats_without_a_successor_is_found(yard: Yard) -> None:
    alert = await yard.page(repeat=timedelta(seconds=30))
    await yard.sql("UPDATE notification SET state = 'sent', next_try_at = NULL, sent_at = $1", NOW)
    await yard.passes(20)
    assert await _unrepeated(yard) == 1
    await yard.sql(
        "INSERT INTO notification (team_id, id, alert_id, user_id, method_id, purpose, urgency,"
        " episode, attempt, repeat_every, planned_at, due_at, next_try_at)"
        " SELECT team_id, gen_random_uuid(), alert_id, user_id, method_id, purpose, urgency,"
        " episode, 2, repeat_every, $1, $1, $1 FROM notification",
        NOW + timedelta(hours=1),
    )
    assert await _unrepeated(yard) == 0
    await yard.sql("DELETE FROM notification WHERE attempt = 2")
    await yard.passes(100)
    assert [text for _, text in yard.outside.take()] == [
        "Tocsin does not page as it should: 1 page(s) not repeated."
    ]
    await yard.sql("UPDATE alert SET status = 'acknowledged' WHERE id = $1", alert.id)
    assert await _unrepeated(yard) == 0


async def test_a_look_that_fails_is_told_as_one_that_cannot_be_made(yard: Yard) -> None:
    await yard.passes(5)
    await yard.sql("ALTER TABLE notification RENAME COLUMN tries TO attempts")
    await yard.passes(65)
    assert [text[:19] for _, text in yard.outside.take()] == ["Tocsin pages nobody"]
    await yard.sql("ALTER TABLE notification RENAME COLUMN attempts TO tries")
    await yard.passes(5)
    assert [text[:20] for _, text in yard.outside.take()] == ["Tocsin is well again"]
