"""Answers and providers that have no effect elsewhere; see docs/peer-bugs.md."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.actions.ringing import Rings, a_page, house
from tests.store.scene import an_alert
from tests.web.stage import Stage, public, stage
from tocsin.actions.links import links
from tocsin.core.alert import Alert
from tocsin.core.event import Event
from tocsin.core.kinds import Status


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    """Jonas is called again and again, and has a second method that rings after some minutes."""
    async with stage(database) as made:
        await made.sql(
            "INSERT INTO contact_method (user_id, name, channel, address)"
            " VALUES (8, 'second phone', 'webhook', 'http://127.0.0.1:9/')"
        )
        await made.sql(
            "INSERT INTO notification_rule (user_id, urgency, position, body) VALUES"
            """ (8, 'urgent', 0, '{"after": "0s", "via": "phone", "repeat_every": "30s"}'),"""
            """ (8, 'urgent', 1, '{"after": "5m", "via": "second phone"}')"""
        )
        yield made


async def _asked(web: httpx.AsyncClient, alert: Alert, verb: str, **body: str) -> None:
    done = await web.post(f"/api/v1/alerts/{public(alert)}/{verb}", json=body)
    assert done.status_code == 200, done.text


async def _planned(doors: Stage, alert: Alert) -> int:
    """How many pages of an alert are still to ring at Jonas's."""
    found = await doors.rows(
        "SELECT 1 FROM notification WHERE alert_id = $1 AND user_id = 8 AND state = 'planned'"
        " AND purpose IN ('escalation', 'responder')",
        alert.id,
    )
    return len(found)


async def test_somebody_paged_into_an_acknowledged_alert_cannot_stop_it(doors: Stage) -> None:
    alert = await doors.alert()
    async with doors.client("mara") as mara, doors.client() as web:
        await _asked(mara, alert, "acknowledge")
        assert await _planned(doors, alert) == 0
        await _asked(mara, alert, "add-responders", user="jonas")
        assert await _planned(doors, alert) == 2
        (page,) = await doors.rows(
            "SELECT id FROM notification WHERE purpose = 'responder' ORDER BY due_at LIMIT 1"
        )
        reply = links(doors.world.keys, "", alert.team, page["id"])["reply"]
        answer = await web.post(reply, json={"action": "acknowledge"})
        assert answer.status_code == 200
    assert await _planned(doors, alert) == 0
    now = await doors.now_of(alert)
    assert (now.status, now.owner) == (Status.ACKNOWLEDGED, 2), "it stays Mara's"


async def test_a_direct_page_goes_on_after_it_was_acknowledged(doors: Stage) -> None:
    alert = await doors.alert(event=Event(title="Call me"))
    async with doors.client("mara") as mara, doors.client("jonas") as jonas:
        await _asked(mara, alert, "reassign", user="jonas")
        assert await _planned(doors, alert) == 2
        await _asked(jonas, alert, "acknowledge")
    assert await _planned(doors, alert) == 0
    assert (await doors.now_of(alert)).owner == 8


async def test_a_provider_refuses_a_number_and_nothing_follows(database: str) -> None:
    async with house(database) as h:
        await h.sql("UPDATE contact_method SET channel = 'gone' WHERE id = 1")
        alert = await h.save(an_alert(), a_page(1), a_page(11, 300))
        await h.deliver()
        assert [message.contact_method for message, _ in Rings.rang] == ["pager"], "at once"
        assert ("failed", "no such number") in await h.ledger(alert)
