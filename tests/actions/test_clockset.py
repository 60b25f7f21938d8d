"""A clock that jumps two hours, either way, silences nobody."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from structlog.testing import capture_logs

from tests.actions.ringing import House, Rings, house
from tests.store.scene import NOW, later
from tocsin.actions.clockset import watch_clock
from tocsin.actions.intake import Intake, Posted
from tocsin.actions.page import page_due
from tocsin.actions.reply import AlertRef, change
from tocsin.actions.verify import verify
from tocsin.core.alert import Alert, due_change
from tocsin.core.changes import Acknowledged, Closed, Snoozed
from tocsin.core.event import Event
from tocsin.core.kinds import Actor, Via
from tocsin.store import alerts
from tocsin.store.outbox import claim_job, claim_pages, claim_polls
from tocsin.testing.clock import MovableClock

HOURS = timedelta(hours=2)
ONE_STEP = '{"steps": [{"notify": [{"duty": 1}], "wait": "2m"}]}'
MARA = Actor("mara", 1, Via.WEB)


@dataclass
class Night:
    """A house, and what is posted to it."""

    house: House
    intake: Intake

    async def raised(self, key: str = "k1") -> Alert:
        said = (Event(title="Pump down", external_id=key),)
        done = await self.intake.accept(Posted(team=1, name="p", inlet="signl4", said=said))
        await self.house.deliver()
        return done.alerts[0]

    async def set_back(self, by: timedelta = HOURS) -> None:
        """The clock jumps between two looks of the worker."""
        await watch_clock(self.house.world)
        self.house.clock.set_back(by)
        await watch_clock(self.house.world)

    async def pass_(self, seconds: float) -> list[str]:
        """Let time pass; who rang meanwhile."""
        before = len(Rings.rang)
        await self.house.clock.move(timedelta(seconds=seconds))
        while await page_due(self.house.world):
            pass
        await self.house.deliver()
        return [address.value.rsplit("/", 1)[-1] for _, address in Rings.rang[before:]]

    async def now(self, alert: Alert) -> Alert:
        async with self.house.world.database.transaction() as connection:
            found = await alerts.get(connection, alert.team, alert.id)
        assert found is not None
        return found

    async def told(self, alert: Alert) -> list[str]:
        async with self.house.world.database.transaction() as connection:
            return [row["kind"] for row in await alerts.timeline(connection, 1, alert.id)]


@asynccontextmanager
async def night(dsn: str) -> AsyncGenerator[Night]:
    async with house(dsn) as made, Intake(made.world) as intake:
        yield Night(made, intake)


async def test_a_clock_set_back_by_two_hours_neither_stops_steps_nor_repetitions(
    database: str,
) -> None:
    async with night(database) as n:
        alert = await n.raised()
        assert await n.pass_(30) == ["mara"]
        with capture_logs() as logs:
            await n.set_back()
        assert await n.pass_(20) == []
        assert await n.pass_(10) == ["mara"], "thirty seconds after the last one"
        assert await n.pass_(60) == ["mara", "ada"], "two minutes after it was raised, as ever"
        assert await n.told(alert) == ["raised", "step", "clock_set_back", "step"]
        (said,) = (log for log in logs if log["log_level"] == "error")
        assert (said["by"], said["alerts"], said["pages"]) == ("2h", 1, 1)


async def test_a_clock_set_forward_by_two_hours_pages_the_next_step_and_goes_on(
    database: str,
) -> None:
    async with night(database) as n:
        await n.raised()
        await n.pass_(30)
        assert await n.pass_(HOURS.total_seconds()) == ["mara", "ada"]
        assert await n.pass_(300) == ["mara"], "the next round, five minutes after ada was paged"


async def test_set_forward_and_put_right_again_is_as_if_nothing_had_been(database: str) -> None:
    async with night(database) as n:
        await watch_clock(n.house.world)
        await n.house.clock.move(HOURS)
        alert = await n.raised()
        await n.set_back()
        assert await n.pass_(30) == ["mara"]
        assert (await n.now(alert)).next_step_at == later(seconds=120)


async def test_an_acknowledgement_that_expires_and_a_snooze_end_in_time(database: str) -> None:
    async with night(database) as n:
        alert = await n.raised()
        await change(n.house.world, AlertRef(1, alert.id), Snoozed(MARA, later(minutes=10)))
        await n.house.deliver()
        await n.set_back()
        assert await n.pass_(599) == []
        assert await n.pass_(1) == ["mara"]


async def test_an_alert_raised_after_the_jump_is_not_moved(database: str) -> None:
    async with night(database) as n:
        await watch_clock(n.house.world)
        n.house.clock.set_back(HOURS)
        alert = await n.raised()
        before = await n.now(alert)
        await watch_clock(n.house.world)
        assert await n.now(alert) == before
        assert await n.pass_(30) == ["mara"]


async def test_a_storm_of_before_the_jump_holds_up_no_page(database: str) -> None:
    async with night(database) as n:
        for number in range(25):
            await n.raised(f"k{number}")
        await n.set_back()
        Rings.rang.clear()
        late = await n.raised("new")
        assert late.number in {one["number"] for message, _ in Rings.rang for one in message.alerts}


async def test_what_was_tried_or_leased_before_the_jump_is_tried_at_once(database: str) -> None:
    async with night(database) as n:
        h = n.house
        await h.sql("UPDATE contact_method SET channel = 'busy'")
        await n.raised()  # tried once, and put off
        await n.raised("k2")
        async with h.world.database.transaction() as connection:
            await claim_pages(connection, later(minutes=5), 1)  # by a worker that died
        await h.sql("UPDATE contact_method SET channel = 'rings'")
        await n.set_back()
        assert await n.pass_(30) != []
        left = await h.rows("SELECT next_try_at FROM notification WHERE next_try_at > $1", NOW)
        assert left == []


async def test_duty_taken_by_hand_holds_over_the_jump(database: str) -> None:
    async with night(database) as n:
        await n.house.sql("DELETE FROM shift")
        await n.house.sql(
            "INSERT INTO punch (team_id, user_id, tier, during, by_name)"
            " VALUES (1, 2, '1', tstzrange($1, NULL), 'jonas')",
            NOW,
        )
        await n.set_back()
        await n.raised()
        assert [address.value for _, address in Rings.rang] == ["http://127.0.0.1:9/jonas"]


async def test_heartbeats_are_missed_and_sources_read_as_if_nothing_had_been(
    database: str,
) -> None:
    async with night(database) as n:
        h = n.house
        await h.sql(
            "INSERT INTO heartbeat (team_id, integration_id, heard_at, due_at)"
            " VALUES (1, 7, $1, $2)",
            NOW,
            later(seconds=60),
        )
        await h.sql(
            "INSERT INTO connector (team_id, id, name, source, body) OVERRIDING SYSTEM VALUE"
            " VALUES (1, 4, 'defender', 'sentinel', '{}')"
        )
        await h.sql(
            "INSERT INTO poll (team_id, connector_id, run_at, watermark) VALUES (1, 4, $1, $1)",
            later(minutes=1),
        )
        await n.set_back()
        (beat,) = await h.rows("SELECT due_at, heard_at FROM heartbeat")
        assert (beat["heard_at"], beat["due_at"]) == (NOW - HOURS, later(seconds=60) - HOURS)
        async with h.world.database.transaction() as connection:
            (due,) = await claim_polls(connection, h.clock.now(), 9, h.clock)
        assert (due.watermark, due.deep_at) == (h.clock.now(), None)


async def test_jobs_run_on(database: str) -> None:
    async with night(database) as n:
        h = n.house
        every = timedelta(minutes=5)
        async with h.world.database.transaction() as connection:
            assert await claim_job(connection, "j", every, h.clock.now())
            h.clock.set_back(HOURS)
            assert await claim_job(connection, "j", every, h.clock.now())
            assert not await claim_job(connection, "j", every, h.clock.now())


async def test_the_ledger_is_clean_after_a_jump(database: str) -> None:
    async with night(database) as n:
        alert = await n.raised()
        await n.set_back()
        await n.pass_(30)
        await n.pass_(90)
        await change(n.house.world, AlertRef(1, alert.id), Acknowledged(MARA))
        await n.house.deliver()
        found = [one async for batch in verify(n.house.world, NOW - HOURS) for one in batch.found]
        assert found == []


async def test_a_repetition_planned_after_the_last_look_goes_on_for_ever(database: str) -> None:
    async with night(database) as n:
        await n.house.sql("UPDATE escalation_policy SET body = $1::jsonb", ONE_STEP)
        await n.raised()
        await n.pass_(28)
        await watch_clock(n.house.world)
        assert await n.pass_(2) == ["mara"]
        await n.pass_(4)
        n.house.clock.set_back(HOURS)
        await n.pass_(4)
        await watch_clock(n.house.world)
        rang = [await n.pass_(30) for _ in range(20)]
        assert [names for names in rang if "mara" not in names] == []


async def test_what_a_process_writes_that_hears_of_it_later_is_moved_too(database: str) -> None:
    async with night(database) as n:
        await n.set_back()
        late = replace(n.house.world, clock=MovableClock(n.house.clock.now() + HOURS))
        async with Intake(late) as intake:
            said = (Event(title="Pump down", external_id="late"),)
            done = await intake.accept(Posted(team=1, name="p", inlet="signl4", said=said))
        await watch_clock(n.house.world)
        assert await n.pass_(0) == ["mara"]
        assert (await n.now(done.alerts[0])).next_step_at == n.house.clock.now() + timedelta(
            seconds=120
        )


async def test_what_is_written_while_others_are_moved_stays(database: str) -> None:
    async with night(database) as n:
        alert = await n.raised()
        await watch_clock(n.house.world)
        n.house.clock.set_back(HOURS)
        until = n.house.clock.now() + timedelta(hours=1)
        await watch_clock(n.house.world)
        await change(n.house.world, AlertRef(1, alert.id), Snoozed(MARA, until))
        n.house.clock.set_back(timedelta(seconds=-1))
        await watch_clock(n.house.world)
        assert (await n.now(alert)).snoozed_until == until


async def test_a_page_settled_after_the_jump_is_repeated_after_its_interval(
    database: str,
) -> None:
    async with night(database) as n:
        h = n.house
        said = (Event(title="Pump down", external_id="k1"),)
        await n.intake.accept(Posted(team=1, name="p", inlet="signl4", said=said))
        await h.deliverer.launch()
        await asyncio.sleep(0.2)  # the phone has it, and that is not written down yet
        h.clock.set_back(HOURS)
        await h.deliverer.drain()
        assert await n.pass_(40) == ["mara"]


async def test_a_snooze_under_maintenance_is_moved_and_stays_a_snooze(database: str) -> None:
    async with night(database) as n:
        alert = await n.raised()
        ref = AlertRef(1, alert.id)
        await change(n.house.world, ref, Snoozed(MARA, later(minutes=10)))
        async with n.house.world.database.transaction() as connection:
            held = (await alerts.get_many(connection, [(1, alert.id)]))[alert.id]
            quiet = replace(held, suppressed="maintenance: new pump")
            await alerts.save(connection, [alerts.Saved(quiet, (), before=held)], NOW)
        before = due_change(await n.now(alert))
        await n.set_back()
        after = await n.now(alert)
        assert type(due_change(after)) is type(before)
        assert after.next_step_at == later(minutes=10) - HOURS


async def test_a_key_that_came_after_the_jump_does_not_flap(database: str) -> None:
    async with night(database) as n:
        for _ in range(5):
            alert = await n.raised()
            await change(n.house.world, AlertRef(1, alert.id), Closed(MARA))
            await n.pass_(1500)
        await n.set_back()
        assert (await n.now(await n.raised())).suppressed is None


async def test_duty_that_was_given_up_stays_given_up(database: str) -> None:
    async with night(database) as n:
        await n.house.sql("DELETE FROM shift")
        await n.house.sql(
            "INSERT INTO punch (team_id, user_id, tier, during, by_name) VALUES"
            " (1, 1, '1', tstzrange($1, $2), 'mara'), (1, 2, '1', tstzrange($2, NULL), 'jonas')",
            NOW - timedelta(hours=6),
            NOW,
        )
        await n.house.clock.move(timedelta(minutes=5))
        await n.set_back()
        await n.raised()
        assert [address.value for _, address in Rings.rang] == ["http://127.0.0.1:9/jonas"]
