"""What breaks at one object, or in a source, is shown and stays there: everything else goes on."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.actions.syncing import MARA, Script, Watch, night, remote, scripted
from tests.store.scene import NOW
from tocsin.actions.reply import AlertRef, change_many
from tocsin.core.alert import Alert, Changed, Refused
from tocsin.core.changes import Acknowledged, Closed, Reopened
from tocsin.core.kinds import Status
from tocsin.core.reconcile import RemoteStatus
from tocsin.ports import SecretMissingError, SourceContext
from tocsin.store import alerts
from tocsin.store.connectors import connector


async def test_an_incident_reopened_there_is_followed_by_the_alert_that_has_its_key_by_now(
    database: str, tmp_path: Path
) -> None:
    """Closed here, raised again by hand with the same key, then reopened in the portal."""
    async with night(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        first = await n.alert()
        await n.pass_time(minutes=1)
        n.sky.cloud.analyst_changes_sentinel(
            incident.id, status="Closed", classification="Undetermined"
        )
        await n.poll()
        by_hand = await n.post("raised by hand", first.external_id)
        await n.pass_time(minutes=1)
        n.sky.cloud.analyst_changes_sentinel(incident.id, status="New")
        n.sky.cloud.add_sentinel_incident(title="another incident")
        await n.poll()
        assert (await n.health()).error is None
        assert await n.open_alerts() == ["another incident", "raised by hand"]
        (by_hand,) = [one for one in await n.alerts() if one.id == by_hand.id]
        assert by_hand.seen_count == 2
        assert await n.kinds(by_hand) == ["raised", "step", "annotated"]
        await n.pass_time(minutes=1)
        await n.change(Acknowledged(MARA), by_hand)
        await n.write()
        assert n.sky.cloud.sentinel_incidents[incident.id].status == "Active"


async def test_reopening_by_hand_is_refused_while_another_alert_has_the_key(database: str) -> None:
    """And it undoes nothing of the answers that were given together with it."""
    async with scripted(database, Script()) as n:
        twice = [await _closed(n, "k") for _ in range(2)]
        other = await _closed(n, None)
        refs = [AlertRef(1, alert.id) for alert in (*twice, other)]
        one, two, three = await change_many(n.world, refs, Reopened(MARA))
        assert isinstance(one.outcome, Changed)
        assert isinstance(two.outcome, Refused)
        assert isinstance(three.outcome, Changed)
        again = await n.change(Reopened(MARA), twice[1])
        assert isinstance(again.outcome, Refused)
        assert f"#{twice[0].number}" in again.outcome.reason
        assert len([a for a in await n.alerts() if a.status is Status.OPEN]) == 2


async def test_a_reopen_that_loses_the_race_for_its_key_is_told_so(database: str) -> None:
    async with scripted(database, Script()) as n:
        closed = await _closed(n, "k")
        await n.post("raised anew", "k")
        again = alerts.Saved(replace(closed, status=Status.OPEN), ())
        with pytest.raises(alerts.KeyTaken):
            async with n.world.database.transaction() as connection:
                await alerts.save(connection, [again], NOW)


async def test_an_object_that_cannot_be_stored_loses_no_other_and_is_named(database: str) -> None:
    bad = replace(remote("bad"), title="no database takes \x00")
    script = Script()
    async with scripted(database, script) as n:
        script.show(remote("one"), bad, remote("two"))
        await n.poll()
        assert await n.open_alerts() == ["incident one", "incident two"]
        health = await n.health()
        assert "bad" in (health.error or "")
        assert health.watermark is None, "it never passes what was not stored"
        assert await n.leased("poll") == 0
        script.show(remote("one"), remote("bad"), remote("two"))
        await n.poll()
        assert len(await n.open_alerts()) == 3
        assert (await n.health()).error is None


async def test_a_source_that_breaks_in_mid_scan_is_settled_and_tried_with_longer_pauses(
    database: str,
) -> None:
    async def breaks() -> None:
        raise KeyError("value")

    script = Script(reading=breaks)
    async with scripted(database, script) as n:
        for failures in (1, 2, 3):
            await n.poll()
            health = await n.health()
            assert "KeyError" in (health.error or "")
            assert health.failures == failures
            assert health.run_at == n.clock.now() + timedelta(seconds=30) * 2 ** (failures - 1)
            assert await n.leased("poll") == 0
        script.reading = None
        await n.poll()
        assert (await n.health()).error is None


@pytest.mark.parametrize(
    "fault",
    [
        ValueError("tenant_id is no tenant"),
        SecretMissingError("TOCSIN_SECRET is not set: set it"),
        ImportError("no module named msal"),
        KeyError("surprise"),
    ],
)
async def test_a_source_that_does_not_start_says_what_it_takes(
    database: str, fault: Exception
) -> None:
    script = Script()
    script.show(remote("one"))
    async with scripted(database, script) as n:
        await n.poll()
        await n.change(Acknowledged(MARA))
        script.made = _raising(fault)
        await n.sources.close()
        n.sources = type(n.sources)(n.world)
        await n.poll()
        await n.poll()
        health = await n.health()
        told = str(fault) if not isinstance(fault, KeyError) else "settings"
        assert type(fault).__name__ in (health.error or "")
        assert told in (health.error or "")
        assert health.failures == 2
        assert health.run_at == n.clock.now() + timedelta(minutes=1)
        assert await n.write() == 1
        (row,) = await n.sql("SELECT state, detail, lease_until FROM remote_write")
        assert (row["state"], row["lease_until"]) == ("pending", None)
        assert type(fault).__name__ in row["detail"]
        script.made = None
        await n.pass_time(minutes=1)
        await n.poll()
        assert await n.write() == 1
        assert script.shown("one").key in {key for key, _ in script.wrote}


async def test_a_source_that_is_not_installed_is_looked_for_every_minute(database: str) -> None:
    async with scripted(database, Script()) as n:
        n.world.plug_ins.sources.clear()  # type: ignore[attr-defined] # a dict in this test
        await n.poll()
        health = await n.health()
        assert "no such source is installed" in (health.error or "")
        assert health.run_at == n.clock.now() + timedelta(minutes=1)


async def test_a_write_in_which_the_source_breaks_is_tried_again(database: str) -> None:
    async def breaks(key: str) -> None:
        raise KeyError(key)

    script = Script()
    script.show(remote("one"))
    async with scripted(database, script) as n:
        await n.poll()
        await n.change(Acknowledged(MARA))
        script.writing = breaks
        await n.write()
        (row,) = await n.sql("SELECT state, detail, lease_until FROM remote_write")
        assert (row["state"], row["lease_until"]) == ("pending", None)
        assert "KeyError" in row["detail"]
        script.writing = None
        await n.pass_time(minutes=1)
        await n.write()
        (row,) = await n.sql("SELECT state FROM remote_write")
        assert row["state"] == "written"


async def test_a_stamp_from_the_future_does_not_hide_what_comes_until_then(database: str) -> None:
    script = Script()
    script.show(remote("ahead", NOW + timedelta(days=30)))
    async with scripted(database, script) as n:
        await n.poll()
        assert (await n.health()).watermark == NOW
        await n.pass_time(minutes=1)
        await n.poll()
        assert script.plans[-1].since == NOW - timedelta(minutes=10)


async def test_a_former_source_is_closed_when_its_last_user_has_ended(database: str) -> None:
    script = Script()
    going, go_on = asyncio.Event(), asyncio.Event()

    async def waits() -> None:
        going.set()
        await go_on.wait()
        assert script.closed == 0, "closed under the hands of a poll"

    script.reading = waits
    async with scripted(database, script) as n:
        polling = asyncio.create_task(n.poll())
        await going.wait()
        await n.run("UPDATE connector SET body = '{\"changed\": true}'")
        async with n.world.database.transaction() as connection:
            row = await connector(connection, 1, 1)
        async with n.sources.open(row):
            pass
        go_on.set()
        await polling
        assert (await n.health()).error is None
        assert script.closed == 1


@pytest.mark.parametrize("newest_first", [True, False])
async def test_of_an_object_that_is_twice_in_a_page_the_newer_one_counts(
    database: str, *, newest_first: bool
) -> None:
    script = Script()
    script.show(remote("one"))
    async with scripted(database, script) as n:
        await n.poll()
        await n.pass_time(minutes=5)
        newer = replace(remote("one", NOW + timedelta(minutes=2)), title="still going on")
        older = remote("one", NOW + timedelta(minutes=1), RemoteStatus.CLOSED)
        script.show(*((newer, older) if newest_first else (older, newer)))
        await n.poll()
        assert await n.open_alerts() == ["still going on"]


async def _closed(n: Watch, key: str | None) -> Alert:
    alert = await n.post("pump", key)
    await n.change(Closed(MARA), alert)
    return alert


def _raising(fault: Exception) -> Callable[[SourceContext], None]:
    def made(_: SourceContext) -> None:
        raise fault

    return made
