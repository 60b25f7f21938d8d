"""The API's call that shows what became of an alert's pages."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.web.stage import NOW, USERS, Stage, public, stage
from tocsin.core import ids
from tocsin.core.alert import Alert
from tocsin.core.event import Event
from tocsin.core.notification import State
from tocsin.store.db import run
from tocsin.store.outbox import Due, Settled, carry, claim_pages, report, settle_pages


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


@pytest.fixture
async def mara(doors: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with doors.client("mara") as web:
        yield web


async def shown(web: httpx.AsyncClient, alert: Alert) -> Mapping[str, Mapping[str, Any]]:
    """The notifications of an alert by user; those to webhooks are under their names."""
    answer = await web.get(f"/api/v1/alerts/{public(alert)}/notifications")
    assert answer.status_code == 200
    return {item["user"] or item["webhook"]: item for item in answer.json()["items"]}


async def claimed(doors: Stage, user: str = "mara") -> Sequence[Due]:
    """The pages to a user, leased; nobody takes the others while they are."""
    now = doors.clock.now()
    async with doors.world.database.transaction() as connection:
        found = await claim_pages(connection, now, 100)
    return [due for due in found if due.promise.user == USERS[user][0]]


async def settled(doors: Stage, *done: Settled) -> None:
    async with doors.world.database.transaction() as connection:
        assert await settle_pages(connection, done, doors.clock.now()) == ()


async def reported(doors: Stage, due: Due, state: State) -> None:
    async with doors.world.database.transaction() as connection:
        assert await report(connection, due.team, due.id, state, None, doors.clock.now())


async def test_a_page_tells_how_late_it_went_out_and_who_answered_it_how(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    alert = await doors.alert()
    await doors.clock.move(timedelta(seconds=90))
    (due,) = await claimed(doors)
    await settled(
        doors, Settled(due=due, state=State.SENT, provider_id="m-17", detail="250 queued")
    )
    for state in (State.DELIVERED, State.SEEN):
        await doors.clock.move(timedelta(seconds=5))
        await reported(doors, due, state)
    await doors.clock.move(timedelta(seconds=5))
    reply = (await doors.page(alert))["reply"]
    async with doors.client() as phone:
        assert (await phone.post(reply, json={"action": "acknowledge"})).status_code == 200
        assert (await phone.post(reply, json={"action": "close"})).status_code == 200
    item = (await shown(mara, alert))["mara"]
    assert item["id"] == ids.encode(due.team, due.id)
    assert (item["contact_method"], item["channel"], item["webhook"]) == ("phone", "webhook", None)
    assert (item["due_at"], item["sent_at"]) == ("2026-11-24T07:00:00Z", "2026-11-24T07:01:30Z")
    assert item["late_seconds"] == 90
    assert (item["provider_id"], item["detail"]) == ("m-17", "250 queued")
    assert item["delivered_at"] == "2026-11-24T07:01:35Z"
    assert item["seen_at"] == "2026-11-24T07:01:40Z"
    assert (item["state"], item["possible_duplicate"]) == ("answered", False)
    first = {"user": "mara", "via": "reply", "action": "acknowledge", "at": "2026-11-24T07:01:45Z"}
    assert item["answered_by"] == first
    assert [(line["state"], line["detail"]) for line in item["history"]] == [
        ("leased", None),
        ("sent", "250 queued"),
        ("delivered", None),
        ("seen", None),
        ("answered", "acknowledge by mara, via reply"),
        ("answered", "close by mara, via reply"),
    ]


async def test_a_page_that_is_not_sent_yet_says_when_it_is_tried_next_and_why(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    alert = await doors.alert()
    (due,) = await claimed(doors)
    again = NOW + timedelta(seconds=2)
    await settled(
        doors,
        Settled(due=due, state=State.PLANNED, detail="503 busy", again_at=again, maybe_sent=True),
    )
    item = (await shown(mara, alert))["mara"]
    assert (item["state"], item["tries"], item["detail"]) == ("planned", 1, "503 busy")
    assert item["next_try_at"] == "2026-11-24T07:00:02Z"
    assert (item["sent_at"], item["late_seconds"]) == (None, None)
    assert (item["delivered_at"], item["seen_at"], item["answered_by"]) == (None, None, None)
    assert item["possible_duplicate"] is True
    assert [line["state"] for line in item["history"]] == ["leased", "retry"]


async def test_a_bundled_page_names_the_one_that_carried_it(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    first = await doors.alert(event=Event(title="first"))
    second = await doors.alert(event=Event(title="second"))
    pages = await claimed(doors)
    carrier, carried = (next(p for p in pages if p.alert == a.id) for a in (first, second))
    async with doors.world.database.transaction() as connection:
        await carry(connection, [(carried, carrier.id)])
    await settled(
        doors,
        Settled(due=carrier, state=State.SENT, provider_id="m-1"),
        Settled(due=carried, state=State.BUNDLED, detail="carried"),
    )
    await reported(doors, carrier, State.DELIVERED)
    item = (await shown(mara, second))["mara"]
    assert (item["state"], item["sent_at"]) == ("bundled", "2026-11-24T07:00:00Z")
    assert item["bundled_into"] == {
        "id": ids.encode(carrier.team, carrier.id),
        "alert": public(first),
        "number": first.number,
        "state": "delivered",
    }
    assert (await shown(mara, first))["mara"]["bundled_into"] is None


async def test_the_call_of_a_webhook_is_shown_under_its_name(
    doors: Stage, mara: httpx.AsyncClient
) -> None:
    alert = await doors.alert()
    async with doors.world.database.transaction() as connection:
        await run(
            connection,
            "UPDATE notification SET webhook = 'wall', user_id = NULL, method_id = NULL"
            " WHERE user_id = $1",
            USERS["sam"][0],
        )
    item = (await shown(mara, alert))["wall"]
    assert (item["user"], item["contact_method"], item["channel"]) == (None, None, "webhook")


async def test_the_description_of_the_api_has_every_field(mara: httpx.AsyncClient) -> None:
    description = (await mara.get("/api/v1/openapi.json")).json()
    path = description["paths"]["/alerts/{alert_id}/notifications"]["get"]
    schema = path["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Notifications"}
    fields = description["components"]["schemas"]["Notification"]["properties"]
    needed = {"due_at", "sent_at", "late_seconds", "provider", "provider_id", "answered_by"}
    assert needed <= set(fields)
    assert fields["sent_at"]["anyOf"][0] == {"type": "string", "format": "date-time"}
