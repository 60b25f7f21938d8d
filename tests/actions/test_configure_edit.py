"""Objects made, changed and removed by UI and API, under the rules of the file."""

from collections.abc import Mapping
from datetime import timedelta

import anyio
import pytest

from tests.actions.configured import NOW, SMALL, execute, select, snapshot, world_on
from tests.actions.test_configure_apply import CONNECTOR
from tocsin.actions.configure import (
    RESOURCES,
    ConfigureError,
    ConflictError,
    Editor,
    NotFoundError,
    apply,
    create,
    create_token,
    delete,
    delete_token,
    read,
    rotate_key,
    show,
    show_all,
    show_tokens,
    update,
)
from tocsin.actions.world import World
from tocsin.core import ids
from tocsin.core.access import Scope
from tocsin.keys import token_is_wellformed
from tocsin.store import people
from tocsin.store.configuration import Kind

ADA = Editor("ada", admin=True)
TIM = Editor("tim")

BODIES: Mapping[str, Mapping[str, object]] = {
    "teams": {"name": "noc", "display_name": "NOC", "time_zone": "UTC"},
    "users": {"name": "eve", "display_name": "Eve", "email": "eve@example.org"},
    "contact-methods": {
        "user": "jonas", "name": "mail", "channel": "email", "address": "j@example.org",
    },
    "notification-rules": {"user": "mara", "urgency": "urgent", "after": "5m", "via": "mail"},
    "schedules": {
        "team": "soc", "name": "backup", "tier": 2,
        "rotations": [{"participants": ["mara"], "start": "2026-11-02T09:00"}],
    },
    "overrides": {
        "team": "soc", "schedule": "primary", "replaces": "jonas",
        "from": "2026-11-24T06:00Z", "to": "2026-11-24T08:00Z",
    },
    "escalation-policies": {
        "team": "soc", "name": "night", "steps": [{"notify": [{"user": "mara"}], "wait": "5m"}],
    },
    "integrations": {"team": "soc", "name": "lab", "inlet": "signl4"},
    "categories": {"team": "soc", "name": "malware", "keywords": ["malware"]},
    "connectors": {
        "team": "soc", "name": "graph", "source": "microsoft", "mode": "graph",
        "tenant_id": "one.example", "client_id": "44444444-4444-4444-4444-444444444444",
        "credential": {"secret": "entered-here"},
    },
    "maintenance-windows": {
        "team": "soc", "name": "patching", "from": "2026-11-24T06:00", "to": "2026-11-24T08:00",
        "integration": "plant", "reason": "new disks",
    },
}  # fmt: skip


def test_every_resource_is_tried() -> None:
    assert set(BODIES) == set(RESOURCES)


@pytest.mark.parametrize("resource", RESOURCES)
async def test_an_object_is_made_found_listed_and_removed(database: str, resource: str) -> None:
    kind = RESOURCES[resource]
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        before = await snapshot(world)
        made = await create(world, kind, BODIES[resource], ADA)
        found = await show(world, kind, str(made["id"]))
        listed = await show_all(world, kind)
        assert found in listed
        assert found["changed_by"] == "ada"
        assert found["from_file"] is False
        for key in ("team", "user", "schedule", "display_name"):
            assert found.get(key) == BODIES[resource].get(key)
        with pytest.raises(NotFoundError):
            await show(world, kind, ids.encode(77, 77))
        await delete(world, kind, str(made["id"]), ADA, force=True)
        after = await snapshot(world)
    assert {name: len(rows) for name, rows in after.items()} == {
        name: len(rows) for name, rows in before.items()
    }


@pytest.mark.parametrize("resource", RESOURCES)
async def test_unknown_keys_are_refused(database: str, resource: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(ConfigureError) as refused:
            await create(world, RESOURCES[resource], {**BODIES[resource], "nonsense": 1}, ADA)
    assert [fault.path for fault in refused.value.faults] == [("nonsense",)]


@pytest.mark.parametrize(
    ("resource", "nested"),
    [
        ("users", {"contact_methods": {"phone": {"channel": "email", "address": "a@example.org"}}}),
        ("teams", {"schedules": {}, "categories": {}}),
        ("schedules", {"overrides": []}),
    ],
)
async def test_objects_inside_a_body_are_refused_and_not_dropped(
    database: str, resource: str, nested: dict[str, object]
) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(ConfigureError) as refused:
            await create(world, RESOURCES[resource], {**BODIES[resource], **nested}, ADA)
    assert [fault.path for fault in refused.value.faults] == [(key,) for key in sorted(nested)]


async def test_limits_and_quiet_hours_are_kept_and_checked(database: str) -> None:
    quiet = [{"days": ["mon", "tue"], "from": "22:00", "to": "07:00"}]
    user = {**BODIES["users"], "quiet_hours": quiet}
    method = {**BODIES["contact-methods"], "limits": {"per_minute": 5}}
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        assert (await create(world, Kind.USER, user, ADA))["quiet_hours"] == quiet
        assert (await create(world, Kind.METHOD, method, ADA))["limits"] == {"per_minute": 5}
        bad = {**method, "name": "other", "limits": {"per_minute": 0}}
        with pytest.raises(ConfigureError) as refused:
            await create(world, Kind.METHOD, bad, ADA)
    assert [fault.path for fault in refused.value.faults] == [("limits", "per_minute")]


async def test_a_fault_is_placed_inside_the_body(database: str) -> None:
    body = {"team": "soc", "name": "x", "steps": [{"notify": [{"user": "eve"}], "wait": "5m"}]}
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(ConfigureError) as refused:
            await create(world, Kind.POLICY, body, ADA)
    assert [fault.path for fault in refused.value.faults] == [("steps", 0, "notify", 0, "user")]


async def test_an_old_fault_elsewhere_does_not_stand_in_the_way(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        await execute(world, "UPDATE category SET body = '{\"colour\": 1}' WHERE name = 'noise'")
        await create(world, Kind.CATEGORY, BODIES["categories"], ADA)


async def test_a_change_keeps_what_it_does_not_name(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        await update(world, Kind.CATEGORY, "noise", {"color": "#fff"}, ADA)
        await update(world, Kind.CATEGORY, "noise", {"suppress": None, "match": "all"}, ADA)
        found = await show(world, Kind.CATEGORY, "noise")
        user = await update(world, Kind.USER, "mara", {"display_name": "M"}, ADA)
    assert {key: found.get(key) for key in ("keywords", "match", "color", "suppress")} == {
        "keywords": ["test"],
        "match": "all",
        "color": "#fff",
        "suppress": None,
    }
    assert (user["name"], user["display_name"]) == ("mara", "M")


async def test_names_and_owners_cannot_be_changed(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(ConfigureError, match="name: it is 'noise' and cannot be changed"):
            await update(world, Kind.CATEGORY, "noise", {"name": "other"}, ADA)


async def test_a_taken_name_and_an_unknown_owner_are_refused(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(ConflictError, match="category soc/noise is there already"):
            await create(world, Kind.CATEGORY, {"team": "soc", "name": "noise"}, ADA)
        with pytest.raises(NotFoundError, match="there is no team 'noc'"):
            await create(world, Kind.CATEGORY, {"team": "noc", "name": "noise"}, ADA)
        with pytest.raises(ConfigureError, match="team: give a text"):
            await create(world, Kind.CATEGORY, {"name": "noise"}, ADA)


async def test_a_name_of_several_teams_is_a_conflict_that_names_them(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        await create(world, Kind.TEAM, BODIES["teams"], ADA)
        await create(world, Kind.CATEGORY, {"team": "noc", "name": "noise"}, ADA)
        with pytest.raises(ConflictError) as refused:
            await show(world, Kind.CATEGORY, "noise")
        assert (await show(world, Kind.CATEGORY, "noise", within="noc"))["team"] == "noc"
    assert set(refused.value.candidates) == {"soc/noise", "noc/noise"}


async def test_what_others_refer_to_is_not_removed(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(ConflictError, match=r"teams\.soc\.integrations\.plant refers to it"):
            await delete(world, Kind.POLICY, "default", ADA, force=True)
        with pytest.raises(ConflictError, match=r"teams\.soc\.members\[0\] refers to it"):
            await delete(world, Kind.USER, "mara", ADA)


async def test_rules_close_the_gap_that_a_removed_one_leaves(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        (first, *_) = await show_all(world, Kind.RULE)
        await delete(world, Kind.RULE, str(first["id"]), ADA)
        await create(world, Kind.RULE, {"user": "mara", "urgency": "urgent", "via": "phone"}, ADA)
        assert [(rule["name"], rule["via"]) for rule in await show_all(world, Kind.RULE)] == [
            ("urgent/1", "mail"),
            ("urgent/2", "phone"),
        ]


async def test_a_schedule_with_somebody_on_duty_goes_only_by_force(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(ConflictError, match="jonas is on duty"):
            await delete(world, Kind.SCHEDULE, "primary", ADA)
        await delete(world, Kind.SCHEDULE, "primary", ADA, force=True)
        assert not (await snapshot(world))["shift"]


async def test_an_override_changes_the_duty_at_once_and_its_end_brings_it_back(
    database: str,
) -> None:
    sql = (
        "SELECT u.name FROM shift JOIN app_user u ON u.id = user_id WHERE during @> $1::timestamptz"
    )
    body = {**BODIES["overrides"], "user": "mara"}
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        made = await create(world, Kind.OVERRIDE, body, ADA)
        assert [row["name"] for row in await select(world, sql, NOW)] == ["mara"]
        await delete(world, Kind.OVERRIDE, str(made["id"]), ADA)
        assert [row["name"] for row in await select(world, sql, NOW)] == ["jonas"]


async def test_a_newer_override_made_here_counts_before_an_older_one(database: str) -> None:
    sql = (
        "SELECT u.name FROM shift JOIN app_user u ON u.id = user_id WHERE during @> $1::timestamptz"
    )
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        await create(world, Kind.OVERRIDE, BODIES["overrides"], ADA)
        assert await select(world, sql, NOW) == []
        await create(world, Kind.OVERRIDE, {**BODIES["overrides"], "user": "mara"}, ADA)
        assert [row["name"] for row in await select(world, sql, NOW)] == ["mara"]


async def test_a_chosen_sender_secret_is_answered_once(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        made = await create(world, Kind.INTEGRATION, BODIES["integrations"], ADA)
        hashed = world.keys.hash(str(made["secret"]))
        found = await show(world, Kind.INTEGRATION, "lab")
        assert found["secret"] == {"stored": "soc/lab"}
        assert await select(world, "SELECT 1 FROM address WHERE hash = $1", hashed)
        await update(world, Kind.INTEGRATION, "lab", {"secret": "entered-secret-01"}, ADA)
        assert not await select(world, "SELECT 1 FROM address WHERE hash = $1", hashed)


async def test_the_secret_of_another_teams_sender_is_refused(database: str) -> None:
    policy = "{default: {steps: [{notify: [{team: noc}], wait: 1m}]}}"
    noc = f"  noc: {{time_zone: UTC, escalation_policies: {policy}}}\n"
    async with world_on(database) as world:
        await apply(world, read(SMALL + noc))
        body = {"team": "noc", "name": "x", "inlet": "signl4", "secret": "plant-secret-0001"}
        with pytest.raises(ConfigureError, match="has the same secret") as refused:
            await create(world, Kind.INTEGRATION, body, ADA)
    assert refused.value.faults[0].path == ("secret",)


async def test_only_an_admin_refers_to_the_host(database: str) -> None:
    connector = {**BODIES["connectors"], "credential": {"secret_env": "GRAPH_SECRET"}}
    method = {
        "user": "mara", "name": "hook", "channel": "webhook", "address": "https://x.example",
        "signing_key": {"secret_env": "HOOK_SECRET"},
    }  # fmt: skip
    cloud = {"authority": "https://a.example", "graph": "https://g.example"}
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        for kind, body in ((Kind.CONNECTOR, connector), (Kind.METHOD, method)):
            with pytest.raises(ConfigureError, match="only apply or an admin refers to the host"):
                await create(world, kind, body, TIM)
        await create(world, Kind.CONNECTOR, connector, ADA)
        await update(world, Kind.CONNECTOR, "graph", {"poll_every": "1m"}, TIM)
        for change in ({"tenant_id": "two.example"}, {"cloud": cloud}):
            with pytest.raises(ConfigureError, match="only apply or an admin"):
                await update(world, Kind.CONNECTOR, "graph", change, TIM)


async def test_a_stored_secret_goes_to_another_tenant_only_when_given_again(database: str) -> None:
    text = CONNECTOR.replace("TENANT", "one.example").replace("CREDENTIAL", "{secret: hush}")
    async with world_on(database) as world:
        await apply(world, read(SMALL + text))
        with pytest.raises(ConfigureError, match="belongs to another tenant or cloud"):
            await update(world, Kind.CONNECTOR, "sentinel", {"tenant_id": "two.example"}, ADA)
        change = {"tenant_id": "two.example", "credential": {"secret": "new"}}
        await update(world, Kind.CONNECTOR, "sentinel", change, TIM)


async def test_lists_hold_only_what_the_teams_and_users_own(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        (team,) = await select(world, "SELECT id FROM team")
        (mara,) = await select(world, "SELECT id FROM app_user WHERE name = 'mara'")
        assert len(await show_all(world, Kind.CATEGORY, teams=[team["id"]])) == 2
        assert await show_all(world, Kind.CATEGORY, teams=[]) == []
        methods = await show_all(world, Kind.METHOD, users=[mara["id"]])
        assert {method["user"] for method in methods} == {"mara"}
        assert [user["name"] for user in await show_all(world, Kind.USER, users=[mara["id"]])] == [
            "mara"
        ]


async def test_the_guard_decides_before_anything_is_shown_or_changed(database: str) -> None:
    def nobody(team: int | None, user: int | None) -> None:
        raise PermissionError(team, user)

    async with world_on(database) as world:
        await apply(world, read(SMALL))
        before = await snapshot(world)
        for resource, kind in RESOURCES.items():
            with pytest.raises(PermissionError):
                await create(world, kind, BODIES[resource], ADA, guard=nobody)
        with pytest.raises(PermissionError):
            await show(world, Kind.CATEGORY, "noise", guard=nobody)
        with pytest.raises(PermissionError):
            await update(world, Kind.CATEGORY, "noise", {}, ADA, guard=nobody)
        with pytest.raises(PermissionError):
            await delete(world, Kind.CATEGORY, "noise", ADA, guard=nobody)
        assert await snapshot(world) == before


async def test_a_token_is_shown_once_and_its_hash_is_kept(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        expires = NOW + timedelta(days=90)
        made = await create_token(world, "mara", scope=Scope.READ, expires_at=expires)
        token = str(made.pop("token"))
        assert token_is_wellformed(token)
        assert await show_tokens(world) == [made]
        (row,) = await select(world, "SELECT hash, scope, expires_at FROM api_token")
        assert world.keys.matches(token, row["hash"])
        assert (row["scope"], row["expires_at"]) == ("read", expires)
        await delete_token(world, str(made["id"]))
        assert await show_tokens(world) == []
        with pytest.raises(NotFoundError):
            await create_token(world, "nobody")


async def test_a_signing_key_is_changed_and_shown_once(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        key = await rotate_key(world, "mara/phone")
        assert await _signing_key(world) == key
        with pytest.raises(ConflictError, match="has no signing key"):
            await rotate_key(world, "mara/mail")
        assert "whsec_" not in str(await show_all(world, Kind.METHOD))


async def _signing_key(world: World) -> str:
    (row,) = await select(
        world,
        "SELECT m.id, m.sealed_key FROM contact_method m JOIN app_user u ON u.id = m.user_id"
        " WHERE u.name = 'mara' AND m.name = 'phone'",
    )
    return world.keys.open(row["sealed_key"], people.seal_context(row["id"])).decode()


@pytest.mark.parametrize("value", ["\0", "\ud800", 2**64, float("nan"), {"a": {"b": "\0"}}])
async def test_what_cannot_be_stored_is_refused(database: str, value: object) -> None:
    body = {**BODIES["integrations"], "settings": {"x": value}}
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(ConfigureError):
            await create(world, Kind.INTEGRATION, body, ADA)
        with pytest.raises(ConfigureError):
            await create(world, Kind.CATEGORY, {"team": "soc", "name": value}, ADA)


async def test_edits_at_once_are_made_one_after_the_other(database: str) -> None:
    async with world_on(database) as world, anyio.create_task_group() as group:
        await apply(world, read(SMALL))
        for number in range(6):
            body = {
                **BODIES["overrides"],
                "from": f"2026-12-0{number + 1}T06:00Z",
                "to": "2026-12-31",
            }
            group.start_soon(create, world, Kind.OVERRIDE, body, ADA)
    async with world_on(database) as world:
        alike = (
            "SELECT count(*) AS n FROM shift GROUP BY schedule_id, user_id, during ORDER BY 1 DESC"
        )
        assert (await select(world, alike))[0]["n"] == 1
        assert len((await snapshot(world))["schedule_override"]) == 7
