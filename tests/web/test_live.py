"""Live updates over a real connection."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn

from tests.web.stage import TEAMS, USERS, Stage, public, stage
from tocsin.core.access import Caller, Role
from tocsin.core.event import Event
from tocsin.web.live import QUEUE, Live


@dataclass
class Heard:
    """One event of a stream."""

    kind: str
    id: str | None
    data: dict[str, Any]


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        yield made


@pytest.fixture
async def address(doors: Stage) -> AsyncIterator[str]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(doors.web, log_config=None, access_log=False, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    doors.web.close()
    server.should_exit = True
    async with asyncio.timeout(5):
        await task


@asynccontextmanager
async def listening(
    doors: Stage, address: str, user: str, last: str | None = None
) -> AsyncGenerator[AsyncIterator[Heard]]:
    headers = {"Authorization": f"Bearer {doors.tokens[user]}"}
    if last is not None:
        headers["Last-Event-ID"] = last
    async with (
        httpx.AsyncClient(timeout=10) as web,
        web.stream("GET", f"{address}/api/v1/live", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = heard(answer)
        yield events
        await events.aclose()


async def heard(answer: httpx.Response) -> AsyncGenerator[Heard]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield Heard(fields["event"], fields.get("id"), json.loads(fields["data"]))
            fields = {}
        else:
            fields = {}


async def following(events: AsyncIterator[Heard], kind: str = "timeline") -> Heard:
    async with asyncio.timeout(20):
        async for event in events:
            if event.kind == kind:
                return event
    raise AssertionError("the stream ended")


async def said_by(events: AsyncIterator[Heard], *names: str) -> list[str]:
    """Who said something, in the order in which it was told, until all of these did."""
    found: list[str] = []
    while not set(names) <= set(found):
        found.append((await following(events)).data["by"])
    return [name for name in found if name in names]


def place(event: Heard) -> tuple[int, ...]:
    """The transaction and the id that an event's `id:` is made of."""
    assert event.id is not None
    return tuple(int(part) for part in event.id.split("-"))


INSERT = (
    "INSERT INTO timeline (team_id, alert_id, at, kind, by_name, via)"
    " VALUES ($1, gen_random_uuid(), now(), 'annotated', $2, 'api')"
)


@asynccontextmanager
async def begun(doors: Stage) -> AsyncGenerator[asyncpg.Connection]:
    """A connection in a transaction that has its number already."""
    connection = await asyncpg.connect(doors.world.database.dsn)
    try:
        await connection.execute("BEGIN")
        await connection.execute("SELECT pg_current_xact_id()")
        yield connection
    finally:
        await connection.close()


async def test_a_change_is_told_to_those_in_its_team(doors: Stage, address: str) -> None:
    async with listening(doors, address, "mara") as mine, listening(doors, address, "nick") as his:
        for events in (mine, his):
            await following(events, "hello")
        foreign = await doors.alert("noc")
        own = await doors.alert()
        told = await following(mine)
        assert (told.data["alert"], told.data["team"]) == (public(own), "soc")
        assert told.data["kind"] == "raised"
        assert (await following(his)).data["alert"] == public(foreign)


async def test_a_stream_resumes_after_the_last_event_that_was_heard(
    doors: Stage, address: str
) -> None:
    async with listening(doors, address, "mara") as events:
        await following(events, "hello")
        await doors.alert(event=Event(title="one"))
        first = await following(events)
    missed = [await doors.alert(event=Event(title="two")), await doors.alert("noc")]
    async with listening(doors, address, "mara", first.id) as events:
        places = [place(await following(events)) for _ in range(3)]
        assert places == sorted(places)
        assert places[0] > place(first)
        third = await doors.alert(event=Event(title="three"))
        told = [(await following(events)).data["alert"] for _ in range(2)]
        assert public(third) in told
        assert public(missed[1]) not in told


async def test_a_change_of_another_process_arrives_without_a_notify(
    doors: Stage, address: str
) -> None:
    async with listening(doors, address, "mara") as events:
        await following(events, "hello")
        await doors.sql(INSERT, 1, "elsewhere")
        assert await said_by(events, "elsewhere") == ["elsewhere"]


async def test_nothing_is_passed_over_while_an_older_transaction_is_still_open(
    doors: Stage, address: str
) -> None:
    async with listening(doors, address, "mara") as events:
        await following(events, "hello")
        async with begun(doors) as slow:
            await slow.execute(INSERT, 1, "slow")
            await doors.sql(INSERT, 1, "quick")
            telling = asyncio.create_task(said_by(events, "slow", "quick"))
            await asyncio.sleep(1.2)
            assert not telling.done()
            await slow.execute("COMMIT")
            assert await telling == ["slow", "quick"]
    async with listening(doors, address, "mara", "0-0") as events:
        assert await said_by(events, "slow", "quick") == ["slow", "quick"]


@pytest.mark.parametrize("team", TEAMS.values(), ids=list(TEAMS))
async def test_a_younger_transaction_is_told_although_an_older_one_drew_the_higher_id(
    doors: Stage, address: str, team: int
) -> None:
    async with listening(doors, address, "root") as events:
        await following(events, "hello")
        async with begun(doors) as older, begun(doors) as younger:
            low = await younger.fetchval(f"{INSERT} RETURNING id", 1, "younger")
            high = await older.fetchval(f"{INSERT} RETURNING id", team, "older")
            assert low < high
            await older.execute("COMMIT")
            first = await following(events)
            assert (first.data["by"], place(first)[1]) == ("older", high)
            await younger.execute("COMMIT")
        second = await following(events)
        assert (second.data["by"], place(second)[1]) == ("younger", low)
        assert place(first) < place(second)
    async with listening(doors, address, "mara", first.id) as events:
        assert (await following(events)).id == second.id
    async with listening(doors, address, "mara", second.id) as events:
        await doors.sql(INSERT, 1, "later")
        assert (await following(events)).data["by"] == "later"


@pytest.mark.parametrize("last", ["nonsense", "12", "1-2-3", "-1-2"])
async def test_a_place_that_is_none_is_a_resync(doors: Stage, address: str, last: str) -> None:
    async with listening(doors, address, "mara", last) as events:
        assert (await following(events, "resync")).id is not None


async def test_a_place_that_is_not_reached_yet_is_a_resync_and_news_follow(
    doors: Stage, address: str
) -> None:
    async with listening(doors, address, "mara", f"{10**17}-1") as events:
        assert place(await following(events, "resync")) < (10**17, 1)
        await doors.sql(INSERT, 1, "later")
        assert await said_by(events, "later") == ["later"]


async def test_a_timeline_that_fell_behind_what_was_told_is_a_resync_and_news_follow(
    doors: Stage, address: str
) -> None:
    async with listening(doors, address, "mara") as events:
        await following(events, "hello")
        await doors.sql(INSERT, 1, "lost")
        lost = await following(events)
        await doors.sql("DELETE FROM timeline")
        await doors.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN %'"
        )
        assert place(await following(events, "resync")) < place(lost)
        await doors.sql(INSERT, 1, "later")
        assert await said_by(events, "later") == ["later"]


async def test_a_slow_reader_is_told_to_load_everything_again(doors: Stage) -> None:
    live = Live(doors.world.database)
    mara = Caller(user=USERS["mara"][0], name="mara", role=Role.USER, teams={1: Role.USER})

    async def still() -> Caller | None:
        return mara

    stream = live.stream(mara, None, still)
    assert b"event: hello" in await anext(stream)
    await doors.sql(
        "INSERT INTO timeline (team_id, alert_id, at, kind, by_name, via)"
        " SELECT 1, gen_random_uuid(), now(), 'annotated', 'x', 'api'"
        " FROM generate_series(1, $1)",
        QUEUE * 2,
    )
    await asyncio.sleep(1.5)
    told = [await anext(stream)]
    while b"event: resync" not in told[-1]:
        assert len(told) < QUEUE
        told.append(await anext(stream))
    await stream.aclose()
    live.close()


async def test_a_stream_ends_when_its_caller_may_no_longer_listen(doors: Stage) -> None:
    live = Live(doors.world.database, ping_seconds=0.05, check_seconds=0.05)
    mara = Caller(user=2, name="mara", role=Role.USER, teams={1: Role.USER})
    asked = 0

    async def still() -> Caller | None:
        nonlocal asked
        asked += 1
        return mara if asked < 3 else None

    chunks = [chunk async for chunk in live.stream(mara, None, still)]
    assert set(chunks[1:]) == {b": ping\n\n"}
    assert asked == 3


async def test_a_stream_that_is_never_idle_ends_as_well(doors: Stage) -> None:
    live = Live(doors.world.database, check_seconds=0.5)
    mara = Caller(user=2, name="mara", role=Role.USER, teams={1: Role.USER})
    asked = 0

    async def still() -> Caller | None:
        nonlocal asked
        asked += 1
        return mara if asked < 4 else None

    async def be_busy() -> None:
        while True:
            await doors.sql(INSERT, 1, "busy")
            await asyncio.sleep(0.02)

    busy = asyncio.create_task(be_busy())
    async with asyncio.timeout(10):
        chunks = [chunk async for chunk in live.stream(mara, None, still)]
    busy.cancel()
    live.close()
    assert len(chunks) > 1
    assert asked == 4


async def test_a_stream_tells_nothing_of_a_team_that_its_caller_has_left(doors: Stage) -> None:
    live = Live(doors.world.database, check_seconds=0.1)
    both = Caller(user=2, name="mara", role=Role.USER, teams={1: Role.USER, 2: Role.USER})
    one = Caller(user=2, name="mara", role=Role.USER, teams={1: Role.USER})

    async def still() -> Caller | None:
        return one

    stream = live.stream(both, None, still)
    await anext(stream)
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.3)  # the caller is looked up again meanwhile
    await doors.sql(INSERT, 2, "foreign")
    await doors.sql(INSERT, 1, "own")
    async with asyncio.timeout(10):
        assert b'"by":"own"' in await reading
    await stream.aclose()
    live.close()


async def test_closing_ends_every_stream(doors: Stage) -> None:
    live = Live(doors.world.database)
    root = Caller(user=5, name="root", role=Role.ADMIN)

    async def still() -> Caller | None:
        return root

    stream = live.stream(root, None, still)
    await anext(stream)
    live.close()
    async with asyncio.timeout(2):
        assert [chunk async for chunk in stream] == []
