"""Whose it is, here and there: nobody loses an alert to an echo, or to a write that comes late."""

from pathlib import Path

import pytest

from tests.actions.syncing import MARA, night
from tocsin.core.changes import Acknowledged, Closed, Reopened
from tocsin.core.kinds import Status


async def test_in_progress_without_an_owner_takes_no_acknowledgement_over(
    database: str, tmp_path: Path
) -> None:
    """Mara acknowledged here; before that was written, somebody set it in progress there."""
    async with night(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        await n.pass_time(minutes=1)
        await n.change(Acknowledged(MARA))
        n.sky.cloud.analyst_changes_sentinel(incident.id, status="Active")
        await n.poll()
        alert = await n.alert()
        assert (alert.status, alert.owner) == (Status.ACKNOWLEDGED, 1)
        assert [answer.name for answer in alert.answers] == ["mara"]
        await n.write()
        assert (await n.alert()).owner == 1
        owner = n.sky.cloud.sentinel_incidents[incident.id].owner
        assert owner is not None
        assert owner.user_principal_name == "mara@example.org"


async def test_a_new_owner_in_the_portal_takes_it_over(database: str, tmp_path: Path) -> None:
    async with night(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        await n.pass_time(minutes=1)
        await n.change(Acknowledged(MARA))
        await n.write()
        await n.pass_time(minutes=1)
        n.sky.cloud.analyst_changes_sentinel(incident.id, owner="jonas@example.org")
        await n.poll()
        assert (await n.kinds())[-1] == "taken_over"


@pytest.mark.parametrize("named_by", ["object id", "upn"])
async def test_our_own_acknowledgement_is_no_news_whichever_name_of_the_account_we_know(
    database: str, tmp_path: Path, named_by: str
) -> None:
    async with night(database, tmp_path) as n:
        person = n.sky.cloud.add_person("mara.ilves@corp.example", "Mara Ilves")
        named = {"object id": person.object_id, "upn": "Mara.Ilves@corp.example"}[named_by]
        await n.run("UPDATE app_user SET entra = $1, email = 'm@mail.example' WHERE id = 1", named)
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        await n.pass_time(minutes=1)
        await n.change(Acknowledged(MARA))
        before = await n.kinds()
        await n.write()
        assert n.sky.cloud.sentinel_incidents[incident.id].owner == person
        for _ in range(3):
            await n.pass_time(minutes=1)
            await n.poll()
        alert = await n.alert()
        assert (alert.owner, [answer.user for answer in alert.answers]) == (1, [1])
        assert await n.kinds() == before


async def test_an_owner_in_the_portal_is_found_by_any_name_of_the_account(
    database: str, tmp_path: Path
) -> None:
    async with night(database, tmp_path) as n:
        person = n.sky.cloud.add_person("mara.ilves@corp.example", "Mara Ilves")
        await n.run("UPDATE app_user SET entra = $1 WHERE id = 1", person.object_id)
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        await n.pass_time(minutes=1)
        n.sky.cloud.analyst_changes_sentinel(
            incident.id, status="Active", owner="mara.ilves@corp.example"
        )
        await n.poll()
        alert = await n.alert()
        assert (alert.status, alert.owner) == (Status.ACKNOWLEDGED, 1)


async def test_a_close_that_was_not_written_is_written_no_more_after_a_reopen(
    database: str, tmp_path: Path
) -> None:
    async with night(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        await n.pass_time(minutes=1)
        await n.change(Closed(MARA))
        n.sky.cloud.faults.add("incidents", "GET", 403, times=1)
        await n.write()
        await n.pass_time(seconds=1)
        await n.change(Reopened(MARA, "by mistake"))
        for _ in range(3):
            await n.pass_time(minutes=5)
            await n.write()
            await n.poll()
        assert (await n.alert()).status is Status.OPEN
        there = n.sky.cloud.sentinel_incidents[incident.id]
        assert (there.status, there.owner) == ("New", None)
        assert [comment.message for comment in there.comments] == [
            "Closed in Tocsin by mara",
            "Reopened in Tocsin by mara: by mistake",
        ]
        (states,) = await n.sql("SELECT array_agg(DISTINCT state) AS all FROM remote_write")
        assert states["all"] == ["written"]


async def test_a_reopen_leaves_what_is_closed_there_alone(database: str, tmp_path: Path) -> None:
    async with night(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        await n.pass_time(minutes=1)
        await n.change(Closed(MARA))
        await n.write()
        await n.change(Reopened(MARA))
        for _ in range(2):
            await n.write()
            await n.pass_time(minutes=1)
            await n.poll()
        assert (await n.alert()).status is Status.OPEN
        assert n.sky.cloud.sentinel_incidents[incident.id].status == "Closed"
