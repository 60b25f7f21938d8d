"""The links of a message that offers a leaver's alert: one tap takes it over."""

from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from tests.web.stage import USERS, Stage, stage
from tests.web.test_replies import nonce
from tocsin.actions.links import links
from tocsin.actions.reply import AlertRef, change
from tocsin.core.alert import Alert
from tocsin.core.changes import Acknowledged, OwnerLeft
from tocsin.core.kinds import Actor, Status, Via

MARA, JONAS = USERS["mara"][0], USERS["jonas"][0]


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


async def offered(doors: Stage) -> tuple[Alert, Mapping[str, str]]:
    """An alert that Mara owns and that is offered to Jonas, and the links of his message."""
    alert = await doors.alert()
    ref = AlertRef(alert.team, alert.id)
    await change(doors.world, ref, Acknowledged(Actor("mara", MARA, Via.API)))
    await change(doors.world, ref, OwnerLeft(MARA, "mara", {JONAS: "jonas"}))
    found = await doors.rows(
        "SELECT id, user_id FROM notification WHERE alert_id = $1 AND purpose = 'offered'",
        alert.id,
    )
    assert [row["user_id"] for row in found] == [JONAS]
    return alert, links(doors.world.keys, "", alert.team, found[0]["id"])


async def test_one_tap_on_the_page_takes_it_over(doors: Stage) -> None:
    alert, paths = await offered(doors)
    async with doors.client() as web:
        shown = await web.get(paths["page"])
        assert ">Take over</button>" in shown.text
        assert (await doors.now_of(alert)).owner == MARA
        form = {"action": "acknowledge", "nonce": nonce(shown)}
        done = await web.post(paths["page"], data=form)
        assert done.status_code == 200
        assert ">Take over</button>" not in done.text
        german = await web.get(paths["page"], headers={"accept-language": "de"})
    assert "Acknowledged by jonas" in done.text
    assert ">Schließen</button>" in german.text
    now = await doors.now_of(alert)
    assert (now.owner, now.status) == (JONAS, Status.ACKNOWLEDGED)


async def test_a_machine_takes_it_over_by_acknowledging(doors: Stage) -> None:
    alert, paths = await offered(doors)
    async with doors.client() as web:
        for _ in range(2):
            answer = await web.post(paths["reply"], json={"action": "acknowledge"})
            assert answer.status_code == 200
    assert (await doors.now_of(alert)).owner == JONAS


async def test_the_link_of_an_earlier_page_takes_nothing_over(doors: Stage) -> None:
    alert, _ = await offered(doors)
    earlier = await doors.page(alert, "jonas")
    async with doors.client() as web:
        shown: httpx.Response = await web.get(earlier["page"])
        await web.post(earlier["reply"], json={"action": "acknowledge"})
    assert ">Take over</button>" not in shown.text
    assert (await doors.now_of(alert)).owner == MARA
