"""The links of a message about several alerts act on all of them, and the ledger says who did."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.web.stage import USERS, Stage, public, stage
from tocsin.core.alert import Alert
from tocsin.core.event import Event
from tocsin.core.kinds import Status
from tocsin.web.pages import SIZE_LIMIT


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


async def bundle(doors: Stage, count: int = 3) -> list[Alert]:
    """Alerts whose pages to Mara shared one message, carried by that of the first."""
    made = [await doors.alert(event=Event(title=f"Pump {n} down")) for n in range(count)]
    mara = USERS["mara"][0]
    await doors.sql(
        "UPDATE notification n SET state = 'bundled', next_try_at = NULL, carrier_id = c.id"
        " FROM notification c WHERE c.alert_id = $1 AND c.user_id = $2 AND n.user_id = $2"
        " AND n.id <> c.id",
        made[0].id,
        mara,
    )
    await doors.sql(
        "UPDATE notification SET state = 'sent', next_try_at = NULL"
        " WHERE alert_id = $1 AND user_id = $2",
        made[0].id,
        mara,
    )
    return made


async def statuses(doors: Stage, alerts: list[Alert]) -> list[Status]:
    return [(await doors.now_of(alert)).status for alert in alerts]


async def test_a_reply_acknowledges_all_and_closes_all(doors: Stage) -> None:
    alerts = await bundle(doors)
    reply = (await doors.page(alerts[0]))["reply"]
    async with doors.client() as web:
        answer = await web.post(reply, json={"action": "acknowledge"})
        assert answer.json() == {"status": "acknowledged", "message": "3 alerts: 3 acknowledged."}
        assert await statuses(doors, alerts) == [Status.ACKNOWLEDGED] * 3
        answer = await web.post(reply, json={"action": "close"})
        assert answer.json() == {"status": "closed", "message": "3 alerts: 3 closed."}
        late = await web.post(reply, json={"action": "acknowledge"})
        assert late.json() == {"status": "closed", "message": "3 alerts: 3 closed."}
    assert await statuses(doors, alerts) == [Status.CLOSED] * 3


async def test_the_rest_can_be_answered_after_the_first_was_closed(doors: Stage) -> None:
    alerts = await bundle(doors)
    first, second = [(await doors.page(alert))["reply"] for alert in alerts[:2]]
    await doors.sql("UPDATE notification SET carrier_id = NULL WHERE alert_id = $1", alerts[1].id)
    async with doors.client() as web:
        await web.post(second, json={"action": "close"})
        assert await statuses(doors, alerts) == [Status.OPEN, Status.CLOSED, Status.OPEN]
        await web.post(first, json={"action": "acknowledge"})
    ends = [Status.ACKNOWLEDGED, Status.CLOSED, Status.ACKNOWLEDGED]
    assert await statuses(doors, alerts) == ends


async def test_a_link_works_while_any_of_its_alerts_is_of_interest(doors: Stage) -> None:
    alerts = await bundle(doors)
    link = (await doors.page(alerts[0]))["page"]
    own = (await doors.page(alerts[2]))["page"]
    async with doors.client("mara") as web:
        for alert in alerts[:2]:
            await web.post(f"/api/v1/alerts/{public(alert)}/close", json={})
        await doors.clock.move(timedelta(hours=25))
        assert (await web.get(link)).status_code == 200
        assert (await web.get(own)).status_code == 200
        await web.post(f"/api/v1/alerts/{public(alerts[2])}/close", json={})
        await doors.clock.move(timedelta(hours=25))
        assert (await web.get(link)).status_code == 410


async def test_the_page_lists_all_and_its_button_says_how_many(doors: Stage) -> None:
    alerts = await bundle(doors)
    link = (await doors.page(alerts[0]))["page"]
    async with doors.client() as web:
        page = await web.get(link)
        assert all(alert.title in page.text for alert in alerts)
        assert "Acknowledge: all 3" in page.text
        nonce = re.search(r'name="nonce" value="([^"]+)"', page.text)
        assert nonce is not None
        done = await web.post(link, data={"action": "acknowledge", "nonce": nonce[1]})
        assert done.status_code == 200
        assert "Done." in done.text
    assert await statuses(doors, alerts) == [Status.ACKNOWLEDGED] * 3


async def test_a_page_of_very_many_alerts_stays_small(doors: Stage) -> None:
    alerts = await bundle(doors, 60)
    async with doors.client() as web:
        page = await web.get((await doors.page(alerts[0]))["page"])
    assert len(page.content) <= SIZE_LIMIT
    assert "… and 47 more" in page.text


async def test_the_ledger_says_who_answered_and_how(doors: Stage) -> None:
    alerts = await bundle(doors)
    reply = (await doors.page(alerts[0]))["reply"]
    async with doors.client() as web:
        await web.post(reply, json={"action": "acknowledge"})
        await web.post(reply, json={"action": "close"})
    mine = await doors.rows(
        "SELECT * FROM notification WHERE user_id = $1 ORDER BY due_at, id", USERS["mara"][0]
    )
    assert [row["state"] for row in mine] == ["answered"] * 3
    assert json.loads(mine[0]["answer"]) == {
        "user": "mara", "via": "reply", "action": "acknowledge", "at": "2026-11-24T07:00:00Z"
    }  # fmt: skip
    lines = await doors.rows(
        "SELECT detail FROM ledger WHERE state = 'answered' AND notification_id = $1 ORDER BY id",
        mine[0]["id"],
    )
    assert [row["detail"] for row in lines] == [
        "acknowledge by mara, via reply", "close by mara, via reply"
    ]  # fmt: skip
    others = await doors.rows(
        "SELECT count(*) AS n FROM notification WHERE answer IS NOT NULL AND user_id <> $1",
        USERS["mara"][0],
    )
    assert others[0]["n"] == 0
