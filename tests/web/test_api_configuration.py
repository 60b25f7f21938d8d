"""The API's calls that make, change and remove what is configured."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.actions.fitting import misfits
from tests.web.stage import NOW, Stage, stage
from tocsin.actions.configure import RESOURCES


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


@pytest.fixture
async def root(doors: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with doors.client("root") as web:
        yield web


MADE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("teams", {"name": "red", "time_zone": "Europe/Berlin"}, {"time_zone": "UTC"}),
    ("users", {"name": "new", "email": "new@example.org"}, {"role": "scheduler"}),
    (
        "contact-methods",
        {"user": "mara", "name": "mail", "channel": "email", "address": "mara@example.org"},
        {"address": "m@example.org"},
    ),
    (
        "notification-rules",
        {"user": "mara", "urgency": "urgent", "via": "phone", "after": "1m"},
        {"after": "2m"},
    ),
    (
        "schedules",
        {
            "team": "soc",
            "name": "second",
            "tier": 2,
            "rotations": [
                {"participants": ["mara", "ada"], "start": "2026-11-02T09:00", "unit": "week"}
            ],
        },
        {"combine": "everybody"},
    ),
    (
        "overrides",
        {
            "team": "soc",
            "schedule": "primary",
            "user": "ada",
            "from": "2026-12-24T18:00",
            "to": "2026-12-25T09:00",
        },
        {"to": "2026-12-25T10:00"},
    ),
    (
        "escalation-policies",
        {"team": "soc", "name": "quick", "steps": [{"notify": [{"duty": 1}], "wait": "1m"}]},
        {"repeat": 2},
    ),
    ("integrations", {"team": "soc", "name": "pump", "inlet": "signl4"}, {"policy": "default"}),
    ("categories", {"team": "soc", "name": "noise", "keywords": ["x"]}, {"suppress": True}),
    (
        "maintenance-windows",
        {
            "team": "soc",
            "name": "patching",
            "from": "2026-12-24T18:00",
            "to": "2026-12-25T09:00",
            "rrule": "FREQ=WEEKLY;BYDAY=TH",
            "match": {"any": [{"field": "title", "contains": "pump"}]},
            "reason": "new disks",
        },
        {"reason": "old disks"},
    ),
]


@pytest.mark.parametrize(("kind", "body", "change"), MADE, ids=[kind for kind, _, _ in MADE])
async def test_an_object_is_made_read_changed_and_removed(
    root: httpx.AsyncClient, kind: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    made = await root.post(f"/api/v1/{kind}", json=body)
    assert made.status_code == 201, made.text
    path = f"/api/v1/{kind}/{made.json()['id']}"
    read = (await root.get(path)).json()
    assert read["name"]
    assert read["id"] in [
        item["id"] for item in (await root.get(f"/api/v1/{kind}")).json()["items"]
    ]
    changed = await root.patch(path, json=change)
    assert changed.status_code == 200, changed.text
    assert change.items() <= changed.json().items()
    assert changed.json()["changed_by"] == "root"
    refused = await root.patch(path, json={"no_such_key": 1})
    assert refused.status_code == 422
    assert refused.json()["faults"][0]["where"] == "no_such_key"
    assert (await root.delete(f"{path}?force=true")).status_code == 204
    assert (await root.get(path)).status_code == 404
    assert (await root.delete(path)).status_code == 404


COMPONENTS = {
    "teams": "Team",
    "users": "User",
    "contact-methods": "ContactMethod",
    "notification-rules": "NotificationRule",
    "schedules": "Schedule",
    "overrides": "Override",
    "escalation-policies": "EscalationPolicy",
    "integrations": "Integration",
    "categories": "Category",
    "connectors": "Connector",
    "maintenance-windows": "MaintenanceWindow",
}


async def _description(web: httpx.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await web.get("/api/v1/openapi.json")).json()
    return document


def _schema(where: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = where["content"]["application/json"]["schema"]
    return content


async def test_the_description_has_the_fields_of_every_kind(root: httpx.AsyncClient) -> None:
    document = await _description(root)
    assert document["openapi"].startswith("3.1")
    assert set(COMPONENTS) == set(RESOURCES)
    for kind, name in COMPONENTS.items():
        reference = {"$ref": f"#/components/schemas/{name}"}
        many, one = document["paths"][f"/{kind}"], document["paths"][f"/{kind}/{{given}}"]
        made, changed = many["post"], one["patch"]
        assert _schema(made["requestBody"])["$ref"] == f"#/components/schemas/New{name}"
        assert _schema(changed["requestBody"])["$ref"] == f"#/components/schemas/{name}Change"
        assert _schema(made["responses"]["201"]) == reference
        assert _schema(changed["responses"]["200"]) == reference
        listed = _schema(many["get"]["responses"]["200"])
        assert listed["properties"]["items"]["items"] == reference
        shown = _schema(one["get"]["responses"]["200"])
        assert reference in (shown, shown.get("allOf", [None])[0])
        for body in (f"New{name}", f"{name}Change"):
            schema = document["components"]["schemas"][body]
            assert len(schema["properties"]) > 2
            assert schema["additionalProperties"] is (kind == "connectors")
        assert document["components"]["schemas"][f"New{name}"]["required"]


@pytest.mark.parametrize(("kind", "body", "change"), MADE, ids=[kind for kind, _, _ in MADE])
async def test_what_calls_take_and_answer_fits_the_description(
    root: httpx.AsyncClient, kind: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    schemas = (await _description(root))["components"]["schemas"]
    name = COMPONENTS[kind]
    assert misfits(body, schemas[f"New{name}"]) == []
    assert misfits(body | {"no_such_key": 1}, schemas[f"New{name}"]) == [
        ".no_such_key: no such key"
    ]
    assert misfits(change, schemas[f"{name}Change"]) == []
    closed = schemas[name] | {"additionalProperties": False}  # nothing is left undescribed
    made = (await root.post(f"/api/v1/{kind}", json=body)).json()
    path = f"/api/v1/{kind}/{made['id']}"
    assert misfits(made, closed) == []
    assert misfits((await root.get(path)).json(), closed) == []
    assert misfits((await root.patch(path, json=change)).json(), closed) == []
    for item in (await root.get(f"/api/v1/{kind}")).json()["items"]:
        assert misfits(item, closed) == []


@pytest.mark.parametrize(("kind", "body", "change"), MADE, ids=[kind for kind, _, _ in MADE])
async def test_what_the_description_requires_is_required(
    root: httpx.AsyncClient, kind: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    del change
    schemas = (await _description(root))["components"]["schemas"]
    for key in schemas[f"New{COMPONENTS[kind]}"]["required"]:
        without = {name: value for name, value in body.items() if name != key}
        assert (await root.post(f"/api/v1/{kind}", json=without)).status_code == 422, key


async def test_what_works_from_a_later_version_is_stored_with_a_warning(
    root: httpx.AsyncClient,
) -> None:
    phone = {"user": "mara", "name": "mobile", "channel": "sms", "address": "+4930123456"}
    for name in ("mobile", "second"):  # each is told, not only the first
        made = await root.post("/api/v1/contact-methods", json=phone | {"name": name})
        assert made.status_code == 201
        assert made.json()["warnings"] == ["channel sms: stored, works from a later version"]
    inlet = {"team": "soc", "name": "prom", "inlet": "grafana"}
    made = await root.post("/api/v1/integrations", json=inlet)
    assert made.json()["warnings"] == ["inlet grafana: stored, works from a later version"]
    changed = await root.patch("/api/v1/categories/identity?team=soc", json={"keywords": ["x"]})
    assert changed.json()["warnings"] == []


async def test_a_name_that_several_teams_have_is_a_409_naming_them(
    doors: Stage, root: httpx.AsyncClient
) -> None:
    ambiguous = await root.get("/api/v1/schedules/primary")
    assert ambiguous.status_code == 409
    assert ambiguous.json()["candidates"] == ["noc/primary", "soc/primary"]
    narrowed = await root.get("/api/v1/schedules/primary?team=noc")
    assert (narrowed.status_code, narrowed.json()["team"]) == (200, "noc")
    async with doors.client("mara") as web:  # who sees one team only has no doubt
        assert (await web.get("/api/v1/schedules/primary")).json()["team"] == "soc"


async def test_a_name_that_is_taken_is_a_409(root: httpx.AsyncClient) -> None:
    body = {"name": "soc", "time_zone": "UTC"}
    assert (await root.post("/api/v1/teams", json=body)).status_code == 409


async def test_a_sender_reaches_a_new_integration_by_the_secret_that_is_shown_once(
    root: httpx.AsyncClient,
) -> None:
    body = {"team": "soc", "name": "pump", "inlet": "signl4"}
    made = (await root.post("/api/v1/integrations", json=body)).json()
    secret = made["secret"]
    assert (await root.post(f"/webhook/{secret}", json={"Title": "x"})).status_code == 201
    shown = await root.get(f"/api/v1/integrations/{made['id']}")
    listed = await root.get("/api/v1/integrations")
    assert secret not in shown.text
    assert secret not in listed.text


async def test_a_team_admin_configures_their_team_and_refers_to_no_host_secret(
    doors: Stage,
) -> None:
    async with doors.client("ada") as web:
        members = {"members": ["mara", {"user": "ada", "role": "team_admin"}]}
        assert (await web.patch("/api/v1/teams/soc", json=members)).status_code == 200
        promoted = {"members": [{"user": "mara", "role": "admin"}]}
        assert (await web.patch("/api/v1/teams/soc", json=promoted)).status_code == 422
        connector = {
            "team": "soc",
            "name": "c",
            "source": "microsoft",
            "credential": {"secret_env": "PATH_SECRET"},
        }
        assert (await web.post("/api/v1/connectors", json=connector)).status_code in {403, 422}
        assert (await web.patch("/api/v1/users/ada", json={"role": "admin"})).status_code == 403


async def test_people_see_their_own_contact_methods_and_those_in_their_teams(doors: Stage) -> None:
    async with doors.client("mara") as web:
        methods = (await web.get("/api/v1/contact-methods")).json()["items"]
        users = (await web.get("/api/v1/users")).json()["items"]
        assert (await web.get("/api/v1/contact-methods/phone")).json()["user"] == "mara"
        assert (await web.get("/api/v1/contact-methods/jonas%2Fphone")).status_code == 404
        assert (await web.get("/api/v1/users/nick")).status_code == 404
    assert {method["user"] for method in methods} == {"mara"}
    assert {user["name"] for user in users} == {"vera", "mara", "sam", "ada", "jonas"}


async def test_a_token_is_shown_once_and_never_does_more_than_its_maker(doors: Stage) -> None:
    async with doors.client("mara") as web:
        made = await web.post("/api/v1/tokens", json={"scope": "read", "expires": "90d"})
        assert made.status_code == 201
        assert made.json()["user"] == "mara"
        token = made.json()["token"]
        assert token not in (await web.get("/api/v1/tokens")).text
        assert (await web.post("/api/v1/tokens", json={"user": "ada"})).status_code == 404
    async with doors.client(token=token) as web:
        assert (await web.get("/api/v1/alerts")).status_code == 200
        assert (await web.post("/api/v1/tokens", json={"scope": "read"})).status_code == 403
        await doors.clock.move(timedelta(days=91))
        assert (await web.get("/api/v1/alerts")).status_code == 401
    async with doors.client(token=await doors.token("ada", "write")) as web:
        assert (await web.post("/api/v1/tokens", json={"scope": "admin"})).status_code == 403
        assert (await web.post("/api/v1/tokens", json={})).status_code == 201
    async with doors.client("root") as web:
        assert (await web.post("/api/v1/tokens", json={"user": "mara"})).status_code == 201
        removed = await web.delete(f"/api/v1/tokens/{made.json()['id']}")
        assert removed.status_code == 204


async def test_a_signing_key_is_shown_once_when_it_is_rotated(doors: Stage) -> None:
    async with doors.client("mara") as web:
        made = await web.post("/api/v1/contact-methods/phone/rotate-key")
        assert made.json()["signing_key"].startswith("whsec_")
        assert made.json()["signing_key"] not in (await web.get("/api/v1/contact-methods")).text


async def test_a_connector_shows_its_state_and_is_polled_when_asked(
    doors: Stage, root: httpx.AsyncClient
) -> None:
    await doors.sql(
        "INSERT INTO connector (team_id, id, name, source, body) OVERRIDING SYSTEM VALUE"
        " VALUES (1, 7, 'sentinel', 'microsoft', $1)",
        '{"source": "microsoft"}',
    )
    shown = (await root.get("/api/v1/connectors/sentinel")).json()
    assert (shown["name"], shown["team"]) == ("sentinel", "soc")
    assert shown["state"]["last_success_at"] is None
    await doors.sql(
        "INSERT INTO poll (team_id, connector_id, run_at, started_at, succeeded_at, watermark,"
        " error) VALUES (1, 7, $1, $2, $2, $2, 'forbidden')",
        NOW + timedelta(minutes=5),
        NOW - timedelta(seconds=90),
    )
    state = (await root.get("/api/v1/connectors/sentinel")).json()["state"]
    assert state["lag_seconds"] == 90
    assert state["last_error"] == "forbidden"
    assert state["pending_writes"] == 0
    polled = await root.post("/api/v1/connectors/sentinel/poll")
    assert polled.status_code == 202
    assert polled.json()["state"]["next_poll_at"] == "2026-11-24T07:00:00Z"
