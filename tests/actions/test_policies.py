"""Policies at work: turns, who comes next, holding, reopening by today's, closing by themselves."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from tests.actions.worlds import world_at
from tests.store.scene import NOW
from tocsin.actions.desk import Desk
from tocsin.actions.intake import Intake, Posted
from tocsin.actions.page import page_due
from tocsin.actions.reply import AlertRef, change
from tocsin.actions.silence import close_silent
from tocsin.actions.world import World
from tocsin.core.alert import Alert
from tocsin.core.changes import (
    Acknowledged,
    Annotated,
    Change,
    Closed,
    EscalatedByHand,
    Reopened,
    Snoozed,
    Suppressed,
)
from tocsin.core.event import Event
from tocsin.core.kinds import Actor, Mode, Severity, Status, Urgency, Via
from tocsin.store import alerts
from tocsin.store.db import rows, run
from tocsin.testing.clock import MovableClock

MARA = Actor("mara", 1, Via.REPLY)
TEAM = [{"user": "mara"}, {"user": "jonas"}, {"user": "ada"}]


async def policy(world: World, *steps: dict[str, object], **keys: object) -> None:
    body = {"steps": list(steps), **keys}
    async with world.database.transaction() as connection:
        await run(
            connection,
            "UPDATE escalation_policy SET body = $1::jsonb",
            msgspec.json.encode(body).decode(),
        )
        await run(
            connection,
            "INSERT INTO notification_rule (user_id, urgency, position, body) VALUES"
            """ (3, 'urgent', 0, '{"via": "phone"}') ON CONFLICT DO NOTHING""",
        )


async def raised(world: World, *keys: str) -> list[UUID]:
    async with Intake(world) as intake:
        said = tuple(Event(title="Pump down", external_id=key) for key in keys)
        done = await intake.accept(Posted(team=1, name="p", inlet="signl4", said=said))
    return [alert.id for alert in done.alerts]


async def paged(world: World, *found: UUID) -> list[list[str]]:
    """Who is promised a page, alert by alert."""
    async with world.database.transaction() as connection:
        return [
            [
                row["user_name"] or f"-> {row['webhook']}"
                for row in await alerts.notifications(connection, 1, one)
                if row["state"] == "planned"
            ]
            for one in found
        ]


async def alert(world: World, one: UUID) -> Alert:
    async with world.database.transaction() as connection:
        found = await alerts.get(connection, 1, one)
    assert found is not None
    return found


async def later(world: World, **after: float) -> None:
    assert isinstance(world.clock, MovableClock)
    await world.clock.move(timedelta(**after))


async def test_alerts_of_one_batch_take_turns_and_so_do_those_after_it(database: str) -> None:
    async with world_at(database) as world:
        await policy(world, {"notify": TEAM, "wait": "2m", "pick": "round_robin"})
        first = await raised(world, "a", "b")
        assert await paged(world, *first) == [["mara"], ["jonas"]]
        second = await raised(world, "c", "d")
        assert await paged(world, *second) == [["ada"], ["mara"]]


async def test_a_second_round_pages_the_next_in_turn(database: str) -> None:
    async with world_at(database) as world:
        await policy(world, {"notify": TEAM, "wait": "2m", "pick": "round_robin"}, repeat=1)
        (one,) = await raised(world, "a")
        await later(world, minutes=2)
        await page_due(world)
        assert "jonas" in (await paged(world, one))[0]


async def test_next_on_duty_is_whoever_comes_after_those_who_are(database: str) -> None:
    async with world_at(database) as world:
        await policy(world, {"notify": [{"duty": 1}], "wait": "2m", "pick": "next"})
        async with world.database.transaction() as connection:
            await run(
                connection,
                "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why) VALUES"
                " (1, 1, '1', 1, '[2026-11-25,2026-11-26)', 'r'),"  # mara is on duty now
                " (1, 1, '1', 3, '[2026-11-26,2026-11-27)', 'r'),"
                " (1, 1, '1', 2, '[2026-11-27,2026-11-28)', 'r')",
            )
        (one,) = await raised(world, "a")
        assert await paged(world, one) == [["ada"]]


async def test_who_is_next_and_no_member_is_paged_all_the_same(database: str) -> None:
    async with world_at(database) as world:
        await policy(world, {"notify": [{"duty": 1}], "wait": "2m", "pick": "next"})
        async with world.database.transaction() as connection:
            await run(
                connection,
                "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why)"
                " VALUES (1, 1, '1', 2, '[2026-11-26,2026-11-27)', 'r')",
            )
            await run(connection, "DELETE FROM membership WHERE user_id = 2")
        (one,) = await raised(world, "a")
        assert await paged(world, one) == [["jonas"]]


async def test_a_step_that_holds_waits_for_its_time_and_goes_on(database: str) -> None:
    async with world_at(database) as world:
        await policy(
            world,
            {"notify": [{"duty": 2}], "wait": "2m", "if_nobody": "hold", "hold_for": "10m"},
            {"notify": [{"user": "ada"}], "wait": "5m"},
        )
        (one,) = await raised(world, "a")
        held = await alert(world, one)
        assert held.held
        assert held.next_step_at == NOW + timedelta(minutes=10)
        await later(world, minutes=10)
        await page_due(world)
        assert await paged(world, one) == [["ada"]]


async def test_a_holiday_of_the_team_is_one_in_its_own_time_zone(database: str) -> None:
    async with world_at(database, NOW - timedelta(hours=3.5)) as world:  # 00:30 on the 24th there
        await policy(
            world,
            {"notify": [{"user": "jonas"}], "wait": "2m", "when": {"holiday": False}},
            {"notify": [{"user": "ada"}], "wait": "2m", "when": {"holiday": True}},
        )
        async with world.database.transaction() as connection:
            days = '{"holidays": {"days": [{"date": "2026-11-24", "name": "ours"}]}}'
            await run(connection, "UPDATE team SET body = $1::jsonb", days)
        (one,) = await raised(world, "a")
        assert await paged(world, one) == [["ada"]]


async def test_a_webhook_in_a_step_is_called(database: str) -> None:
    async with world_at(database) as world:
        await policy(world, {"notify": [{"webhook": "siem"}, {"duty": 1}], "wait": "2m"})
        (one,) = await raised(world, "a")
        assert sorted((await paged(world, one))[0]) == ["-> siem", "mara"]


@pytest.mark.parametrize("how", ["reopened", "restarted"])
async def test_whoever_starts_an_alert_anew_follows_the_policy_of_today(
    database: str, how: str
) -> None:
    async with world_at(database) as world:
        (one,) = await raised(world, "a")
        ref, before = AlertRef(1, one), await alert(world, one)
        assert before.policy_name == "default"
        step: dict[str, object] = {"notify": [{"user": "jonas"}], "wait": "9m"}
        await policy(world, step, close_after="1d", mode="multi", acknowledgements=3)
        await change(world, ref, EscalatedByHand(MARA))
        assert (await alert(world, one)).policy == before.policy  # a running one is never bent
        async with world.database.transaction() as connection:
            assert await Desk(connection, world.clock.now()).policy_changed(before)
        if how == "reopened":
            await change(world, ref, Closed(MARA))
            await change(world, ref, Reopened(MARA))
        else:
            await change(world, ref, EscalatedByHand(MARA, restart=True))
        after = await alert(world, one)
        assert after.next_step_at == NOW + timedelta(minutes=9)
        assert after.close_after == timedelta(days=1)
        assert after.crew == (2,)
        assert (after.mode, after.acknowledgements_required) == (Mode.MULTI, 3)
        async with world.database.transaction() as connection:
            assert not await Desk(connection, world.clock.now()).policy_changed(after)


async def test_an_alert_without_news_closes_by_itself_and_says_so(database: str) -> None:
    async with world_at(database) as world:
        await policy(world, {"notify": [{"duty": 1}], "wait": "2m"}, close_after="2h")
        old, touched = await raised(world, "a", "b")
        for one in (old, touched):
            await change(world, AlertRef(1, one), Acknowledged(MARA))
        await later(world, hours=1)
        await change(world, AlertRef(1, touched), Annotated(MARA, "still looking"))
        await later(world, hours=1, seconds=-1)
        assert await close_silent(world) == 0
        await later(world, seconds=1)
        assert await close_silent(world) == 1
        assert (await alert(world, old)).status is Status.CLOSED
        assert (await alert(world, touched)).status is Status.ACKNOWLEDGED
        async with world.database.transaction() as connection:
            found = await rows(
                connection,
                "SELECT data FROM timeline WHERE alert_id = $1 AND kind = 'closed'",
                old,
            )
        assert msgspec.json.decode(found[0]["data"])["comment"] == "nothing new for 2h"


LOOKING: dict[str, Change] = {
    "snoozed": Snoozed(MARA, NOW + timedelta(hours=9)),
    "quiet for a time": Suppressed("maintenance x", until=NOW + timedelta(hours=9)),
}


@pytest.mark.parametrize("why", ["its page was never sent", *LOOKING])
async def test_an_alert_that_is_still_to_page_is_not_closed_for_want_of_news(
    database: str, why: str
) -> None:
    """After an outage upkeep may come first: what waits for people was no silence of theirs."""
    async with world_at(database) as world:
        await policy(world, {"notify": [{"duty": 1}], "wait": "2m"}, close_after="2h")
        (one,) = await raised(world, "a")
        if why in LOOKING:
            await change(world, AlertRef(1, one), LOOKING[why])
        await later(world, hours=3)
        assert await close_silent(world) == 0
        if why not in LOOKING:
            await page_due(world)  # nobody answered: told to the admins, not sent yet
            assert (await alert(world, one)).exhausted
            await later(world, hours=3)
            assert await close_silent(world) == 0
            async with world.database.transaction() as connection:
                await run(connection, "UPDATE notification SET state = 'sent'")
            assert await close_silent(world) == 1


async def test_one_alert_that_cannot_be_decided_leaves_the_others_to_be_closed(
    database: str,
) -> None:
    async with world_at(database) as world:
        await policy(world, {"notify": [{"duty": 1}], "wait": "2m"}, close_after="2h")
        found = await raised(world, "a", "b")
        for one in found:
            await change(world, AlertRef(1, one), Acknowledged(MARA))
        async with world.database.transaction() as connection:
            await run(
                connection, "UPDATE alert SET state = '{\"paged\": 7}' WHERE id = $1", found[0]
            )
        await later(world, hours=3)
        assert await close_silent(world) == 1
        assert (await alert(world, found[1])).status is Status.CLOSED


async def test_a_step_that_finds_nobody_goes_round_once_and_not_a_thousand_times(
    database: str,
) -> None:
    async with world_at(database) as world:
        await policy(world, {"notify": [{"duty": 3}], "wait": "2m"}, repeat=1000)
        (one,) = await raised(world, "a")
        assert (await alert(world, one)).exhausted
        async with world.database.transaction() as connection:
            lines = await alerts.timeline(connection, 1, one)
        assert [line["kind"] for line in lines] == ["raised", "nobody", "nobody_answered"]


async def test_a_person_who_is_back_before_their_step_is_paged(database: str) -> None:
    """The copy of a policy once left out whoever was deactivated when the alert was raised."""
    async with world_at(database) as world:
        await policy(
            world,
            {"notify": [{"duty": 1}], "wait": "2m"},
            {"notify": [{"user": "jonas"}], "wait": "2m"},
        )
        async with world.database.transaction() as connection:
            await run(connection, "UPDATE app_user SET active = false WHERE name = 'jonas'")
        (one,) = await raised(world, "a")
        async with world.database.transaction() as connection:
            await run(connection, "UPDATE app_user SET active = true WHERE name = 'jonas'")
            assert not await Desk(connection, NOW).policy_changed(await alert(world, one))
        await later(world, minutes=2)
        await page_due(world)
        assert "jonas" in (await paged(world, one))[0]


async def test_an_edited_mode_is_a_changed_policy(database: str) -> None:
    async with world_at(database) as world:
        await policy(world, {"notify": [{"duty": 1}], "wait": "2m"})
        (one,) = await raised(world, "a")
        await policy(world, {"notify": [{"duty": 1}], "wait": "2m"}, mode="emergency")
        async with world.database.transaction() as connection:
            assert await Desk(connection, NOW).policy_changed(await alert(world, one))


async def test_what_a_sender_calls_worse_by_now_pages_more(database: str) -> None:
    async with world_at(database) as world:
        async with Intake(world) as intake:
            for severity in (Severity.INFO, None, Severity.INFO, Severity.HIGH, Severity.LOW):
                said = (Event(title="Pump down", external_id="a", severity=severity),)
                done = await intake.accept(Posted(team=1, name="p", inlet="signl4", said=said))
        (one,) = done.alerts
        found = await alert(world, one.id)
        assert (found.severity, found.urgency) == (Severity.HIGH, Urgency.URGENT)
        assert found.seen_count == 5
        assert await paged(world, one.id) == [["mara"]]
        async with world.database.transaction() as connection:
            told = [row["kind"] for row in await alerts.timeline(connection, 1, one.id)]
        assert told == ["raised", "severity_raised", "step"]
