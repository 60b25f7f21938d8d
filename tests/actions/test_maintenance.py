"""Maintenance windows: what is raised inside is quiet and visible, what outlasts them pages."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.actions.worlds import world_at
from tests.store.scene import NOW
from tocsin.actions import configure
from tocsin.actions.configure import Editor
from tocsin.actions.intake import Intake, Posted
from tocsin.actions.page import page_due
from tocsin.actions.reply import AlertRef, change
from tocsin.actions.verify import verify
from tocsin.actions.world import World
from tocsin.core.alert import Alert
from tocsin.core.changes import EscalatedByHand
from tocsin.core.event import Answer, AnswerKind, Event
from tocsin.core.kinds import Actor, Status, Via
from tocsin.store import alerts
from tocsin.store.configuration import Kind
from tocsin.store.db import run
from tocsin.testing.clock import MovableClock

# 03:00 UTC is 04:00 in Berlin, where the team is.
NIGHT: Mapping[str, object] = {
    "name": "patching",
    "team": "soc",
    "from": "2026-11-24T03:30",
    "to": "2026-11-24T05:00",
    "reason": "new disks",
}
END = datetime.fromisoformat("2026-11-24T04:00Z")
ADA = Editor("ada", admin=True)


@dataclass
class Shift:
    """What a test does with the world."""

    world: World
    intake: Intake

    async def make(self, **changes: object) -> dict[str, object]:
        body = {key: value for key, value in {**NIGHT, **changes}.items() if value is not None}
        return await configure.create(self.world, Kind.MAINTENANCE, body, ADA)

    async def raised(self, key: str = "k1", **fields: object) -> Alert:
        said = Event(title="Pump down", external_id=key, **fields)  # type: ignore[arg-type]  # for tests
        posted = Posted(team=1, name="plant", inlet="signl4", said=(said,), integration=1)
        return (await self.intake.accept(posted)).alerts[0]

    async def at(self, moment: datetime) -> None:
        """Let the time come, and whatever is due then happen."""
        assert isinstance(self.world.clock, MovableClock)
        await self.world.clock.move(moment - self.world.clock.now())
        while await page_due(self.world):
            pass

    async def now(self, alert: Alert) -> Alert:
        async with self.world.database.transaction() as connection:
            found = await alerts.get(connection, alert.team, alert.id)
        assert found is not None
        return found

    async def pages(self, alert: Alert) -> list[str]:
        async with self.world.database.transaction() as connection:
            found = await alerts.notifications(connection, alert.team, alert.id)
        return [row["user_name"] for row in found]

    async def told(self, alert: Alert) -> list[str]:
        async with self.world.database.transaction() as connection:
            return [row["kind"] for row in await alerts.timeline(connection, 1, alert.id)]


@asynccontextmanager
async def shift(dsn: str) -> AsyncGenerator[Shift]:
    async with world_at(dsn) as world, Intake(world) as intake:
        async with world.database.transaction() as connection:
            await run(
                connection,
                "INSERT INTO integration (team_id, id, name, inlet, sealed_secret)"
                " OVERRIDING SYSTEM VALUE VALUES (1, 1, 'plant', 'signl4', 'x'),"
                " (1, 2, 'doors', 'signl4', 'x')",
            )
            await run(
                connection,
                "INSERT INTO category (team_id, id, name, body) OVERRIDING SYSTEM VALUE"
                """ VALUES (1, 1, 'disks', '{"keywords": ["disk"]}')""",
            )
        yield Shift(world, intake)


async def test_what_is_raised_inside_is_quiet_and_pages_when_the_window_ends(
    database: str,
) -> None:
    async with shift(database) as night:
        await night.make()
        alert = await night.raised()
        assert alert.suppressed == "maintenance patching: new disks"
        assert (alert.suppressed_until, alert.next_step_at) == (END, END)
        await night.at(END - timedelta(seconds=1))
        assert await night.pages(alert) == []
        await night.at(END)
        assert await night.pages(alert) == ["mara"]
        assert (await night.now(alert)).suppressed is None
        assert await night.told(alert) == ["raised", "suppression_ended", "step"]


@pytest.mark.parametrize(
    "changes",
    [
        {"team": None},  # of all teams, by the clock of each
        {"integration": "plant"},
        {"category": "disks"},
        {"match": {"any": [{"field": "zone", "is": "north"}, {"field": "title", "is": "x"}]}},
        {"from": "2026-11-24T02:30Z", "to": "2026-11-24T04:00Z"},
        {"from": "2019-01-01T03:30", "to": "2019-01-01T05:00", "rrule": "FREQ=DAILY"},
    ],
)
async def test_windows_that_mean_it(database: str, changes: dict[str, object]) -> None:
    async with shift(database) as night:
        await night.make(**changes)
        alert = await night.raised(text="a disk is gone", details={"zone": "North"})
        assert (alert.suppressed, alert.suppressed_until) == (
            "maintenance patching: new disks",
            END,
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"from": "2026-11-24T04:00:01", "to": "2026-11-24T05:00"},
        {"from": "2026-11-24T03:00", "to": "2026-11-24T04:00"},
        {"from": "2026-11-24T03:30Z", "to": "2026-11-24T04:00Z"},
        {"integration": "doors"},
        {"category": "disks"},
        {"team": None, "integration": "of another team"},
        {"match": {"all": [{"field": "zone", "is": "north"}]}},
        {"rrule": "FREQ=WEEKLY;BYDAY=SU"},
    ],
)
async def test_windows_that_do_not(database: str, changes: dict[str, object]) -> None:
    async with shift(database) as night:
        await night.make(**changes)
        alert = await night.raised()
        assert alert.suppressed is None
        assert await night.pages(alert) == ["mara"]


async def test_another_team_has_windows_of_its_own(database: str) -> None:
    async with shift(database) as night:
        async with night.world.database.transaction() as connection:
            await run(connection, "INSERT INTO team (id, name, time_zone) VALUES (2, 'noc', 'UTC')")
        await night.make(team="noc", **{"from": "2026-11-24T02:30", "to": "2026-11-24T04:00"})
        assert (await night.raised()).suppressed is None


async def test_a_window_that_is_made_shorter_lets_it_page_sooner(database: str) -> None:
    async with shift(database) as night:
        made = await night.make()
        alert = await night.raised()
        await night.at(NOW + timedelta(minutes=1))
        await configure.update(
            night.world, Kind.MAINTENANCE, str(made["id"]), {"to": "2026-11-24T04:00"}, ADA
        )
        await night.at(NOW + timedelta(minutes=1))
        assert await night.pages(alert) == ["mara"]


async def test_a_window_that_is_removed_lets_it_page_at_once(database: str) -> None:
    async with shift(database) as night:
        made = await night.make()
        alert = await night.raised()
        await configure.delete(night.world, Kind.MAINTENANCE, str(made["id"]), ADA)
        await night.at(NOW)
        assert await night.pages(alert) == ["mara"]


async def test_a_window_that_is_made_longer_keeps_it_quiet(database: str) -> None:
    async with shift(database) as night:
        await night.make()
        alert = await night.raised()
        await configure.update(
            night.world, Kind.MAINTENANCE, "patching", {"to": "2026-11-24T06:00"}, ADA
        )
        await night.at(END)
        assert await night.pages(alert) == []
        assert (await night.now(alert)).next_step_at == END + timedelta(hours=1)
        await night.at(END + timedelta(hours=1))
        assert await night.pages(alert) == ["mara"]


async def test_the_ledger_owes_nobody_a_page_for_the_quiet_time(database: str) -> None:
    async with shift(database) as night:
        await night.make()
        alert = await night.raised()
        await configure.update(
            night.world, Kind.MAINTENANCE, "patching", {"to": "2026-11-24T06:00"}, ADA
        )
        for hours in (0, 0.5, 1, 1.5, 2):
            await night.at(NOW + timedelta(hours=hours))
            found = [one.found async for one in verify(night.world, NOW)]
            assert found == [()]
        assert await night.pages(alert) == ["mara"]


async def test_another_window_that_means_it_takes_over_at_the_end(database: str) -> None:
    async with shift(database) as night:
        await night.make()
        await night.make(name="move", **{"from": "2026-11-24T04:30", "to": "2026-11-24T05:30"})
        alert = await night.raised()
        await night.at(END)
        assert (await night.now(alert)).suppressed == "maintenance move: new disks"
        await night.at(END + timedelta(minutes=30))
        assert await night.pages(alert) == ["mara"]


async def test_an_edit_that_changes_nothing_for_it_leaves_no_line(database: str) -> None:
    async with shift(database) as night:
        await night.make()
        alert = await night.raised()
        await configure.update(
            night.world, Kind.MAINTENANCE, "patching", {"reason": "old disks"}, ADA
        )
        await night.at(NOW + timedelta(seconds=1))
        assert (await night.now(alert)).next_step_at == END
        assert await night.told(alert) == ["raised"]


async def test_a_new_window_quiets_nothing_that_pages_already(database: str) -> None:
    async with shift(database) as night:
        alert = await night.raised()
        await night.make()
        await night.at(NOW + timedelta(minutes=2))
        assert (await night.now(alert)).suppressed is None
        assert "ada" in await night.pages(alert)  # the second step


async def test_resolved_by_its_sender_it_closes_and_pages_nobody(database: str) -> None:
    async with shift(database) as night:
        await night.make()
        alert = await night.raised()
        closing = Answer(kind=AnswerKind.CLOSE, external_id="k1")
        posted = Posted(team=1, name="plant", inlet="signl4", said=(closing,), integration=1)
        await night.intake.accept(posted)
        await night.at(END + timedelta(hours=1))
        assert (await night.now(alert)).status is Status.CLOSED
        assert await night.pages(alert) == []


async def test_escalated_by_hand_it_pages_at_once(database: str) -> None:
    async with shift(database) as night:
        await night.make()
        alert = await night.raised()
        by = Actor("ada", 3, Via.API)
        await change(night.world, AlertRef(1, alert.id), EscalatedByHand(by))
        assert await night.pages(alert) != []


async def test_a_category_that_is_always_quiet_stays_so_after_the_window(database: str) -> None:
    async with shift(database) as night:
        await night.make()
        async with night.world.database.transaction() as connection:
            await run(connection, """UPDATE category SET body = body || '{"suppress": true}'""")
        alert = await night.raised(text="a disk is gone")
        assert (alert.suppressed, alert.next_step_at) == ("category disks", None)


async def test_a_window_that_cannot_be_read_lets_people_be_paged(database: str) -> None:
    async with shift(database) as night:
        async with night.world.database.transaction() as connection:
            await run(
                connection,
                "INSERT INTO maintenance_window (id, name, body) VALUES (1, 'old', $1::jsonb)",
                '{"from": "2026-01-01", "to": "2026-12-31", "rrule": "FREQ=HOURLY"}',
            )
        assert await night.pages(await night.raised()) == ["mara"]
