"""Applying a file: once, twice, against what was made here, against who depends on it."""

from datetime import datetime, timedelta

import pytest

from tests.actions.configured import NOW, SMALL, execute, select, snapshot, world_on
from tocsin.actions.configure import (
    Choices,
    Editor,
    RefusedError,
    Report,
    apply,
    create,
    delete,
    plan,
    read,
    update,
)
from tocsin.actions.world import World
from tocsin.keys import signing_key_bytes
from tocsin.store import connectors, integrations, people
from tocsin.store.configuration import Kind
from tocsin.store.db import rows
from tocsin.testing.clock import MovableClock

ADA = Editor("ada", admin=True)


def _changed(old: str, new: str) -> str:
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


async def _apply(world: World, text: str, **choices: bool) -> Report:
    return await apply(world, read(text), Choices(**choices))


async def _refused(world: World, text: str, **choices: bool) -> list[str]:
    before = await snapshot(world)
    with pytest.raises(RefusedError) as refused:
        await _apply(world, text, **choices)
    assert await snapshot(world) == before
    return [str(fault) for fault in refused.value.report.refused]


async def test_applying_twice_touches_no_row(database: str) -> None:
    async with world_on(database) as world:
        first = await _apply(world, SMALL)
        rows = await snapshot(world)
        second = await _apply(world, SMALL)
        assert len(first.created) == 14
        assert not second.changes
        assert not second.adopted
        assert await snapshot(world) == rows


async def test_plan_tells_what_apply_does_and_stores_nothing(database: str) -> None:
    async with world_on(database) as world:
        planned = await plan(world, read(SMALL))
        assert not (await snapshot(world))["team"]
        done = await _apply(world, SMALL)
    assert planned.created == done.created
    assert [duty.user_name for duty in planned.duty_after] == ["jonas"]
    assert planned.duty_before == ()


async def test_a_change_names_its_keys_and_who_is_on_duty_before_and_after(database: str) -> None:
    async with world_on(database) as world:
        await _apply(world, SMALL)
        report = await _apply(
            world, _changed("participants: [mara, jonas]", "participants: [mara]")
        )
        version = await select(world, "SELECT version FROM team")
    assert [str(line) for line in report.changed] == ["schedule soc/primary (rotations)"]
    assert [duty.user_name for duty in report.duty_before] == ["jonas"]
    assert [duty.user_name for duty in report.duty_after] == ["mara"]
    assert version[0]["version"] == 3  # once when it was made, once now


async def test_a_change_leaves_the_past_and_continues_the_running_shift(database: str) -> None:
    async with world_on(database) as world:
        await _apply(world, SMALL)
        assert isinstance(world.clock, MovableClock)
        await world.clock.move(timedelta(hours=1))
        report = await _apply(world, _changed("to: 2026-12-25T09:00", "to: 2026-12-26T09:00"))
        running = await select(
            world, "SELECT lower(during) AS begins FROM shift WHERE during @> $1::timestamptz", NOW
        )
    assert [str(line) for line in report.changed] == [
        "override soc/primary/jonas 2026-12-24T18:00 (to)"
    ]
    assert [row["begins"] for row in running] == [NOW]


async def test_the_order_of_categories_is_kept_and_changed(database: str) -> None:
    lines = SMALL.splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if "noise:" in line)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    async with world_on(database) as world:
        await _apply(world, SMALL)
        report = await _apply(world, "".join(lines))
        names = await select(world, "SELECT name FROM category ORDER BY position")
        again = await plan(world, read("".join(lines)))
    assert [row["name"] for row in names] == ["identity", "noise"]
    assert [str(line) for line in report.changed] == [
        "category soc/identity (order)",
        "category soc/noise (order)",
    ]
    assert not again.changes


async def test_what_the_file_no_longer_names_is_removed(database: str) -> None:
    text = _changed("      noise: {keywords: [test], suppress: true}\n", "")
    async with world_on(database) as world:
        await _apply(world, SMALL)
        report = await _apply(world, text)
        assert [str(line) for line in report.removed] == ["category soc/noise"]
        assert len((await snapshot(world))["category"]) == 1


@pytest.mark.parametrize(
    "text", ["users: {mara: {}}\n", "version: 1\nusers: {mara: {}}\n", "teams: {}\n"]
)
async def test_a_file_without_version_or_team_removes_nothing(database: str, text: str) -> None:
    async with world_on(database) as world:
        await _apply(world, SMALL)
        report = await _apply(world, text)
    assert report.removed == ()


async def test_what_was_made_here_is_kept_and_listed(database: str) -> None:
    body = {"team": "soc", "name": "here", "keywords": ["x"]}
    async with world_on(database) as world:
        await _apply(world, SMALL)
        await create(world, Kind.CATEGORY, body, ADA)
        report = await _apply(world, SMALL)
        assert len((await snapshot(world))["category"]) == 3
    assert [str(line) for line in report.kept] == ["category soc/here"]
    assert not report.changes


async def test_what_was_made_here_and_is_named_belongs_to_the_file(database: str) -> None:
    text = SMALL.replace("    integrations:\n", "      here: {keywords: [x]}\n    integrations:\n")
    async with world_on(database) as world:
        await _apply(world, SMALL)
        await create(world, Kind.CATEGORY, {"team": "soc", "name": "here", "keywords": ["x"]}, ADA)
        adopted = await _apply(world, text)
        removed = await _apply(world, SMALL)
    assert [str(line) for line in adopted.adopted] == ["category soc/here"]
    assert [str(line) for line in removed.removed] == ["category soc/here"]


async def test_an_edit_made_here_is_put_back_only_by_overwrite(database: str) -> None:
    async with world_on(database) as world:
        await _apply(world, SMALL)
        await update(world, Kind.CATEGORY, "noise", {"keywords": ["other"]}, ADA)
        planned = await plan(world, read(SMALL))
        (fault,) = await _refused(world, SMALL)
        report = await _apply(world, SMALL, overwrite=True)
        again = await _apply(world, SMALL)
    assert "changed here by ada at 2026-11-24 07:00 UTC" in str(planned.changed[0])
    assert fault.startswith("line 31: teams.soc.categories.noise: changed here by ada at 2026-11")
    assert [line.what for line in report.changed] == ["category soc/noise"]
    assert not again.changes


async def test_an_edit_made_here_that_the_file_takes_over_is_no_conflict(database: str) -> None:
    async with world_on(database) as world:
        await _apply(world, SMALL)
        await update(world, Kind.CATEGORY, "noise", {"keywords": ["other"]}, ADA)
        report = await _apply(world, _changed("keywords: [test]", "keywords: [other]"))
    assert [str(line) for line in report.adopted] == ["category soc/noise"]


async def test_an_edited_object_goes_only_by_overwrite(database: str) -> None:
    text = _changed("      noise: {keywords: [test], suppress: true}\n", "")
    async with world_on(database) as world:
        await _apply(world, SMALL)
        await update(world, Kind.CATEGORY, "noise", {"keywords": ["other"]}, ADA)
        (fault,) = await _refused(world, text)
        assert "changed here by ada" in fault
        assert (await _apply(world, text, overwrite=True)).removed


async def test_what_was_made_here_and_refers_to_what_goes_is_named(database: str) -> None:
    body = {"team": "soc", "name": "here", "keywords": ["x"], "policy": "night"}
    policy = "      night: {steps: [{notify: [{duty: 1}], wait: 1m}]}\n    categories:\n"
    async with world_on(database) as world:
        await _apply(world, SMALL.replace("    categories:\n", policy))
        await create(world, Kind.CATEGORY, body, ADA)
        with pytest.raises(Exception, match=r"teams\.soc\.categories\.here\.policy: there is no"):
            await _apply(world, SMALL)


NOC = """\
version: 1
teams:
  noc: {time_zone: UTC}
"""


async def test_nothing_goes_while_somebody_is_on_duty_by_it(database: str) -> None:
    async with world_on(database) as world:
        await _apply(world, SMALL)
        found = await _refused(world, NOC)
        assert (
            "user jonas: no longer in the file, but on duty in soc: give --prune to remove it"
            in found
        )
        assert any(line.startswith("team soc: ") for line in found)
        assert any(line.startswith("schedule soc/primary: ") for line in found)
        report = await _apply(world, NOC, prune=True)
        assert [row["name"] for row in await select(world, "SELECT name FROM team")] == ["noc"]
    assert len(report.removed) == 14
    assert report.duty_after == ()


async def test_nothing_goes_while_an_alert_needs_it(database: str) -> None:
    text = SMALL[: SMALL.index("    integrations:")]
    async with world_on(database) as world:
        await _apply(world, SMALL)
        await _open_alert(world)
        found = await _refused(world, text)
        (reason,) = found
        assert reason.startswith("integration soc/plant: ")
        assert "open alert 1: give --prune to remove it" in reason
        assert len((await _apply(world, text, prune=True)).removed) == 1
        assert not (await snapshot(world))["address"]


async def test_a_removed_team_leaves_its_alerts_visible_and_quiet(database: str) -> None:
    async with world_on(database) as world:
        await _apply(world, SMALL)
        await _open_alert(world)
        await _apply(world, NOC, prune=True)
        (alert,) = await select(world, "SELECT next_step_at, suppressed FROM alert")
    assert alert["next_step_at"] is None
    assert alert["suppressed"] == "the team was removed"


async def test_an_override_made_here_is_never_compared_nor_removed(database: str) -> None:
    times = {"from": "2026-11-24T06:00Z", "to": "2026-11-24T12:00Z"}
    body = {"team": "soc", "schedule": "primary", "user": "mara", **times}
    async with world_on(database) as world:
        await _apply(world, SMALL)
        await create(world, Kind.OVERRIDE, body, ADA)
        report = await _apply(world, SMALL)
        assert not report.changes
        assert report.kept == ()
        assert [duty.user_name for duty in report.duty_after] == ["mara"]


async def test_an_object_deleted_here_is_made_again(database: str) -> None:
    async with world_on(database) as world:
        await _apply(world, SMALL)
        await delete(world, Kind.CATEGORY, "noise", ADA)
        report = await _apply(world, SMALL)
    assert [str(line) for line in report.created] == ["category soc/noise"]


async def test_a_sender_finds_its_integration_by_the_secret_of_the_file(database: str) -> None:
    async with world_on(database) as world:
        await _apply(world, SMALL)
        await _apply(world, _changed("plant-secret-0001", "plant-secret-0002"))
        async with world.database.transaction() as connection:
            old = await integrations.integration_by_secret(
                connection, world.keys.hash("plant-secret-0001")
            )
            new = await integrations.integration_by_secret(
                connection, world.keys.hash("plant-secret-0002")
            )
            assert new is not None
            sealed = await integrations.sealed_secret(connection, new.team, new.id)
        assert sealed is not None
        opened = world.keys.open(sealed, integrations.seal_context(new.team, new.id))
    assert old is None
    assert (new.name, new.inlet) == ("plant", "signl4")
    assert opened == b"plant-secret-0002"


async def test_two_senders_can_swap_their_secrets(database: str) -> None:
    other = "      other: {inlet: signl4, secret: other-secret-0001}\n"
    swapped = _changed("plant-secret-0001", "other-secret-0001")
    async with world_on(database) as world:
        await _apply(world, SMALL + other)
        text = swapped + other.replace("other-secret-0001", "plant-secret-0001")
        assert len((await _apply(world, text)).changed) == 2


async def test_no_secret_stands_in_a_body(database: str) -> None:
    async with world_on(database) as world:
        await _apply(world, SMALL)
        assert "plant-secret" not in str(await snapshot(world))


async def test_a_webhook_method_gets_a_signing_key_that_stays(database: str) -> None:
    sql = "SELECT id, sealed_key FROM contact_method WHERE channel = 'webhook' ORDER BY id"
    async with world_on(database) as world:
        await _apply(world, SMALL)
        before = await select(world, sql)
        await _apply(world, _changed("phone.example/jonas", "phone.example/other"))
        after = await select(world, sql)
        sealed, row = before[0]["sealed_key"], before[0]["id"]
        key = world.keys.open(sealed, people.seal_context(row)).decode()
    assert len(signing_key_bytes(key)) == 32
    assert [dict(row) for row in before] == [dict(row) for row in after]


CONNECTOR = """\
    connectors:
      sentinel:
        source: microsoft
        mode: graph
        tenant_id: TENANT
        client_id: 44444444-4444-4444-4444-444444444444
        credential: CREDENTIAL
"""


def _connector(credential: str, tenant: str = "one.example") -> str:
    return SMALL + CONNECTOR.replace("TENANT", tenant).replace("CREDENTIAL", credential)


async def test_a_connectors_secret_is_stored_and_bound_to_its_tenant(database: str) -> None:
    async with world_on(database) as world:
        await _apply(world, _connector("{secret: the-secret}"))
        assert not (await _apply(world, _connector("{stored: soc/sentinel}"))).changes
        async with world.database.transaction() as connection:
            (known,) = await rows(connection, "SELECT team_id, id FROM connector")
            row = await connectors.connector(connection, known["team_id"], known["id"])
        assert row is not None
        assert row.sealed_secret is not None
        opened = world.keys.open(row.sealed_secret, connectors.seal_context(row.team, row.id))
        assert opened == b"the-secret"
        assert row.settings["credential"] == {"stored": "soc/sentinel"}
        with pytest.raises(Exception, match="belongs to another tenant or cloud"):
            await _apply(world, _connector("{stored: sentinel}", "two.example"))


async def test_a_new_connector_is_due_at_once(database: str) -> None:
    async with world_on(database) as world:
        await _apply(world, _connector("{secret: the-secret}"))
        assert [row["run_at"] for row in await select(world, "SELECT run_at FROM poll")] == [NOW]


async def _open_alert(world: World, at: datetime = NOW) -> None:
    await execute(
        world,
        "INSERT INTO alert (team_id, id, number, status, severity, urgency, mode, title,"
        " source_kind, policy, episode, integration_id, next_step_at, created_at, updated_at)"
        " SELECT team_id, gen_random_uuid(), 1, 'open', 'high', 'urgent', 'single', 'x', 'signl4',"
        " '', 1, id, $1, $1, $1 FROM integration",
        at,
    )
