"""Signed links of people whom an alert means although they are not in its team."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import msgspec
import pytest

from tests.web.stage import NOW, Stage, public, stage
from tocsin.core.alert import Alert
from tocsin.core.kinds import Status


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


async def escalating(doors: Stage, *targets: object) -> Alert:
    """A new alert of soc whose only step means these."""
    body = {"steps": [{"notify": targets, "wait": "2m"}]}
    await doors.sql(
        "UPDATE escalation_policy SET body = $1 WHERE team_id = 1",
        msgspec.json.encode(body).decode(),
    )
    return await doors.alert()


async def answer(web: httpx.AsyncClient, link: str, action: str) -> httpx.Response:
    return await web.post(link, json={"action": action, "comment": "x"})


async def punched_in(doors: Stage, until: timedelta) -> None:
    """Nick, who is not in the team, is on duty in it, as a rotation that names him makes him."""
    await doors.sql(
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, why, during)"
        " SELECT 1, id, '1', 6, 'rotation x', tstzrange($1, $2) FROM schedule WHERE team_id = 1",
        NOW - timedelta(hours=1),
        NOW + until,
    )


@pytest.mark.parametrize("target", [{"user": "nick"}, {"team": "noc"}, {"duty": 1}])
async def test_whoever_a_step_means_answers_by_link(doors: Stage, target: object) -> None:
    await punched_in(doors, timedelta(hours=1))
    alert = await escalating(doors, target)
    links = await doors.page(alert, "nick")
    async with doors.client("nick") as web:
        assert (await web.get(f"/api/v1/alerts/{public(alert)}")).status_code == 404
        shown = await web.get(links["page"])
        assert shown.status_code == 200
        assert 'value="acknowledge"' in shown.text
        for action in ("annotate", "escalate", "acknowledge", "acknowledge", "close", "close"):
            assert (await answer(web, links["reply"], action)).status_code == 200, action
    now = await doors.now_of(alert)
    assert (now.status, now.owner) == (Status.CLOSED, 6)


async def test_who_is_meant_no_more_is_refused(doors: Stage) -> None:
    await punched_in(doors, timedelta(minutes=10))
    alert = await escalating(doors, {"duty": 1})
    links = await doors.page(alert, "nick")
    await doors.clock.move(timedelta(minutes=11))
    async with doors.client() as web:
        assert (await answer(web, links["reply"], "acknowledge")).status_code == 403
        page = await web.get(links["page"])
    assert page.status_code == 403
    assert "Impossible travel" not in page.text
    assert await doors.now_of(alert) == alert


@pytest.mark.parametrize("verb", ["reassign", "add-responders"])
async def test_whoever_was_asked_by_hand_answers_by_link(doors: Stage, verb: str) -> None:
    alert = await doors.alert()
    async with doors.client("root") as root, doors.client() as web:
        asked = await root.post(f"/api/v1/alerts/{public(alert)}/{verb}", json={"user": "nick"})
        assert asked.status_code == 200
        links = await doors.page(alert, "nick")
        assert (await web.get(links["page"])).status_code == 200
        assert (await answer(web, links["reply"], "acknowledge")).status_code == 200
        assert (await answer(web, links["reply"], "close")).status_code == 200
    assert (await doors.now_of(alert)).owner == 6


async def test_a_former_member_whom_nothing_means_is_refused(doors: Stage) -> None:
    alert = await escalating(doors, {"team": "soc"}, {"user": "nick"})
    links = await doors.page(alert, "mara")
    async with doors.client() as web:
        await doors.sql("DELETE FROM membership WHERE user_id = 2")
        assert (await answer(web, links["reply"], "acknowledge")).status_code == 403
        await doors.sql("UPDATE app_user SET active = false WHERE id = 6")
        other = await doors.page(alert, "nick")
        assert (await answer(web, other["reply"], "acknowledge")).status_code == 403
    assert (await doors.now_of(alert)).status is Status.OPEN
