"""What a newer version wrote and this one cannot read holds up nothing else, and is not lost."""

from datetime import timedelta

import pytest

from tests.actions.ringing import House, Rings, house
from tocsin.actions.intake import Intake, Posted
from tocsin.actions.page import page_due
from tocsin.actions.reply import AlertRef, change
from tocsin.core.alert import Changed
from tocsin.core.changes import Acknowledged, Closed
from tocsin.core.event import Event
from tocsin.core.kinds import Actor, Via

MARA = Actor("mara", 1, Via.REPLY)

NEWER = {
    "alert": "UPDATE alert SET mode = 'newer' WHERE external_id = 'newer'",
    "state of the alert": "UPDATE alert SET state = '{\"paged\": 7}' WHERE external_id = 'newer'",
    "copied policy": "UPDATE alert SET policy = 'newer' WHERE external_id = 'newer'",
}
COPY = (
    """INSERT INTO plan (team_id, digest, body) VALUES (1, 'newer', '{"steps": [{"newer": 1}]}')"""
)


async def raised(h: House) -> None:
    async with Intake(h.world) as intake:
        for key in ("newer", "ours"):
            said = (Event(title=key, external_id=key),)
            await intake.accept(Posted(team=1, name="p", inlet="signl4", said=said))


def rang() -> list[str]:
    return [str(message.alert["title"]) for message, _ in Rings.rang if message.alert]


async def steps(h: House) -> list[tuple[str, int]]:
    found = await h.rows("SELECT external_id, step FROM alert ORDER BY external_id")
    return [(row["external_id"], row["step"]) for row in found]


async def due(h: House) -> object:
    (row,) = await h.rows("SELECT next_step_at FROM alert WHERE external_id = 'newer'")
    return row["next_step_at"]


@pytest.mark.parametrize("what", sorted(NEWER))
async def test_the_timers_of_others_fire_and_its_own_is_looked_at_again(
    database: str, what: str
) -> None:
    async with house(database) as h:
        await raised(h)
        await h.sql(COPY)
        await h.sql(NEWER[what])
        await h.clock.move(timedelta(minutes=2))
        before = await due(h)
        assert await page_due(h.world) == 2
        assert await steps(h) == [("newer", 0), ("ours", 1)]
        assert await due(h) == before, "whoever can read it finds it as it was"
        assert await page_due(h.world) == 0, "passed over"
        await h.clock.move(timedelta(minutes=1))
        assert await page_due(h.world) == 1, "looked at again"


@pytest.mark.parametrize("what", ["alert", "state of the alert"])
async def test_its_page_waits_for_a_version_that_can_read_it(database: str, what: str) -> None:
    async with house(database) as h:
        await raised(h)
        before = await h.rows("SELECT mode, state FROM alert WHERE external_id = 'newer'")
        await h.sql(NEWER[what])
        await h.deliver()
        assert rang() == ["ours"]
        await h.sql(
            "UPDATE alert SET mode = $1, state = $2::jsonb WHERE external_id = 'newer'",
            before[0]["mode"],
            before[0]["state"],
        )
        await h.after(60)
        assert "newer" in rang()


async def test_an_alert_whose_copied_policy_is_newer_can_be_answered(database: str) -> None:
    async with house(database) as h:
        await raised(h)
        await h.sql(COPY)
        await h.sql(NEWER["copied policy"])
        (row,) = await h.rows("SELECT id FROM alert WHERE external_id = 'newer'")
        for answer in (Acknowledged(MARA), Closed(MARA)):
            done = await change(h.world, AlertRef(1, row["id"]), answer)
            assert done is not None
            assert isinstance(done.outcome, Changed)


async def test_a_page_of_an_unknown_kind_is_left_to_whoever_knows_it(database: str) -> None:
    async with house(database) as h:
        await raised(h)
        await h.sql(
            "UPDATE notification SET purpose = 'newer' WHERE alert_id ="
            " (SELECT id FROM alert WHERE external_id = 'newer')"
        )
        await h.deliver()
        assert rang() == ["ours"]
        left = await h.rows("SELECT state FROM notification WHERE purpose = 'newer'")
        assert [row["state"] for row in left] == ["leased"]
