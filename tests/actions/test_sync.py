"""A simulated Sentinel and Tocsin agree: nothing lost, nothing twice, nobody overwritten."""

from datetime import timedelta
from pathlib import Path

from tests.actions.syncing import MARA, night
from tests.store.scene import NOW
from tocsin.actions.page import page_due
from tocsin.core.changes import Acknowledged, Annotated, Closed
from tocsin.core.kinds import Severity, Status
from tocsin.store import alerts
from tocsin.store.db import rows, run


async def test_an_incident_is_paged_once_however_often_it_is_read(
    database: str, tmp_path: Path
) -> None:
    async with night(database, tmp_path) as n:
        n.sky.cloud.add_sentinel_incident(title="Impossible travel", severity="High")
        for _ in range(3):
            await n.poll()
            await n.pass_time(minutes=1)
        alert = await n.alert()
        assert (alert.title, alert.severity, alert.status) == (
            "Impossible travel",
            Severity.HIGH,
            Status.OPEN,
        )
        async with n.world.database.transaction() as connection:
            pages = await alerts.notifications(connection, 1, alert.id)
        assert [page["user_name"] for page in pages] == ["mara"]
        assert alert.details["alerts"], "its parts were read after it was paged"


async def test_numbers_are_taken_by_what_arrives_and_not_by_what_is_read_again(
    database: str, tmp_path: Path
) -> None:
    async with night(database, tmp_path) as n:
        for number in (1, 2, 3):
            n.sky.cloud.add_sentinel_incident(title=f"incident {number}")
            await n.poll()
            await n.poll()
            await n.pass_time(minutes=1)
        assert sorted(alert.number for alert in await n.alerts()) == [1, 2, 3]


async def test_the_first_poll_looks_back_a_day_and_no_further(
    database: str, tmp_path: Path
) -> None:
    async with night(database, tmp_path) as n:
        for hours in (25, 23):
            n.sky.cloud.add_sentinel_incident(
                title=f"{hours} hours ago", created=NOW - timedelta(hours=hours)
            )
        await n.poll()
        assert [alert.title for alert in await n.alerts()] == ["23 hours ago"]


async def test_acknowledged_and_closed_here_are_written_there_and_never_come_back_as_news(
    database: str, tmp_path: Path
) -> None:
    async with night(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        await n.pass_time(minutes=1)
        await n.change(Acknowledged(MARA, "on it"))
        assert await n.write() == 1
        incident = n.sky.cloud.sentinel_incidents[incident.id]
        assert incident.status == "Active"
        assert incident.owner is not None
        assert incident.owner.user_principal_name == "mara@example.org"
        assert "Tocsin" in incident.labels
        assert [comment.message for comment in incident.comments] == [
            "Acknowledged in Tocsin by mara: on it"
        ]
        before = await n.kinds()
        for _ in range(10):
            await n.pass_time(minutes=1)
            await n.poll()
        assert await n.kinds() == before
        await n.change(Closed(MARA, "false alarm", "falsePositive"))
        assert await n.write() == 1
        incident = n.sky.cloud.sentinel_incidents[incident.id]
        assert (incident.status, incident.classification) == ("Closed", "FalsePositive")
        closed = await n.kinds()
        for _ in range(3):
            await n.pass_time(minutes=1)
            await n.poll()
        assert await n.kinds() == closed
        assert await n.write() == 0


async def test_the_portal_acknowledges_closes_and_reopens(database: str, tmp_path: Path) -> None:
    async with night(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        await n.pass_time(minutes=1)
        n.sky.cloud.analyst_changes_sentinel(incident.id, status="Active", owner="mara@example.org")
        await n.poll()
        alert = await n.alert()
        assert (alert.status, alert.owner) == (Status.ACKNOWLEDGED, 1)
        await n.pass_time(minutes=1)
        n.sky.cloud.analyst_changes_sentinel(
            incident.id, status="Closed", classification="Undetermined"
        )
        await n.poll()
        assert (await n.alert()).status is Status.CLOSED
        await n.pass_time(minutes=1)
        n.sky.cloud.analyst_changes_sentinel(incident.id, status="New", owner=None)
        await n.poll()
        assert (await n.alert()).status is Status.OPEN
        assert await n.write() == 0, "what the portal did is not written back to it"


async def test_a_closed_incident_is_not_made_active_by_a_late_acknowledgement(
    database: str, tmp_path: Path
) -> None:
    async with night(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        await n.change(Acknowledged(MARA))
        await n.pass_time(minutes=1)
        n.sky.cloud.analyst_changes_sentinel(
            incident.id, status="Closed", classification="Undetermined"
        )
        await n.write()
        assert n.sky.cloud.sentinel_incidents[incident.id].status == "Closed"
        await n.pass_time(minutes=1)
        await n.poll()
        assert (await n.alert()).status is Status.CLOSED


async def test_an_expired_acknowledgement_is_not_acknowledged_again_by_polling_or_a_rescan(
    database: str, tmp_path: Path
) -> None:
    async with night(database, tmp_path) as n:
        n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        async with n.world.database.transaction() as connection:
            await run(
                connection,
                "UPDATE escalation_policy SET body = jsonb_set(body, '{acknowledge_timeout}',"
                " '\"1h\"')",
            )
        await n.poll()
        await n.pass_time(minutes=1)
        await n.change(Acknowledged(MARA))
        await n.write()
        await n.pass_time(minutes=1)
        await n.poll()
        await n.pass_time(hours=1)
        assert await page_due(n.world) == 1
        assert (await n.alert()).status is Status.OPEN
        await n.write()  # the comment that says so
        for minutes in (1, 1, 30):
            await n.pass_time(minutes=minutes)
            await n.poll()
            assert (await n.alert()).status is Status.OPEN


async def test_first_read_in_progress_pages_unless_somebody_owns_it(
    database: str, tmp_path: Path
) -> None:
    async with night(database, tmp_path) as n:
        n.sky.cloud.add_sentinel_incident(title="owned", status="Active", owner="mara@example.org")
        n.sky.cloud.add_sentinel_incident(title="unowned", status="Active")
        await n.poll()
        states = {alert.title: alert.status for alert in await n.alerts()}
        assert states == {"owned": Status.ACKNOWLEDGED, "unowned": Status.OPEN}


async def test_a_poll_that_fails_keeps_its_watermark_and_tells_why(
    database: str, tmp_path: Path
) -> None:
    async with night(database, tmp_path) as n:
        n.sky.cloud.add_sentinel_incident(title="one")
        await n.poll()
        mark = (await n.health()).watermark
        await n.pass_time(minutes=5)
        n.sky.cloud.add_sentinel_incident(title="two")
        n.sky.cloud.faults.add("incidents", "GET", 403, times=1)
        await n.poll()
        failed = await n.health()
        assert failed.watermark == mark
        assert failed.failures == 1
        assert "403" in (failed.error or "")
        await n.poll()
        assert {alert.title for alert in await n.alerts()} == {"one", "two"}
        assert (await n.health()).error is None


async def test_a_write_that_may_have_been_applied_is_written_once(
    database: str, tmp_path: Path
) -> None:
    async with night(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        await n.pass_time(minutes=1)
        await n.change(Acknowledged(MARA))
        n.sky.cloud.faults.add("/comments/", "PUT", "reset_after_apply", times=1)
        await n.write()
        await n.pass_time(minutes=1)
        await n.poll()
        assert (await n.alert()).owner == 1
        await n.write()
        comments = n.sky.cloud.sentinel_incidents[incident.id].comments
        assert len(comments) == 1
        async with n.world.database.transaction() as connection:
            (row,) = await rows(connection, "SELECT state FROM remote_write")
        assert row["state"] == "written"


async def test_an_annotation_becomes_a_comment(database: str, tmp_path: Path) -> None:
    async with night(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Impossible travel")
        await n.poll()
        await n.change(Annotated(MARA, "looked at the sign-ins"))
        await n.write()
        incident = n.sky.cloud.sentinel_incidents[incident.id]
        assert [c.message for c in incident.comments] == ["mara: looked at the sign-ins"]
        assert incident.status == "New"


async def test_a_raised_severity_pages_by_the_louder_rules(database: str, tmp_path: Path) -> None:
    async with night(database, tmp_path) as n:
        incident = n.sky.cloud.add_sentinel_incident(title="Odd sign-in", severity="Medium")
        await n.poll()
        await n.pass_time(minutes=1)
        n.sky.cloud.analyst_changes_sentinel(incident.id, severity="High")
        await n.poll()
        alert = await n.alert()
        assert alert.severity is Severity.HIGH
        async with n.world.database.transaction() as connection:
            pages = await alerts.notifications(connection, 1, alert.id)
        assert [(p["urgency"], p["state"]) for p in pages] == [
            ("normal", "cancelled"),
            ("urgent", "planned"),
        ]
