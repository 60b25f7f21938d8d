"""When a page fails or is not delivered, the person's next rule runs at once."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.actions.ringing import House, Rings, a_page, house
from tests.store.scene import NOW, an_alert
from tocsin.actions.deliver.receipts import late_receipts, reported
from tocsin.core.effects import Purpose, Withdraw
from tocsin.core.notification import State


def methods() -> list[str]:
    return [message.contact_method for message, _ in Rings.rang]


async def notification(house: House, method: int = 1) -> UUID:
    (row,) = await house.rows("SELECT id FROM notification WHERE method_id = $1", method)
    found = row["id"]
    assert isinstance(found, UUID)
    return found


@pytest.mark.parametrize("channel", ["gone", "busy"])
async def test_a_page_that_fails_has_the_next_rule_run_at_once(database: str, channel: str) -> None:
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET channel = $1 WHERE id = 1", channel)
        alert = await h.save(an_alert(), a_page(1), a_page(11, 300))
        await h.deliver()
        assert methods() == ["pager"]
        assert ("planned", "moved up: phone failed") in await h.ledger(alert, 11)
        (row,) = await h.rows("SELECT due_at FROM notification WHERE method_id = 11")
        assert row["due_at"] == NOW


async def test_a_page_that_fails_again_and_again_moves_one_rule_up(database: str) -> None:
    async with house(database) as h:
        await h.sql(
            "INSERT INTO contact_method (id, user_id, name, channel, address)"
            " VALUES (12, 1, 'bell', 'rings', 'mara')"
        )
        await h.sql("UPDATE contact_method SET channel = 'busy' WHERE id = 1")
        await h.save(an_alert(), a_page(1), a_page(11, 300), a_page(12, 600))
        for _ in range(4):
            await h.after(10)
        assert methods() == ["pager"], "the bell still has its own minute"


async def test_only_the_same_person_and_alert_move_up(database: str) -> None:
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET channel = 'gone' WHERE id = 1")
        await h.save(an_alert(1), a_page(1), a_page(2, 60, user=2), a_page(1, 90))
        await h.save(an_alert(2), a_page(11, 60))
        await h.deliver()
        assert methods() == []


async def test_a_disabled_method_is_a_failure_too(database: str) -> None:
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET disabled = 'bounced' WHERE id = 1")
        await h.save(an_alert(), a_page(1), a_page(11, 300))
        await h.deliver()
        assert methods() == ["pager"]


async def test_a_message_that_is_not_reported_in_time_has_the_next_rule_run(database: str) -> None:
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET channel = 'reports' WHERE id = 1")
        alert = await h.save(an_alert(), a_page(1), a_page(11, 300))
        await h.deliver()
        assert await late_receipts(h.world) == 0
        await h.clock.move(timedelta(seconds=10))
        assert await late_receipts(h.world) == 1
        assert await late_receipts(h.world) == 0
        await h.deliver()
        assert methods() == ["phone", "pager"]
        assert ("sent", "no report of its delivery in time") in await h.ledger(alert)
        moved = ("planned", "moved up: phone did not report delivery in time")
        assert moved in await h.ledger(alert, 11)


async def test_a_message_that_is_reported_leaves_the_next_rule_its_minute(database: str) -> None:
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET channel = 'reports' WHERE id = 1")
        alert = await h.save(an_alert(), a_page(1), a_page(11, 300))
        await h.deliver()
        page = await notification(h)
        assert await reported(h.world, 1, page, State.SEEN)
        assert not await reported(h.world, 1, page, State.DELIVERED, "late"), "seen says more"
        assert not await reported(h.world, 1, page, State.SEEN), "twice"
        await h.clock.move(timedelta(seconds=10))
        assert await late_receipts(h.world) == 0
        assert await h.states() == [(1, "seen"), (1, "planned")]
        assert [state for state, _ in await h.ledger(alert)] == ["leased", "sent", "seen"]


async def test_a_report_that_an_accepted_message_failed_has_the_next_rule_run(
    database: str,
) -> None:
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET channel = 'reports' WHERE id = 1")
        await h.save(an_alert(), a_page(1), a_page(11, 300))
        await h.deliver()
        assert await reported(h.world, 1, await notification(h), State.FAILED, "handset off")
        await h.deliver()
        assert methods() == ["phone", "pager"]


async def test_a_report_that_comes_before_we_wrote_down_that_it_was_sent(database: str) -> None:
    async with house(database) as h:
        await h.save(an_alert(), a_page(1, repeat=30))
        await h.deliverer.launch()
        page = await notification(h)
        assert await reported(h.world, 1, page, State.DELIVERED)
        await h.deliverer.drain()
        assert await h.states() == [(1, "delivered"), (1, "planned")], "with one repetition"
        (row,) = await h.rows("SELECT * FROM notification WHERE attempt = 1")
        assert (row["sent_at"], row["provider_id"]) == (NOW, "p-1")
        assert (row["next_try_at"], row["lease_until"]) == (None, None)


async def test_news_move_nothing_up(database: str) -> None:
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET channel = 'gone' WHERE id = 1")
        await h.save(an_alert(), a_page(1, purpose=Purpose.UPDATE), a_page(11, 300))
        await h.deliver()
        assert methods() == []


async def test_a_report_on_a_page_that_was_promised_anew_leaves_it_taken_back(
    database: str,
) -> None:
    async with house(database) as h:
        alert = await h.save(an_alert(), a_page(1))
        old = await notification(h)
        await h.save(alert, Withdraw(), a_page(1), new=False)
        await h.deliver()
        assert await reported(h.world, 1, old, State.DELIVERED), "the ledger has it"
        found = await h.rows("SELECT state FROM notification ORDER BY state")
        assert [row["state"] for row in found] == ["cancelled", "sent"]
        assert ("delivered", None) in await h.ledger(alert)
