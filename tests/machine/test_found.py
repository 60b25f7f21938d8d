"""What the state machine found, each as the shortest story that shows it."""

import asyncio
from datetime import timedelta
from uuid import UUID

from tests.actions.ringing import House, Rings, a_page, house
from tests.store.scene import an_alert
from tocsin.actions.deliver import late_receipts, reported
from tocsin.actions.verify import verify
from tocsin.cli.ledger import line
from tocsin.core.effects import Withdraw
from tocsin.core.notification import State
from tocsin.store import alerts
from tocsin.store.outbox import PAGE_LEASE


async def broken(h: House) -> list[str]:
    """What `ledger verify` names."""
    return [
        line(one) async for read in verify(h.world, an_alert().created_at) for one in read.found
    ]


async def first_page(h: House) -> UUID:
    """The page to Mara's phone."""
    (row,) = await h.rows("SELECT id FROM notification WHERE method_id = 1")
    assert isinstance(row["id"], UUID)
    return row["id"]


async def test_pages_of_one_alert_that_go_out_together_have_one_repetition(database: str) -> None:
    """Two rules with the same method and repetition, both late: settling them was refused."""
    async with house(database) as h:
        await h.save(an_alert(), a_page(1, 0, repeat=30), a_page(1, 20, repeat=30))
        await h.after(25)
        found = await h.rows("SELECT attempt, state FROM notification ORDER BY due_at, attempt")
        assert [tuple(row.values()) for row in found] == [(1, "sent"), (1, "sent"), (2, "planned")]


async def test_a_message_whose_delivery_is_not_reported_was_not_sent_twice(database: str) -> None:
    """The ledger's line about the missing report was taken for a second message."""
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET channel = 'reports' WHERE id = 1")
        await h.save(an_alert(next_step_at=an_alert().created_at + 10 * PAGE_LEASE), a_page(1))
        await h.deliver()
        await h.after(11)
        assert await late_receipts(h.world) == 1
        assert [one for one in await broken(h) if "sent 2 times" in one] == []


async def test_a_failure_that_is_reported_before_we_wrote_down_that_it_was_sent(
    database: str,
) -> None:
    """It stayed failed although it was accepted, and the next rule waited for its minute."""
    async with house(database) as h:
        alert = await h.save(an_alert(), a_page(1, repeat=30), a_page(11, 300))
        await h.deliverer.launch()
        assert await reported(h.world, 1, await first_page(h), State.FAILED, "handset off")
        await h.deliverer.drain()
        assert [state for state, _ in await h.ledger(alert)] == ["leased", "failed", "sent"]
        await h.deliver()
        assert await h.states() == [(1, "sent"), (1, "sent"), (1, "planned")]
        assert [message.contact_method for message, _ in Rings.rang] == ["phone", "pager"]


async def test_a_failure_that_is_reported_late_does_not_end_a_page_that_is_tried_again(
    database: str,
) -> None:
    """The page was never tried again."""
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET channel = 'busy' WHERE id = 1")
        await h.save(an_alert(), a_page(1))
        await h.deliver()
        assert await reported(h.world, 1, await first_page(h), State.FAILED, "handset off")
        await h.sql("UPDATE contact_method SET channel = 'rings' WHERE id = 1")
        await h.after(10)
        assert await h.states() == [(1, "sent")]


async def test_a_failure_that_is_reported_twice_moves_one_rule_up(database: str) -> None:
    """Each report let another rule run before its minute."""
    async with house(database) as h:
        await h.sql(
            "INSERT INTO contact_method (id, user_id, name, channel, address)"
            " VALUES (12, 1, 'bell', 'rings', 'mara')"
        )
        await h.save(an_alert(), a_page(1), a_page(11, 300), a_page(12, 600))
        await h.deliver()
        page = await first_page(h)
        told = [await reported(h.world, 1, page, State.FAILED, "handset off") for _ in range(2)]
        assert told == [True, False]
        await h.deliver()
        assert [message.contact_method for message, _ in Rings.rang] == ["phone", "pager"]


async def test_a_step_that_starts_while_a_page_of_the_last_is_written_down_rings_alone(
    database: str,
) -> None:
    """The repetition of the last step was planned beside it: both rang from then on."""
    async with house(database) as h:
        alert = await h.save(an_alert(), a_page(1, repeat=30))
        await h.deliverer.launch()
        await h.clock.move(timedelta(seconds=1))
        async with h.world.database.transaction() as connection:
            step = alerts.Saved(alert, (Withdraw((1,)), a_page(1, 1, repeat=30)))
            await alerts.save(connection, [step], h.clock.now())
            writing = asyncio.create_task(h.deliverer.drain())
            await asyncio.sleep(0.3)
        await writing
        await h.deliver()
        assert await h.states() == [(1, "sent"), (1, "sent"), (1, "planned")]
