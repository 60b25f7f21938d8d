"""What plan and apply warn of, and how they name what was made here."""

import pytest

from tests.actions.configured import SMALL, execute, world_on
from tocsin.actions.configure import (
    ConfigureError,
    ConflictError,
    Editor,
    RefusedError,
    apply,
    create,
    plan,
    read,
)
from tocsin.store.configuration import Kind

ADA = Editor("ada", admin=True)
WITHOUT_JONAS = (
    SMALL.replace("  jonas:\n", "")
    .replace(
        '    contact_methods:\n      phone: {channel: webhook, address: "https://phone.example/jonas"}\n',
        "",
    )
    .replace(", {user: jonas, role: team_admin}", "")
    .replace("[mara, jonas]", "[mara]")
    .replace("{user: jonas,", "{user: mara,")
)

PHONE = '{phone: {channel: webhook, address: "http://10.0.0.1/"}}'
PAGE = (
    "INSERT INTO notification (team_id, id, user_id, method_id, purpose, urgency, planned_at,"
    " due_at, next_try_at) SELECT 1, gen_random_uuid(), user_id, id, 'notice', 'normal', now(),"
    " now(), now() FROM contact_method WHERE name = 'mail'"
)


async def _warnings(database: str, text: str, **environment: str) -> tuple[str, ...]:
    async with world_on(database, environment) as world:
        return (await plan(world, read(text))).warnings


async def test_a_file_that_says_all_is_warned_of_nothing(database: str) -> None:
    assert await _warnings(database, SMALL) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SMALL.removeprefix("version: 1\n"), ["without `version: 1` nothing is removed"]),
        ("version: 1\nusers: {}\n", ["without a team nothing is removed"]),
        ("version: 1\nteams: {}\n", ["without a team nothing is removed"]),
        (
            "users: {}\n",
            ["without `version: 1` nothing is removed", "without a team nothing is removed"],
        ),
    ],
)
async def test_a_file_that_removes_nothing_says_so(
    database: str, text: str, told: list[str]
) -> None:
    assert list(await _warnings(database, text)) == told


async def test_an_address_that_pages_cannot_reach_is_warned_of(database: str) -> None:
    text = SMALL.replace("https://phone.example/mara", "http://127.0.0.1:9/mara")
    (told,) = await _warnings(database, text)
    assert told == (
        "pages are not sent to addresses that are not public: users.mara.contact_methods.phone "
        "(127.0.0.1): put their networks into TOCSIN_ALLOW_PRIVATE_TARGETS where serve runs"
    )
    many = "".join(f"  u{n}: {{contact_methods: {PHONE}}}\n" for n in range(7))
    (told,) = await _warnings(database, SMALL.replace("teams:\n", f"{many}teams:\n", 1))
    assert "users.u4.contact_methods.phone (10.0.0.1) and 2 more: put" in told
    off = text.replace('127.0.0.1:9/mara"', '127.0.0.1:9/mara", enabled: false').replace(
        "{after: 0s, via: phone, repeat_every: 30s}", "{after: 0s, via: mail}"
    )
    assert await _warnings(database, off) == ()


async def test_a_variable_or_file_is_missing_where_the_command_runs(database: str) -> None:
    text = SMALL.replace('mara"}', 'mara", signing_key: {secret_env: PHONE_SECRET}}', 1)
    (told,) = await _warnings(database, text)
    assert told == (
        "users.mara.contact_methods.phone.signing_key: the environment variable PHONE_SECRET is "
        "not set where this command runs; serve reads it where it runs"
    )
    assert await _warnings(database, text, PHONE_SECRET="whsec_AAAA") == ()


async def test_a_team_made_here_that_needs_a_user_of_the_file_is_named(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        body = {"name": "api", "time_zone": "UTC", "members": ["jonas"]}
        await create(world, Kind.TEAM, body, ADA)
        with pytest.raises(ConfigureError) as refused:
            await apply(world, read(WITHOUT_JONAS))
    (fault,) = map(str, refused.value.faults)
    assert fault.startswith(
        "team api: it was made here and would refer to nothing: teams.api.members[0]: there is "
        "no user 'jonas'"
    )


async def test_a_name_is_not_said_twice_in_one_fault(database: str) -> None:
    connector = (
        "    connectors:\n      s: {source: microsoft, tenant_id: a.example, client_id: 1,"
        " credential: {managed_identity: true}}\n"
    )
    async with world_on(database) as world:
        with pytest.raises(ConfigureError) as refused:
            await plan(world, read(SMALL + connector))
    (fault,) = map(str, refused.value.faults)
    assert ".client_id: " in fault
    assert "client_id: client_id:" not in fault


async def test_sentences_hold_for_every_kind_and_number(database: str) -> None:
    body = {"team": "soc", "name": "default", "steps": [{"notify": [{"duty": 1}], "wait": "1m"}]}
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(ConflictError, match=r"^escalation policy soc/default is there already"):
            await create(world, Kind.POLICY, body, ADA)
        await execute(world, PAGE)
        renamed = SMALL.replace("mail: {channel", "post: {channel").replace(
            "via: mail", "via: post"
        )
        with pytest.raises(RefusedError, match="but 1 page is on its way: give --prune"):
            await apply(world, read(renamed))
        await execute(world, PAGE)
        with pytest.raises(RefusedError, match="but 2 pages are on their way: give --prune"):
            await apply(world, read(renamed))
