"""Every route of the API, for every role, in the caller's team, a foreign one, and none.

A route without a row here fails. A row says how to call it on something of the team `soc`, and the
least role that it takes there.
"""

import itertools
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from tests.web.stage import NOW, TEAMS, USERS, Stage, public, stage
from tocsin.core import ids
from tocsin.core.access import TABLE, Action, Place, Role
from tocsin.store.db import Connection, rows, run
from tocsin.web.api import May
from tocsin.web.server import Web

ROLES = {"vera": Role.VIEWER, "mara": Role.USER, "sam": Role.SCHEDULER, "ada": Role.TEAM_ADMIN}
DENIED = {403, 404}


@dataclass(frozen=True)
class Row:
    """`query` and `body` may hold `{team}` and the like; `least` is None where all may call.

    `later`: to whoever may call it, it answers 501 in this version.
    """

    action: Action
    least: Role | None
    query: str = ""
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    later: bool = False


def _later(path: str) -> dict[str, Row]:
    calls = [f"{method} /{path}" for method in ("GET", "POST")]
    calls += [f"{method} /{path}/{{given}}" for method in ("GET", "PATCH", "DELETE")]
    return {call: Row(Action.READ_TEAM_CONFIGURATION, None, later=True) for call in calls}


def _answers() -> dict[str, Row]:
    bodies: dict[str, dict[str, Any]] = {
        "snooze": {"until": "2026-11-24T09:00:00Z"},
        "annotate": {"comment": "x"},
        "reassign": {"user": "{member}"},
        "add-responders": {"user": "{member}"},
    }
    verbs = (
        "acknowledge", "unacknowledge", "take-over", "close", "reopen", "escalate", "annotate",
        "snooze", "reassign", "add-responders",
    )  # fmt: skip
    return {
        f"POST /alerts/{{alert_id}}/{verb}": Row(
            Action.CHANGE_ALERTS, Role.USER, body=bodies.get(verb, {})
        )
        for verb in verbs
    }


def _crud(path: str, read: Action, write: Action, body: dict[str, Any]) -> dict[str, Row]:
    least = TABLE[write].least
    return {
        f"GET /{path}": Row(read, None),
        f"POST /{path}": Row(write, least, body=body),
        f"GET /{path}/{{given}}": Row(read, Role.VIEWER),
        f"PATCH /{path}/{{given}}": Row(write, least),
        f"DELETE /{path}/{{given}}": Row(write, least),
    }


def _offers() -> dict[str, Row]:
    part = {"schedule": "primary", "from": "2026-12-01T08:00:00Z", "to": "2026-12-02T08:00:00Z"}
    bodies: dict[str, dict[str, Any]] = {
        "swaps": {"team": "{team}", **part, "with": "{member}", "back": part},
        "cover-requests": {"team": "{team}", **part},
    }
    found: dict[str, Row] = {}
    for path, body in bodies.items():
        found[f"GET /{path}"] = Row(Action.READ_DUTY, Role.VIEWER, "team={team}")
        found[f"POST /{path}"] = Row(Action.SWAP, Role.USER, body=body)
        found[f"GET /{path}/{{given}}"] = Row(Action.READ_DUTY, Role.VIEWER)
        for verb in ("accept", "decline", "withdraw"):
            if (path, verb) != ("cover-requests", "decline"):
                found[f"POST /{path}/{{given}}/{verb}"] = Row(Action.SWAP, Role.USER)
    return found


READ, WRITE = Action.READ_TEAM_CONFIGURATION, Action.WRITE_TEAM_CONFIGURATION
SPAN = {"from": "2026-11-24T00:00:00Z", "to": "2026-11-25T00:00:00Z"}
ROUTES: dict[str, Row] = {
    "GET /alerts": Row(Action.READ_ALERTS, Role.VIEWER, "team={team}"),
    "POST /alerts": Row(
        Action.RAISE_ALERTS, Role.USER, body={"team": "{team}", "title": "by hand"}
    ),
    "GET /alerts/{alert_id}": Row(Action.READ_ALERTS, Role.VIEWER),
    "GET /alerts/{alert_id}/timeline": Row(Action.READ_ALERTS, Role.VIEWER),
    "GET /alerts/{alert_id}/notifications": Row(Action.READ_ALERTS, Role.VIEWER),
    "POST /alerts/acknowledge": Row(Action.CHANGE_ALERTS, Role.USER, body={"ids": ["{alert}"]}),
    "POST /alerts/close": Row(Action.CHANGE_ALERTS, Role.USER, body={"ids": ["{alert}"]}),
    **_answers(),
    "GET /alerts/{alert_id}/preview": Row(Action.READ_ALERTS, Role.VIEWER),
    "GET /preview": Row(Action.FORESEE, Role.VIEWER, "team={team}"),
    "GET /duty": Row(Action.READ_DUTY, Role.VIEWER, "team={team}"),
    "POST /duty/punch-in": Row(Action.PUNCH, Role.USER, body={"team": "{team}"}),
    "POST /duty/punch-out": Row(Action.PUNCH, Role.USER, body={"team": "{team}"}),
    "POST /duty/take-over": Row(Action.PUNCH, Role.USER, body={"team": "{team}"}),
    "POST /duty/hand-over": Row(Action.PUNCH, Role.USER, body={"team": "{team}", "to": "{member}"}),
    **_offers(),
    "GET /schedules/{given}/shifts": Row(READ, Role.VIEWER),
    "POST /schedules/{given}/preview": Row(READ, Role.VIEWER, body={"definition": {}, **SPAN}),
    "POST /schedules/preview": Row(
        Action.PREVIEW,
        None,
        body={"definition": {"time_zone": "UTC", "schedules": {}}, **SPAN},
    ),
    "POST /schedules/{given}/import": Row(Action.WRITE_SCHEDULES, Role.SCHEDULER),
    "GET /calendars": Row(READ, None),
    "POST /calendars": Row(
        Action.WRITE_SCHEDULES,
        Role.SCHEDULER,
        body={
            "team": "{team}",
            "name": "absences",
            "purpose": "time_off",
            "address": "https://calendar.example.org/a.ics",
        },
    ),
    "GET /calendars/{given}": Row(READ, Role.VIEWER),
    "DELETE /calendars/{given}": Row(Action.WRITE_SCHEDULES, Role.SCHEDULER),
    "POST /calendars/{given}/refresh": Row(Action.WRITE_SCHEDULES, Role.SCHEDULER),
    "GET /feeds": Row(Action.READ_OWN, None),
    "POST /feeds": Row(Action.WRITE_OWN, Role.USER),
    "DELETE /feeds/{given}": Row(Action.WRITE_OWN, Role.USER),
    "PUT /teams/{given}/holidays/{year}": Row(
        WRITE, Role.TEAM_ADMIN, body={"days": [{"month": 12, "day": 24}]}
    ),
    "GET /reports/duty-hours": Row(Action.READ_DUTY, Role.VIEWER, "team={team}&month=2026-11"),
    "GET /reports/coverage": Row(Action.READ_DUTY, Role.VIEWER, "team={team}"),
    "GET /reports/fairness": Row(Action.READ_DUTY, Role.VIEWER, "team={team}"),
    "GET /live": Row(Action.FOLLOW_LIVE, None),
    "POST /connectors/{given}/poll": Row(Action.POLL_CONNECTORS, Role.USER),
    **_crud("teams", READ, Action.WRITE_TEAMS, {"name": "new", "time_zone": "UTC"}),
    "PATCH /teams/{given}": Row(WRITE, Role.TEAM_ADMIN),
    **_crud("users", Action.READ_USERS, Action.WRITE_USERS, {"name": "new"}),
    **_crud(
        "schedules", READ, Action.WRITE_SCHEDULES, {"team": "{team}", "name": "new", "tier": 2}
    ),
    **_crud(
        "overrides",
        READ,
        Action.WRITE_SCHEDULES,
        {
            "team": "{team}",
            "schedule": "primary",
            "user": "ada",
            "from": "2026-12-24T18:00",
            "to": "2026-12-25T09:00",
        },
    ),
    **_crud(
        "escalation-policies",
        READ,
        WRITE,
        {"team": "{team}", "name": "new", "steps": [{"notify": [{"duty": 1}], "wait": "2m"}]},
    ),
    **_crud("integrations", READ, WRITE, {"team": "{team}", "name": "new", "inlet": "signl4"}),
    **_crud("categories", READ, WRITE, {"team": "{team}", "name": "new", "keywords": ["x"]}),
    **_crud(
        "maintenance-windows",
        READ,
        WRITE,
        {
            "team": "{team}",
            "name": "new",
            "from": "2026-12-24T18:00",
            "to": "2026-12-25T09:00",
            "reason": "x",
        },
    ),
    **_crud("connectors", READ, WRITE, {"team": "{team}", "name": "new", "source": "microsoft"}),
    **_crud(
        "contact-methods",
        Action.READ_OWN,
        Action.WRITE_OWN,
        {"user": "mara", "name": "mail", "channel": "email", "address": "mara@example.org"},
    ),
    **_crud(
        "notification-rules",
        Action.READ_OWN,
        Action.WRITE_OWN,
        {"user": "mara", "urgency": "normal", "via": "phone", "after": "1m"},
    ),
    "POST /contact-methods/{given}/rotate-key": Row(Action.WRITE_OWN, Role.USER),
    "GET /tokens": Row(Action.READ_OWN, None),
    "POST /tokens": Row(Action.WRITE_OWN, Role.USER, body={"scope": "read"}),
    "DELETE /tokens/{given}": Row(Action.WRITE_OWN, Role.USER),
    **_later("webhooks"),
}


def routes(web: Web) -> dict[str, APIRoute]:
    """Every route of the API; nothing else may hang on it."""
    found: dict[str, APIRoute] = {}
    for route in web.api.routes:
        if getattr(route, "path", "") == "/openapi.json":
            continue
        assert isinstance(route, APIRoute), route
        for method in route.methods or ():
            name = f"{method} {route.path}"
            assert name not in found, f"{name} stands twice"
            found[name] = route
    return found


def declared(dependant: Dependant) -> list[Action]:
    """The actions that a route declares, which must be exactly one."""
    return [one.call.action for one in dependant.dependencies if isinstance(one.call, May)]


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


async def test_every_route_has_a_row_and_declares_its_action_once(doors: Stage) -> None:
    found = routes(doors.web)
    assert set(found) == set(ROUTES)
    wrong = {
        name: declared(route.dependant)
        for name, route in found.items()
        if declared(route.dependant) != [ROUTES[name].action]
    }
    assert wrong == {}


async def test_the_roles_of_the_rows_are_those_of_the_policy_table() -> None:
    for name, row in ROUTES.items():
        if row.least is not None:
            assert row.least is TABLE[row.action].least, name


async def test_nothing_of_the_api_answers_without_a_token(doors: Stage) -> None:
    made = await targets(doors, "soc")
    async with doors.client() as web:
        for name, row in ROUTES.items():
            assert (await called(web, name, row, made)).status_code == 401, name


async def test_a_read_token_changes_nothing(doors: Stage) -> None:
    made = await targets(doors, "soc")
    token = await doors.token("root", "read")
    before = await everything(doors)
    async with doors.client(token=token) as web:
        for name, row in ROUTES.items():
            if row.least not in {None, Role.VIEWER}:
                assert (await called(web, name, row, made)).status_code in DENIED, name
    assert await everything(doors) == before


KINDS = sorted({name.split("/")[1] for name in ROUTES} - {"live"})  # a stream, never read here


@pytest.mark.parametrize("kind", KINDS)
async def test_a_route_answers_those_who_may_and_nobody_else(doors: Stage, kind: str) -> None:
    names = [name for name in ROUTES if name.split("/")[1] == kind]
    for name, team, user in itertools.product(names, TEAMS, (*ROLES, "nick", "alone", "root")):
        made = await targets(doors, team)
        may = allowed(user, team, name)
        before = None if may else await everything(doors)
        async with doors.client(user) as web:
            answer = await called(web, name, ROUTES[name], made)
        told = f"{name} as {user} on {team}: {answer.status_code} {answer.text[:300]}"
        assert (answer.status_code >= 500) == ROUTES[name].later, told
        if may:
            assert answer.status_code not in {401, 403, 404}, told
            continue
        assert answer.status_code in DENIED, told
        assert await everything(doors) == before, told
        if foreign(user, team, ROUTES[name]):
            assert answer.status_code == 404, told


async def test_what_is_foreign_looks_like_what_does_not_exist(doors: Stage) -> None:
    foreign_alert, absent = await doors.alert("noc"), uuid.UUID(int=7)
    ids_ = (public(foreign_alert), ids.encode(2, absent), ids.encode(1, absent))
    async with doors.client("ada") as web:
        answers = [await web.get(f"/api/v1/alerts/{given}") for given in ids_]
    bodies = [
        {key: str(value).replace(given, "ID") for key, value in answer.json().items()}
        | {"request_id": ""}
        for given, answer in zip(ids_, answers, strict=True)
    ]
    assert bodies[0] == bodies[1] == bodies[2]


def foreign(user: str, team: str, row: Row) -> bool:
    """Whether the thing asked for must look as if it did not exist."""
    return TABLE[row.action].place is Place.TEAM and team not in USERS[user][2] and user != "root"


def allowed(user: str, team: str, name: str) -> bool:
    """What the table says of this caller."""
    row = ROUTES[name]
    if user == "root" or row.least is None:
        return True
    role = Role(USERS[user][1])
    if role.rank < row.least.rank:
        return False
    match TABLE[row.action].place:
        case Place.TEAM:
            return team in USERS[user][2]
        case Place.SELF:  # the things asked for are mara's
            return user == "mara" or name in {"POST /tokens", "POST /feeds"}
        case Place.ANYWHERE:  # the user asked for is mara, of soc
            return "soc" in USERS[user][2]
        case Place.INSTALLATION:
            return True


async def called(
    web: httpx.AsyncClient, name: str, row: Row, made: Mapping[str, str], more: str = ""
) -> httpx.Response:
    """Make the call of a row on what was made for it; `more` is added to its query."""
    method, _, path = name.partition(" ")
    kind = path.split("/")[1]
    path = path.replace("{alert_id}", made["alert"]).replace("{given}", made.get(kind, "x"))
    path = path.replace("{year}", "2027")
    query = row.query.replace("{team}", made["team"])
    body = json.loads(
        json.dumps(dict(row.body))
        .replace('"{team}"', json.dumps(made["team"]))
        .replace('"{alert}"', json.dumps(made["alert"]))
        .replace("{member}", "ada" if made["team"] == "soc" else "nick")
    )
    sends = method in {"POST", "PATCH", "PUT"}
    return await web.request(method, f"/api/v1{path}?{query}{more}", json=body if sends else None)


async def everything(doors: Stage) -> list[Any]:
    """What a call that is refused must leave as it was."""
    parts = " UNION ALL ".join(
        f"SELECT '{table}' AS name, md5(string_agg({row}, ',' ORDER BY {row})) AS sum"
        f" FROM {table} t"
        for table in TABLES
        for row in ("id::text" if table == "api_token" else "t::text",)
    )
    return [dict(row) for row in await doors.rows(parts)]


TABLES = (
    "alert", "timeline", "notification", "team", "app_user", "membership", "contact_method",
    "notification_rule", "schedule", "schedule_override", "escalation_policy", "category",
    "integration", "connector", "maintenance_window", "api_token", "address", "punch", "poll",
    "shift", "calendar", "calendar_entry", "feed", "shift_offer",
)  # fmt: skip

_OFFER = (
    "INSERT INTO shift_offer (team_id, id, kind, schedule_id, user_id, taker_id, during,"
    " back_schedule_id, back_during, made_by, made_at, begins_at) OVERRIDING SYSTEM VALUE VALUES"
    " ($1, $2, $3, 0, $4, $4, '[2026-12-01, 2026-12-02)', 0, '[2026-12-02, 2026-12-03)', 'mara',"
    " '2026-11-24', '2026-12-01')"
)
_numbers = itertools.count(100)


async def targets(doors: Stage, team: str) -> dict[str, str]:
    """Fresh things of a team, and of mara: the id of each by its path."""
    number, owner, mara = next(_numbers), TEAMS[team], USERS["mara"][0]
    made = {"team": team, "teams": team, "users": "mara", "alert": public(await doors.alert(team))}
    body = json.dumps
    things: dict[str, tuple[str, list[tuple[str, object]]]] = {
        "schedules": ("schedule", [("name", f"s{number}"), ("tier", "1"), ("body", "{}")]),
        "overrides": (
            "schedule_override",
            [
                ("schedule_id", number),
                (
                    "body",
                    body({"user": "ada", "from": "2026-12-24T18:00", "to": "2026-12-25T09:00"}),
                ),
            ],
        ),
        "escalation-policies": (
            "escalation_policy",
            [("name", f"p{number}"), ("body", body({"steps": []}))],
        ),
        "integrations": (
            "integration",
            [
                ("name", f"i{number}"),
                ("inlet", "signl4"),
                ("sealed_secret", b"x"),
                ("body", body({"inlet": "signl4"})),
            ],
        ),
        "categories": ("category", [("name", f"c{number}"), ("body", "{}")]),
        "connectors": (
            "connector",
            [
                ("name", f"k{number}"),
                ("source", "microsoft"),
                ("body", body({"source": "microsoft"})),
            ],
        ),
    }
    things["calendars"] = (
        "calendar",
        [
            ("name", f"a{number}"),
            ("purpose", "time_off"),
            ("origin", "api"),
            ("made_by", "sam"),
            ("made_at", NOW),
        ],
    )
    method = body({"channel": "webhook", "address": "http://127.0.0.1:9/"})
    token = await doors.token("mara", "read")
    async with doors.world.database.transaction() as connection:
        for path, (table, columns) in things.items():
            await _insert(connection, table, [("team_id", owner), ("id", number), *columns])
            made[path] = ids.encode(owner, number)
        await _insert(
            connection,
            "contact_method",
            [
                ("id", number), ("user_id", mara), ("name", f"m{number}"), ("channel", "webhook"),
                ("address", "http://127.0.0.1:9/"), ("body", method),
            ],
        )  # fmt: skip
        await _insert(
            connection,
            "notification_rule",
            [
                ("id", number), ("user_id", mara), ("urgency", "urgent"), ("position", number),
                ("body", body({"via": "phone", "after": "0s"})),
            ],
        )  # fmt: skip
        window = body({"team": team, "from": "2026-12-24", "to": "2026-12-25", "reason": "x"})
        await _insert(
            connection,
            "maintenance_window",
            [("id", number), ("name", f"w{number}"), ("team_id", owner), ("body", window)],
        )
        made["maintenance-windows"] = ids.encode(0, number)
        await _insert(
            connection,
            "feed",
            [
                ("id", number), ("hash", str(number).encode()), ("name", "x"), ("kind", "user"),
                ("owner_id", mara), ("made_at", NOW),
            ],
        )  # fmt: skip
        made["feeds"] = ids.encode(0, number)
        # Both sides are one member, so that everybody of the team who may, may; it has no effect.
        member = mara if team == "soc" else USERS["nick"][0]
        for path, kind, row in (
            ("swaps", "swap", 2 * number),
            ("cover-requests", "cover", 2 * number + 1),
        ):
            made[path] = ids.encode(owner, row)
            await run(connection, _OFFER, owner, row, kind, member)
        hashed = doors.world.keys.hash(token)
        found = await rows(connection, "SELECT id FROM api_token WHERE hash = $1", hashed)
    made["tokens"] = ids.encode(0, found[0]["id"])
    return made | dict.fromkeys(("contact-methods", "notification-rules"), ids.encode(0, number))


async def _insert(connection: Connection, table: str, columns: list[tuple[str, object]]) -> None:
    names = ", ".join(name for name, _ in columns)
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    over = " OVERRIDING SYSTEM VALUE" if columns[0][0] == "team_id" else ""
    sql = f"INSERT INTO {table} ({names}){over} VALUES ({places})"
    await run(connection, sql, *(value for _, value in columns))
