"""Notices, outgoing webhooks, and people who left duty while a step waits."""

import json
from dataclasses import replace
from datetime import timedelta

from tests.actions.ringing import House, Rings, a_page, house
from tests.store.scene import NOW, an_alert
from tocsin.core.alert import Alert, Answered, Leaving
from tocsin.core.effects import Purpose
from tocsin.core.kinds import Mode, Urgency, Via
from tocsin.keys import signing_key_bytes
from tocsin.store.outbox import Full, plan_notices
from tocsin.store.uuids import uuid7

WORDS = {"subject": "Nobody answered", "text": "Nobody answered #7", "body": "Nobody at all."}


async def call(h: House, alert: Alert, webhook: str) -> None:
    await h.sql(
        "INSERT INTO notification (team_id, id, alert_id, webhook, purpose, urgency, episode,"
        " planned_at, due_at, next_try_at)"
        " VALUES (1, $1, $2, $3, 'escalation', 'urgent', 1, $4, $4, $4)",
        uuid7(NOW),
        alert.id,
        webhook,
        NOW,
    )


async def test_a_notice_says_its_own_words_and_is_about_no_alert(database: str) -> None:
    async with house(database) as h:
        async with h.world.database.transaction() as connection:
            await plan_notices(connection, [(1, 1, WORDS)], NOW)
        await h.deliver()
        ((message, address),) = Rings.rang
        assert (message.kind, message.alert, dict(message.links)) == ("notice", None, {})
        assert (message.subject, message.text, message.body) == tuple(WORDS.values())
        assert (message.user, address.value) == ("mara", "http://127.0.0.1:9/mara")


async def test_a_notice_of_yesterday_is_not_sent(database: str) -> None:
    async with house(database) as h:
        async with h.world.database.transaction() as connection:
            await plan_notices(connection, [(1, 1, WORDS)], NOW)
        await h.after(timedelta(hours=25).total_seconds())
        (row,) = await h.rows("SELECT state, detail FROM notification")
        assert (row["state"], row["detail"]) == ("cancelled", "too old to be of use")


async def test_a_step_calls_an_outgoing_webhook_by_its_name(database: str) -> None:
    async with house(database) as h:
        body = json.dumps({"url": "https://hooks.example.org/x"})
        await h.sql("INSERT INTO stored (path, body) VALUES ('webhooks/siem', $1)", body)
        alert = await h.save(an_alert())
        await call(h, alert, "siem")
        await call(h, alert, "https://other.example.org/y")
        await h.deliver()
        assert sorted(address.value for _, address in Rings.rang) == [
            "https://hooks.example.org/x", "https://other.example.org/y"
        ]  # fmt: skip
        keys = {address.signing_key for _, address in Rings.rang}
        assert len(keys) == 2, "each has a key of its own"
        assert all(key is not None and len(signing_key_bytes(key)) == 32 for key in keys)
        message = next(m for m, address in Rings.rang if address.value.endswith("/x"))
        assert (message.contact_method, message.user, dict(message.links)) == ("siem", "", {})
        assert message.alert is not None


async def test_a_webhook_that_does_not_exist_fails_with_the_remedy(database: str) -> None:
    async with house(database) as h:
        await call(h, await h.save(an_alert()), "siem")
        await h.deliver()
        (row,) = await h.rows("SELECT state, detail FROM notification")
        assert row["state"] == "failed"
        assert "there is no webhook 'siem'" in row["detail"]


async def test_webhooks_are_claimed_while_people_have_enough_in_the_air(database: str) -> None:
    async with house(database) as h:
        await call(h, await h.save(an_alert()), "https://other.example.org/y")
        full = "SELECT count(*) AS n FROM notification WHERE state = 'sent'"
        h.deliverer._full = lambda: Full(methods=(1,), media=("busy",))  # type: ignore[method-assign]  # noqa: SLF001 - as if they had
        await h.deliver()
        assert (await h.rows(full))[0]["n"] == 1


async def test_who_acknowledges_without_being_a_user_does_not_silence_a_webhook(
    database: str,
) -> None:
    async with house(database) as h:
        answers = (Answered("portal", None, NOW, Via.SOURCE),)
        alert = await h.save(an_alert(mode=Mode.MULTI, answers=answers))
        await call(h, alert, "https://other.example.org/y")
        await h.deliver()
        assert len(Rings.rang) == 1


async def test_who_left_duty_is_paged_until_a_successor_is_reached(database: str) -> None:
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET channel = 'busy' WHERE id = 2")
        alert = await h.save(an_alert(), a_page(repeat=30))
        await h.deliver()
        await h.clock.move(timedelta(seconds=10))
        left = an_alert(id=alert.id, leaving=(Leaving(1, (2,)),))
        await h.save(left, a_page(2, 10, user=2), new=False)
        await h.deliver()
        await h.after(25)
        assert [m.user for m, _ in Rings.rang] == ["mara", "mara"], "jonas was not reached"
        await h.sql("UPDATE contact_method SET channel = 'rings' WHERE id = 2")
        await h.after(40)
        await h.after(60)
        assert [m.user for m, _ in Rings.rang][-1] == "jonas"
        cancelled = await h.rows("SELECT detail FROM notification WHERE state = 'cancelled'")
        assert [row["detail"] for row in cancelled] == ["relieved by jonas"]


NIGHTLY = """{"time_zone": "Europe/Berlin", "quiet_hours": [
  {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "22:00", "to": "07:00"}]}"""


async def test_quiet_hours_hold_what_is_not_urgent_and_news_until_they_end(database: str) -> None:
    async with house(database) as h:  # 04:00 in Berlin, and mara is on duty
        await h.sql("UPDATE app_user SET body = $1 WHERE id IN (1, 2)", NIGHTLY)
        urgent, normal = an_alert(1), an_alert(2, urgency=Urgency.NORMAL)
        await h.save(urgent, a_page(), a_page(2, user=2), a_page(purpose=Purpose.UPDATE))
        await h.save(normal, replace(a_page(11), urgency=Urgency.NORMAL))
        await h.save(an_alert(3, responders=(2,)), a_page(2, user=2, purpose=Purpose.RESPONDER))
        await h.deliver()
        rang = [(m.user, m.contact_method, m.kind) for m, _ in Rings.rang]
        assert rang == [("mara", "phone", "alert"), ("jonas", "phone", "alert")]
        assert ("planned", "quiet hours") in await h.ledger(normal, 11)
        held = await h.rows("SELECT DISTINCT next_try_at FROM notification WHERE state = 'planned'")
        assert [row["next_try_at"] for row in held] == [NOW + timedelta(hours=3)]
        await h.after(timedelta(hours=3).total_seconds())
        assert [m.contact_method for m, _ in Rings.rang][2:] == ["phone", "pager"], (
            "and no old news"
        )


async def test_quiet_hours_that_cannot_be_read_hold_nothing_back(database: str) -> None:
    async with house(database) as h:
        await h.sql("""UPDATE app_user SET body = '{"quiet_hours": [{"days": []}]}'""")
        await h.save(an_alert(), a_page(purpose=Purpose.UPDATE))
        await h.deliver()
        assert len(Rings.rang) == 1
