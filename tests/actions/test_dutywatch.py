"""The watch over duty: who comes is paged within a second, by one process, once."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.actions.worlds import world_at
from tests.store.scene import NOW, an_alert, later
from tocsin.actions.dutywatch import watch_duty
from tocsin.actions.intake import Intake, Posted
from tocsin.actions.page import page_due
from tocsin.actions.reply import AlertRef, change
from tocsin.actions.world import World
from tocsin.core.alert import Alert, Paged
from tocsin.core.changes import Acknowledged
from tocsin.core.escalation import IfNobody, OnDuty, OneUser, Policy, Position, Step, Target
from tocsin.core.event import Event
from tocsin.core.kinds import Actor, Status, Via
from tocsin.store import alerts, dutywatch, plans
from tocsin.store.db import Row, rows, run
from tocsin.testing.clock import MovableClock
from tocsin.worker import Bell, Worker

SECOND = timedelta(seconds=1)
PUNCH_JONAS = (
    "INSERT INTO punch (team_id, user_id, tier, during, by_name)"
    " VALUES (1, 2, '1', tstzrange('2026-11-24 02:00Z', NULL), 'jonas')"
)
PUNCH_OUT = "DELETE FROM punch"
MARA_GOES = "UPDATE shift SET during = tstzrange(lower(during), '2026-11-24 03:00Z')"
JONAS_FOLLOWS = (
    "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why)"
    " VALUES (1, 1, '1', 2, tstzrange('2026-11-24 03:00Z', '2026-11-25'), 'rotation weeks')"
)


@dataclass
class Watched:
    """What a test does with the world."""

    world: World
    intake: Intake

    async def raised(self, key: str = "k1") -> Alert:
        said = (Event(title="Pump down", external_id=key),)
        done = await self.intake.accept(Posted(team=1, name="p", inlet="signl4", said=said))
        return done.alerts[0]

    async def kept(self, policy: Policy, *crew: int, number: int = 1) -> Alert:
        """An alert that waits on the first step of a policy, which has paged `crew`."""
        alert = an_alert(
            number,
            policy=plans.digest(policy),
            position=Position(0, 0),
            crew=crew,
            paged=tuple(Paged(user, user, NOW) for user in crew),
            next_step_at=later(minutes=30),
            duty_at=NOW,
        )
        async with self.world.database.transaction() as connection:
            await plans.keep(connection, 1, [policy])
            await alerts.save(connection, [alerts.Saved(alert, (), new=True)], NOW)
        return alert

    async def sql(self, *statements: str) -> None:
        async with self.world.database.transaction() as connection:
            for statement in statements:
                await run(connection, statement)

    async def rows(self, text: str, *args: object) -> Sequence[Row]:
        async with self.world.database.transaction() as connection:
            return await rows(connection, text, *args)

    async def now(self, alert: Alert) -> Alert:
        async with self.world.database.transaction() as connection:
            found = await alerts.get(connection, alert.team, alert.id)
        assert found is not None
        return found

    async def paged(self, alert: Alert) -> list[str]:
        """The names of those who were promised a page, once for each that was not taken back."""
        found = await self.rows(
            "SELECT u.name FROM notification n JOIN app_user u ON u.id = n.user_id"
            " WHERE n.alert_id = $1 AND n.state <> 'cancelled' ORDER BY u.name",
            alert.id,
        )
        return [row["name"] for row in found]

    async def told(self, alert: Alert) -> list[str]:
        async with self.world.database.transaction() as connection:
            return [row["kind"] for row in await alerts.timeline(connection, 1, alert.id)]

    async def move(self, **by: float) -> None:
        assert isinstance(self.world.clock, MovableClock)
        await self.world.clock.move(timedelta(**by))


@asynccontextmanager
async def watched(dsn: str) -> AsyncGenerator[Watched]:
    async with world_at(dsn) as world, Intake(world) as intake:
        yield Watched(world, intake)


def by_clock(world: World, seconds: float) -> World:
    """Another process, whose clock is ahead by so much."""
    return replace(world, clock=MovableClock(later(seconds=seconds)))


def one_step(*targets: Target, if_nobody: IfNobody = IfNobody.SKIP) -> Policy:
    return Policy(steps=(Step(targets, timedelta(minutes=30), if_nobody),))


async def test_who_punches_in_is_paged_at_once_and_whoever_was_paged_stays(database: str) -> None:
    woken: list[None] = []
    async with watched(database) as w:
        world = replace(w.world, wake=lambda: woken.append(None))
        alert = await w.raised()
        await watch_duty(world)
        woken.clear()
        await w.sql(PUNCH_JONAS)
        assert await watch_duty(world) == 1
        assert await w.paged(alert) == ["jonas", "mara"]
        assert woken == [None], "the pages go out at once"
        assert await watch_duty(world) == 0
        assert await w.told(alert) == ["raised", "step", "came_on_duty"]


async def test_a_shift_that_begins_pages_in_the_second_in_which_it_begins(database: str) -> None:
    async with watched(database) as w:
        before = by_clock(w.world, -60)
        async with Intake(before) as intake:
            early = replace(w, world=before, intake=intake)
            alert = await early.raised()
        await w.sql(MARA_GOES, JONAS_FOLLOWS)
        await watch_duty(by_clock(w.world, -0.001))
        assert await w.paged(alert) == ["mara"]
        await watch_duty(w.world)
        assert await w.paged(alert) == ["jonas", "mara"]


async def test_an_alert_for_which_nothing_changed_is_looked_at_without_a_trace(
    database: str,
) -> None:
    async with watched(database) as w:
        alert = await w.raised()
        before = await w.now(alert)
        await w.move(seconds=1)
        assert await watch_duty(w.world) == 1, "the team was never seen before"
        looked = await w.now(alert)
        assert looked.duty_at == later(seconds=1) + dutywatch.SKEW
        assert replace(looked, duty_at=before.duty_at) == before
        assert await w.told(alert) == ["raised", "step"]
        seen = await w.rows("SELECT *, xmin FROM duty_seen")
        await w.move(seconds=5)
        assert await watch_duty(w.world) == 0
        assert await w.rows("SELECT *, xmin FROM duty_seen") == seen, "and nothing is written"


async def test_a_team_without_an_alert_is_not_watched(database: str) -> None:
    async with watched(database) as w:
        alert = await w.raised()
        await w.sql("UPDATE alert SET status = 'closed'", PUNCH_JONAS)
        assert await watch_duty(w.world) == 0
        assert await w.rows("SELECT * FROM duty_seen") == []
        assert await w.paged(alert) == ["mara"]


async def test_two_processes_at_once_page_nobody_twice(database: str) -> None:
    async with watched(database) as w:
        raised = [await w.raised(str(number)) for number in range(40)]
        await watch_duty(w.world)
        await w.sql(PUNCH_JONAS)
        looked = await asyncio.gather(*(watch_duty(w.world, 7) for _ in range(3)))
        assert sum(looked) == 40
        for alert in raised:
            assert await w.paged(alert) == ["jonas", "mara"]


async def test_two_thousand_open_alerts_are_looked_at_in_batches(database: str) -> None:
    async with watched(database) as w:
        alert = await w.raised()
        await w.sql(
            "INSERT INTO alert (team_id, id, number, status, severity, urgency, mode, title,"
            " source_kind, policy, episode, round, step, next_step_at, duty_at, created_at,"
            " updated_at, state) SELECT team_id, gen_random_uuid(), 100 + n, status, severity,"
            " urgency, mode, title, source_kind, policy, episode, round, step,"
            " next_step_at, duty_at, created_at, updated_at, state"
            " FROM alert, generate_series(1, 1999) n",
        )
        assert await watch_duty(w.world) == 2000
        await w.sql(PUNCH_JONAS)
        assert await watch_duty(by_clock(w.world, 1), 300) == 2000
        found = await w.rows(
            "SELECT count(*) AS pages, count(DISTINCT alert_id) AS alerts,"
            " count(DISTINCT planned_at) AS moments FROM notification WHERE user_id = 2"
        )
        assert dict(found[0]) == {"pages": 2000, "alerts": 2000, "moments": 1}
        batches = await w.rows("SELECT count(*) AS n FROM timeline WHERE kind = 'came_on_duty'"
                               " GROUP BY xid ORDER BY n DESC")  # fmt: skip
        assert [row["n"] for row in batches] == [300] * 6 + [200]
        assert await w.paged(alert) == ["jonas", "mara"]


async def test_the_thousands_of_one_policy_hold_up_no_other(database: str) -> None:
    async with watched(database) as w:
        for number in range(30):
            await w.raised(str(number))
        other = await w.kept(one_step(OnDuty("1"), OneUser(3)), 1, 3, number=99)
        await w.sql(PUNCH_JONAS)
        async with w.world.worker_database.transaction() as connection:
            await dutywatch.note(connection, await dutywatch.changed(connection, NOW), NOW)
            claimed, _ = await dutywatch.claim(connection, NOW, 50)
        assert len(claimed) == 26, "25 of the thirty, and the one"
        assert other.id in {one.alert.id for one in claimed}


async def test_who_comes_on_duty_in_another_team_that_the_policy_names_is_paged(
    database: str,
) -> None:
    async with watched(database) as w:
        await w.sql(
            "INSERT INTO team (id, name, time_zone) VALUES (2, 'noc', 'UTC')",
            "INSERT INTO app_user (id, name) VALUES (4, 'lea')",
            "INSERT INTO contact_method (id, user_id, name, channel, address)"
            " VALUES (4, 4, 'phone', 'webhook', 'http://127.0.0.1:9/lea')",
        )
        named = await w.kept(one_step(OnDuty("1", 2), OneUser(3)), 3)
        own = await w.raised()
        assert await watch_duty(w.world) == 2
        await w.sql(PUNCH_JONAS.replace("(1, 2,", "(2, 4,"))
        assert await watch_duty(w.world) == 1, "the team's other alert is not looked at"
        assert await w.paged(named) == ["lea"]
        assert await w.paged(own) == ["mara"]


async def test_a_person_whom_only_the_policy_names_drops_out_when_deactivated(
    database: str,
) -> None:
    async with watched(database) as w:
        await w.sql("INSERT INTO app_user (id, name) VALUES (4, 'lea')")
        alert = await w.kept(one_step(OneUser(4), OnDuty("1")), 4, 1)
        await watch_duty(w.world)
        await w.sql("UPDATE app_user SET active = false WHERE id = 4")
        await watch_duty(w.world)
        assert (await w.now(alert)).crew == (1,)
        (line,) = await w.rows("SELECT kind, data FROM timeline")
        assert line["kind"] == "left_duty"
        assert line["data"] == '{"people": ["lea"], "reason": "deactivated"}'


async def test_a_person_who_was_removed_is_called_by_their_number(database: str) -> None:
    async with watched(database) as w:
        await w.raised()
        await watch_duty(w.world)
        await w.sql("DELETE FROM app_user WHERE id = 1")
        await watch_duty(w.world)
        (line,) = await w.rows("SELECT data FROM timeline WHERE kind = 'left_duty'")
        assert line["data"] == '{"people": ["user 1"], "reason": "deactivated"}'


async def test_the_owner_keeps_an_acknowledged_alert_and_who_comes_is_told_once(
    database: str,
) -> None:
    async with watched(database) as w:
        alert = await w.raised()
        await change(w.world, AlertRef(1, alert.id), Acknowledged(Actor("mara", 1, Via.REPLY)))
        await watch_duty(w.world)
        await w.sql(PUNCH_JONAS)
        await watch_duty(w.world)
        await w.sql(PUNCH_OUT)
        await watch_duty(w.world)
        await w.sql(PUNCH_JONAS)
        assert await watch_duty(w.world) == 1
        found = await w.rows("SELECT purpose FROM notification WHERE user_id = 2")
        assert [row["purpose"] for row in found] == ["update"]
        kept = await w.now(alert)
        assert (kept.status, kept.owner) == (Status.ACKNOWLEDGED, 1)


async def test_a_contact_method_for_the_only_person_on_duty_who_had_none(database: str) -> None:
    async with watched(database) as w:
        await w.sql(
            "UPDATE contact_method SET disabled = 'bounced' WHERE user_id = 1",
            'UPDATE escalation_policy SET body = \'{"steps": ['
            '{"notify": [{"duty": 1}], "wait": "9m", "if_nobody": "continue"}]}\'',
        )
        alert = await w.raised()
        await watch_duty(w.world)
        assert await w.paged(alert) == []
        await w.sql("UPDATE contact_method SET disabled = NULL WHERE user_id = 1")
        await watch_duty(w.world)
        assert await w.paged(alert) == ["mara"]
        assert (await w.now(alert)).next_step_at == later(minutes=9), "the wait goes on"


async def test_an_alert_whose_timer_is_due_is_left_to_it(database: str) -> None:
    async with watched(database) as w:
        alert = await w.raised()
        await watch_duty(w.world)
        await w.sql(PUNCH_JONAS)
        await w.move(minutes=2)
        assert await watch_duty(w.world) == 0
        await page_due(w.world)
        await watch_duty(w.world)
        assert await w.paged(alert) == ["ada", "mara"]


async def test_an_alert_that_cannot_be_decided_holds_up_no_other_and_is_left_alone(
    database: str,
) -> None:
    async with watched(database) as w:
        good = await w.raised()
        await w.sql("INSERT INTO plan (team_id, digest, body) VALUES (1, 'broken', '{}')")
        bad = await w.kept(one_step(OnDuty("1")), 1, number=99)
        await w.sql("UPDATE alert SET policy = 'broken' WHERE number = 99", PUNCH_JONAS)
        assert await watch_duty(w.world) == 2
        assert await w.paged(good) == ["jonas", "mara"]
        assert await w.paged(bad) == []
        assert await watch_duty(w.world) == 0


async def test_an_alert_that_cannot_be_stored_holds_up_no_other_and_is_left_alone(
    database: str,
) -> None:
    async with watched(database) as w:
        raised = [await w.raised(str(number)) for number in range(9)]
        await watch_duty(w.world)
        await w.sql(_REFUSE.format(alert=raised[4].id), _TRIGGER, PUNCH_JONAS)
        assert await watch_duty(w.world) == 9
        paged = [await w.paged(alert) for alert in raised]
        assert paged == [["jonas", "mara"]] * 4 + [["mara"]] + [["jonas", "mara"]] * 4
        assert await watch_duty(w.world) == 0


_REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.alert_id = '{alert}' THEN RAISE EXCEPTION 'no'; END IF;
  RETURN NEW;
END $$
"""
_TRIGGER = "CREATE TRIGGER refuse BEFORE INSERT ON timeline FOR EACH ROW EXECUTE FUNCTION refuse()"


async def test_an_alert_that_another_transaction_holds_is_looked_at_later(database: str) -> None:
    async with watched(database) as w:
        alert = await w.raised()
        await watch_duty(w.world)
        await w.sql(PUNCH_JONAS)
        async with w.world.database.transaction() as connection:
            await alerts.get(connection, 1, alert.id, lock=True)
            assert await watch_duty(w.world) == 0
        assert await watch_duty(w.world) == 1
        assert await w.paged(alert) == ["jonas", "mara"]


async def test_a_step_that_started_by_a_clock_that_is_ahead_is_looked_at_all_the_same(
    database: str,
) -> None:
    async with watched(database) as w:
        ahead = by_clock(w.world, 1.5)
        async with Intake(ahead) as intake:
            alert = await replace(w, world=ahead, intake=intake).raised()
        await w.sql(PUNCH_JONAS)
        await watch_duty(w.world)
        assert await w.paged(alert) == ["jonas", "mara"]


async def test_processes_whose_clocks_differ_do_not_page_in_turns_when_a_shift_begins(
    database: str,
) -> None:
    async with watched(database) as w:
        ahead, behind = by_clock(w.world, 0), by_clock(w.world, -1)
        async with Intake(by_clock(w.world, -60)) as intake:
            alert = await replace(w, intake=intake).raised()
        await w.sql(MARA_GOES, JONAS_FOLLOWS)
        await watch_duty(behind)
        for world in (ahead, behind, ahead, behind):
            await watch_duty(world)
        assert await w.paged(alert) == ["jonas", "mara"]
        assert await w.told(alert) == ["raised", "step", "left_duty", "came_on_duty"]


@pytest.mark.parametrize("seen", [True, False])
async def test_after_a_clock_was_set_back_two_hours_duty_is_still_watched(
    database: str, *, seen: bool
) -> None:
    async with watched(database) as w:
        ahead = by_clock(w.world, 7200)
        async with Intake(ahead) as intake:
            alert = await replace(w, intake=intake).raised()
        if seen:
            await watch_duty(ahead)
        await w.sql(PUNCH_JONAS)
        await watch_duty(w.world)
        assert await w.paged(alert) == ["jonas", "mara"]
        await w.sql(PUNCH_OUT)
        assert await watch_duty(w.world) == 1, "and goes on being watched"
        assert await watch_duty(w.world) == 0


async def test_the_worker_watches_every_second(database: str) -> None:
    async with watched(database) as w:
        alert = await w.raised()
        working = asyncio.create_task(Worker(w.world, Bell()).run())
        await asyncio.sleep(0.2)
        await w.sql(PUNCH_JONAS)
        async with asyncio.timeout(20):
            while await w.paged(alert) != ["jonas", "mara"]:  # noqa: ASYNC110 - no event tells it
                await asyncio.sleep(0.1)
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


async def test_people_are_named_and_the_inactive_marked(database: str) -> None:
    async with watched(database) as w:
        await w.sql("UPDATE app_user SET active = false WHERE id = 2")
        async with w.world.database.transaction() as connection:
            found = await dutywatch.people(connection, [1, 2, 77])
        assert found == {1: ("mara", True), 2: ("jonas", False), 77: ("user 77", False)}
