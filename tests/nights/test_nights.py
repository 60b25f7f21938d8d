"""Golden nights: who was told what, when, from the alarm to the morning."""

from datetime import UTC, datetime, timedelta

from inline_snapshot import snapshot

from tests.nights.night import night
from tocsin.core.changes import Acknowledged, Closed, RespondersAdded
from tocsin.core.kinds import Actor, Urgency, Via
from tocsin.core.rules import Method, Person, Rule
from tocsin.store.db import run

START = datetime(2026, 11, 24, 2, 58, tzinfo=UTC)
ADA = Actor("ada", 3, Via.REPLY)
MINUTE_LATER = (Rule(timedelta(minutes=1), "phone", timedelta(seconds=30)),)


async def test_nobody_answers_until_the_second_step(database: str) -> None:
    async with night(database, START) as n:
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(minutes=3))
        await n.answer("p1", Acknowledged(ADA), "ada acknowledges")
        await n.until(START + timedelta(minutes=20))
        await n.answer("p1", Closed(ADA, "valve replaced"), "ada closes")
        await n.until(START + timedelta(minutes=30))
        assert n.told == snapshot(
            [
                "02:58:00 raised: Pump down",
                "02:58:00 mara: alert: HIGH #1 Pump down (soc · plant)",
                "02:58:30 mara: alert again (2): HIGH #1 Pump down (soc · plant)",
                "02:59:00 mara: alert again (3): HIGH #1 Pump down (soc · plant)",
                "02:59:30 mara: alert again (4): HIGH #1 Pump down (soc · plant)",
                "03:00:00 mara: alert again (5): HIGH #1 Pump down (soc · plant)",
                "03:00:00 ada: alert: HIGH #1 Pump down (soc · plant)",
                "03:00:30 mara: alert again (6): HIGH #1 Pump down (soc · plant)",
                "03:01:00 mara: alert again (7): HIGH #1 Pump down (soc · plant)",
                "03:01:00 ada acknowledges → acknowledged",
                "03:01:00 mara: acknowledged: Acknowledged by ada: HIGH #1 Pump down (soc · plant)",
                "03:18:00 ada closes → closed",
                "03:18:00 mara: resolved: Closed by ada: HIGH #1 Pump down (soc · plant)",
            ]
        )
        assert await n.timeline("p1") == snapshot(
            [
                "02:58:00 raised plant",
                "02:58:00 step Tocsin",
                "03:00:00 step Tocsin",
                "03:01:00 acknowledged ada",
                "03:18:00 closed ada",
            ]
        )


async def test_nobody_answers_at_all(database: str) -> None:
    async with night(database, START) as n:
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(minutes=16))
        quiet = [line for line in n.told if "again" not in line]
        assert quiet == snapshot(
            [
                "02:58:00 raised: Pump down",
                "02:58:00 mara: alert: HIGH #1 Pump down (soc · plant)",
                "03:00:00 ada: alert: HIGH #1 Pump down (soc · plant)",
                "03:05:00 mara: alert: HIGH #1 Pump down (soc · plant)",
                "03:07:00 ada: alert: HIGH #1 Pump down (soc · plant)",
                "03:12:00 ada: alert: Nobody answered: HIGH #1 Pump down (soc · plant)",
            ]
        )
        assert await n.timeline("p1") == snapshot(
            [
                "02:58:00 raised plant",
                "02:58:00 step Tocsin",
                "03:00:00 step Tocsin",
                "03:05:00 step Tocsin",
                "03:07:00 step Tocsin",
                "03:12:00 nobody_answered Tocsin",
            ]
        )
        alert = await n.alert("p1")
        assert alert.exhausted
        assert alert.next_step_at is None


async def test_a_broken_phone_is_tried_again_until_it_rings(database: str) -> None:
    async with night(database, START) as n:
        n.broken.add("mara")
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(seconds=50))
        n.broken.clear()
        await n.until(START + timedelta(seconds=110))
        assert n.told == snapshot(
            [
                "02:58:00 raised: Pump down",
                "02:58:00 mara's phone is broken",
                "02:58:10 mara's phone is broken",
                "02:58:20 mara's phone is broken",
                "02:58:30 mara's phone is broken",
                "02:58:50 mara's phone is broken",
                "02:59:20 mara: alert: HIGH #1 Pump down (soc · plant)",
                "02:59:50 mara: alert again (2): HIGH #1 Pump down (soc · plant)",
            ]
        )


async def test_a_step_that_repeats_every_minute_does_not_put_off_the_mail_of_the_second(
    database: str,
) -> None:
    async with night(database, START) as n:
        async with n.world.database.transaction() as connection:
            await run(
                connection,
                "UPDATE escalation_policy SET body ="
                """ '{"repeat": 9, "steps": [{"notify": [{"duty": 1}], "wait": "1m"}]}'""",
            )
            await run(
                connection,
                "INSERT INTO contact_method (id, user_id, name, channel, address)"
                " SELECT 4, 1, 'second phone', channel, replace(address, 'mara', 'second')"
                " FROM contact_method WHERE id = 1",
            )
            await run(
                connection,
                "INSERT INTO notification_rule (id, user_id, urgency, position, body) VALUES"
                """ (3, 1, 'urgent', 1, '{"after": "2m", "via": "second phone"}')""",
            )
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(minutes=6))
        assert [line[:8] for line in n.told if "second:" in line] == ["03:00:00", "03:03:00"]


async def test_an_admin_who_is_paged_goes_on_ringing_after_nobody_answered(database: str) -> None:
    async with night(database, START) as n:
        async with n.world.database.transaction() as connection:
            await run(
                connection,
                "UPDATE escalation_policy SET body ="
                """ '{"steps": [{"notify": [{"user": "ada"}], "wait": "90s"}]}'""",
            )
            await run(
                connection,
                "INSERT INTO notification_rule (id, user_id, urgency, position, body) VALUES"
                """ (3, 3, 'urgent', 0, '{"after": "0s", "via": "phone", "repeat_every": "1m"}')""",
            )
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(minutes=5))
        times = [line[:8] for line in n.told if "ada:" in line]
        assert times == [
            "02:58:00",
            "02:59:00",
            "02:59:30",  # nobody answered
            "03:00:00",
            "03:01:00",
            "03:02:00",
            "03:03:00",
        ]


async def test_somebody_asked_for_help_before_their_minute_is_paged_though_it_is_acknowledged(
    database: str,
) -> None:
    async with night(database, START) as n:
        async with n.world.database.transaction() as connection:
            await run(
                connection,
                "UPDATE notification_rule SET body ="
                """ '{"after": "1m", "via": "phone", "repeat_every": "30s"}' WHERE id = 1""",
            )
        await n.raise_alert("Pump down", "p1")
        await n.until(START + timedelta(seconds=30))
        mara = Person(1, "mara", (Method(1, "phone", "webhook"),), {Urgency.URGENT: MINUTE_LATER})
        await n.answer("p1", RespondersAdded(ADA, (mara,)), "ada asks mara")
        await n.answer("p1", Acknowledged(ADA), "ada acknowledges")
        await n.until(START + timedelta(minutes=2))
        rung = [line[:8] for line in n.told if "mara: alert" in line]
        assert rung == ["02:59:00", "02:59:30", "03:00:00"]
