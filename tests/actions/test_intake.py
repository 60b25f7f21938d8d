"""An event arrives: one alert per key, answers after the commit, nothing lost or mixed up."""

import asyncio

import pytest

from tests.actions.worlds import world_at
from tests.store.scene import NOW
from tocsin.actions.intake import Accepted, Intake, Posted, Unstored
from tocsin.actions.world import World
from tocsin.core.alert import Alert
from tocsin.core.event import Answer, AnswerKind, Event, Said
from tocsin.core.kinds import Mode, Severity, Status, Urgency
from tocsin.store import alerts
from tocsin.store.db import rows, run


def posted(*said: Said, team: int = 1) -> Posted:
    return Posted(team=team, name="plant", inlet="signl4", said=said, raw=b"{}", integration=1)


def event(key: str | None = None, title: str = "Pump down", **fields: object) -> Event:
    return Event(title=title, external_id=key, **fields)  # type: ignore[arg-type]  # for tests


async def stored(world: World) -> list[Alert]:
    async with world.database.transaction() as connection:
        return await alerts.search(connection, alerts.Filter(teams=(1,), limit=1000))


async def test_an_event_becomes_an_alert_that_pages_whoever_is_on_duty(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        accepted = await intake.accept(posted(event("k1", severity=Severity.CRITICAL)))
        (alert,) = accepted.alerts
        assert accepted.created
        assert (alert.number, alert.status, alert.urgency) == (1, Status.OPEN, Urgency.URGENT)
        async with world.database.transaction() as connection:
            pages = await alerts.notifications(connection, 1, alert.id)
            kinds = [row["kind"] for row in await alerts.timeline(connection, 1, alert.id)]
        assert [(page["user_name"], page["due_at"]) for page in pages] == [("mara", NOW)]
        assert kinds == ["raised", "step"]


async def test_the_same_key_counts_on_the_open_alert_and_pages_nobody_again(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        first = await intake.accept(posted(event("k1")))
        again = await intake.accept(posted(event("k1"), event("k1")))
        assert not again.created
        assert again.alerts[0].id == first.alerts[0].id
        assert again.alerts[0].seen_count == 3
        async with world.database.transaction() as connection:
            assert len(await alerts.notifications(connection, 1, first.alerts[0].id)) == 1


async def test_events_without_a_key_are_alerts_of_their_own(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        for _ in range(3):
            assert (await intake.accept(posted(event()))).created
        assert len(await stored(world)) == 3


async def test_a_resolved_key_closes_and_the_next_event_raises_anew(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        closing = Answer(kind=AnswerKind.CLOSE, external_id="k1")
        done = await intake.accept(posted(event("k1"), closing, event("k1")))
        assert [alert.status for alert in done.alerts] == [Status.CLOSED, Status.OPEN]
        assert [alert.status for alert in await stored(world)].count(Status.OPEN) == 1


async def test_an_answer_for_an_unknown_key_changes_nothing(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        done = await intake.accept(
            posted(Answer(kind=AnswerKind.ACKNOWLEDGE, external_id="nobody knows it"))
        )
        assert done.alerts == ()


async def test_a_burst_with_one_key_is_one_alert_that_counted_everything(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        accepted = await asyncio.gather(*(intake.accept(posted(event("k"))) for _ in range(300)))
        assert sum(done.created for done in accepted) == 1
        (alert,) = await stored(world)
        assert alert.seen_count == 300


async def test_two_processes_that_raise_the_same_key_make_one_alert(database: str) -> None:
    async with world_at(database) as world, Intake(world) as one, Intake(world) as two:

        async def post(intake: Intake, key: str) -> Accepted:
            return await intake.accept(posted(event(key)))

        keys = [f"key {number}" for number in range(40)]
        accepted = await asyncio.gather(
            *(post(intake, key) for key in keys for intake in (one, two))
        )
        assert sum(done.created for done in accepted) == len(keys)
        found = await stored(world)
        assert {alert.external_id for alert in found} == set(keys)
        assert {alert.seen_count for alert in found} == {2}
        numbers = [alert.number for alert in found]
        assert len(set(numbers)) == len(numbers)


async def test_one_bad_event_does_not_fail_the_others_of_its_batch(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        good = [intake.accept(posted(event(f"good {n}"))) for n in range(5)]
        bad = intake.accept(posted(event("bad", title="a NUL \x00 that no inlet lets through")))
        results = await asyncio.gather(*good, bad, return_exceptions=True)
        assert isinstance(results[-1], Unstored)
        assert len([done for done in results if isinstance(done, Accepted)]) == 5
        assert len(await stored(world)) == 5


async def test_a_sender_that_hangs_up_does_not_undo_what_it_posted(database: str) -> None:
    async with world_at(database) as world:
        async with Intake(world) as intake:
            task = asyncio.create_task(intake.accept(posted(event("k"))))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert len(await stored(world)) == 1


async def test_raw_events_are_kept_with_their_integration(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        done = await intake.accept(posted(event("k")))
        async with world.database.transaction() as connection:
            (row,) = await rows(connection, "SELECT id, integration_id, content, day FROM event")
        assert (row["id"], row["integration_id"], row["content"]) == (done.event, 1, b"{}")
        assert row["day"] == "2026-11-24"


async def test_a_policy_says_how_many_must_acknowledge_where_nobody_else_does(
    database: str,
) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        async with world.database.transaction() as connection:
            await run(
                connection,
                "UPDATE escalation_policy"
                """ SET body = body || '{"mode": "multi", "acknowledgements": 3}'""",
            )
        (alert,) = (await intake.accept(posted(event("a")))).alerts
        assert (alert.mode, alert.acknowledgements_required) == (Mode.MULTI, 3)
        (asked,) = (await intake.accept(posted(event("b", mode=Mode.SINGLE)))).alerts
        assert (asked.mode, asked.acknowledgements_required) == (Mode.SINGLE, 1)


async def test_closed_and_raised_again_in_one_request_after_it_was_stored(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        await intake.accept(posted(event("k")))
        closing = Answer(kind=AnswerKind.CLOSE, external_id="k")
        done = await intake.accept(posted(closing, event("k")))
        assert [alert.status for alert in done.alerts] == [Status.CLOSED, Status.OPEN]


async def test_a_team_that_was_removed_meanwhile_fails_only_its_own_sender(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        good = [intake.accept(posted(event())) for _ in range(5)]
        gone = intake.accept(posted(event(), team=99))
        results = await asyncio.gather(*good, gone, return_exceptions=True)
        assert isinstance(results[-1], Unstored)
        assert [isinstance(done, Accepted) for done in results[:-1]] == [True] * 5


async def test_numbers_go_up_without_gaps_though_open_alerts_are_counted(database: str) -> None:
    async with world_at(database) as world, Intake(world) as intake:
        await asyncio.gather(*(intake.accept(posted(event("storm"))) for _ in range(200)))
        for number in range(20):
            await asyncio.gather(
                intake.accept(posted(event(f"new {number}"))),
                *(intake.accept(posted(event("storm"))) for _ in range(20)),
            )
        found = {alert.external_id: alert.number for alert in await stored(world)}
        numbers = [found["storm"], *(found[f"new {number}"] for number in range(20))]
        assert numbers == sorted(numbers)
        assert numbers[-1] <= 25


async def test_a_key_that_was_closed_behind_our_back_still_gets_a_number(database: str) -> None:
    async with world_at(database) as world, Intake(world) as here, Intake(world) as elsewhere:
        await here.accept(posted(event("k")))
        await elsewhere.accept(posted(Answer(kind=AnswerKind.CLOSE, external_id="k")))
        done = await here.accept(posted(event("k")))
        assert done.created
        assert done.alerts[0].number > 1
