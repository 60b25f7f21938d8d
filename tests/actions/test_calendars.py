"""Calendars of others: read again and again, the last good copy kept, whatever they answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from aiohttp import web

from tests.web.stage import NOW, Stage, stage
from tocsin.actions import calendarbook
from tocsin.actions.calendarbook import Wanted
from tocsin.actions.calendarchild import read_apart
from tocsin.actions.calendars import calendars_due
from tocsin.actions.configure import ConflictError
from tocsin.core.calendarfile import CalendarError
from tocsin.store.calendars import Purpose
from tocsin.worker import Bell, Worker

Said = bytes | web.StreamResponse | Awaitable[web.StreamResponse]
Answer = Callable[[web.Request], Said]


def calendar(*events: str) -> bytes:
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\n{e}\r\nEND:VEVENT\r\n" for n, e in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}END:VCALENDAR\r\n".encode()


def event(summary: str, day: int = 26, *more: str) -> str:
    ends = (f"DTSTART:202611{day:02}T080000Z", f"DTEND:202611{day:02}T160000Z")
    return "\r\n".join((*ends, f"SUMMARY:{summary}", *more))


@dataclass
class Peer:
    """Somebody else's server for calendars, on loopback."""

    answer: Answer
    port: int = 0
    asked: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.headers))
        found = self.answer(request)
        if isinstance(found, bytes):
            return web.Response(body=found, content_type="text/calendar")
        if isinstance(found, web.StreamResponse):
            return found
        return await found

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/private/basic.ics"


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer(lambda _: calendar(event("mara")))
    app = web.Application()
    app.router.add_get("/{rest:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database, allow_private=("127.0.0.0/8",)) as made:
        yield made


async def added(
    doors: Stage,
    address: str,
    people: Mapping[str, str] | None = None,
    schedule: int | None = None,
) -> dict[str, object]:
    wanted = Wanted(
        team=1,
        name="absences",
        purpose=Purpose.TIME_OFF if schedule is None else Purpose.SHIFTS,
        schedule=schedule,
        address=address,
        people=people or {},
    )
    return await calendarbook.add_calendar(doors.world, wanted, "sam")


async def state(doors: Stage) -> dict[str, Any]:
    (shown,) = await calendarbook.show_calendars(doors.world, [1])
    found = shown["state"]
    return cast("dict[str, Any]", found)


async def summaries(doors: Stage) -> list[str]:
    found = await doors.rows("SELECT summary FROM calendar_entry ORDER BY lower(during), id")
    return [row["summary"] for row in found]


async def later(doors: Stage, **length: float) -> None:
    await doors.clock.move(timedelta(**length))
    assert await calendars_due(doors.world)


async def test_a_calendar_is_read_and_read_again_only_when_it_changed(
    doors: Stage, peer: Peer
) -> None:
    def answer(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"one"':
            return web.Response(status=304)
        return web.Response(body=calendar(event("mara")), headers={"ETag": '"one"'})

    peer.answer = answer
    await added(doors, peer.address)
    assert await calendars_due(doors.world)
    assert await summaries(doors) == ["mara"]
    assert not await calendars_due(doors.world), "not before its time"
    await later(doors, minutes=16)
    assert peer.asked[1]["If-None-Match"] == '"one"'
    found = await state(doors)
    assert (found["entries"], found["error"], found["failures"]) == (1, None, 0)
    before = found["worked_out_at"]
    await later(doors, hours=13)
    assert (await state(doors))["worked_out_at"] > before, "days came nearer"
    assert await summaries(doors) == ["mara"]


def too_large(_: web.Request) -> bytes:
    return calendar(*[event("x" * 1000)] * 50_000)


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(1000):
        await response.write(b"B")
        await asyncio.sleep(0.1)
    return response


def moved(where: str) -> Answer:
    return lambda _: web.Response(status=302, headers={"Location": where})


BAD: dict[str, tuple[Answer, str]] = {
    "50 MB": (too_large, "it is larger than 5 MB"),
    "private": (moved("http://10.0.0.1/a.ics"), "10.0.0.1 is not a public address"),
    "metadata": (moved("http://169.254.169.254/latest"), "169.254.169.254 is not a public address"),
    "file": (moved("file:///etc/passwd"), "redirects to what is no http or https address"),
    "round": (moved("/again"), "it is redirected more than 4 times"),
    "sign-in": (lambda _: b"<!doctype html><h1>Sign in</h1>", "it is not an iCalendar file"),
    "gone": (lambda _: web.Response(status=404), "answered with the status 404"),
    "broken": (lambda _: web.Response(status=500), "answered with the status 500"),
    "cut off": (lambda _: calendar(event("ada"))[:-30], "it is cut off"),
    "many": (
        lambda _: calendar(event("ada", 26, "RRULE:FREQ=HOURLY")),
        "more than 5000 entries",
    ),
}


@pytest.mark.parametrize("which", BAD)
async def test_the_last_good_copy_stays_and_the_fault_is_told(
    doors: Stage, peer: Peer, which: str
) -> None:
    await added(doors, peer.address)
    await calendars_due(doors.world)
    peer.answer, why = BAD[which]
    for failures in (1, 2):
        await later(doors, minutes=31)
        found = await state(doors)
        assert why in found["error"]
        assert "private/basic" not in found["error"], "an address may be a secret"
        assert found["failures"] == failures
        assert await summaries(doors) == ["mara"]
    peer.answer = lambda _: calendar(event("jonas"))
    await later(doors, hours=2)
    found = await state(doors)
    assert (found["error"], found["failures"]) == (None, 0)
    assert await summaries(doors) == ["jonas"]


async def test_a_calendar_that_is_away_goes_on_from_its_last_good_copy(
    doors: Stage, peer: Peer
) -> None:
    peer.answer = lambda _: calendar(event("mara", 1, "RRULE:FREQ=MONTHLY"))
    await added(doors, peer.address)
    await calendars_due(doors.world)
    last = await doors.rows("SELECT max(upper(during)) AS at FROM calendar_entry")
    peer.answer = lambda _: web.Response(status=503)
    await later(doors, days=60)
    further = await doors.rows("SELECT max(upper(during)) AS at FROM calendar_entry")
    assert further[0]["at"] > last[0]["at"]
    assert "503" in (await state(doors))["error"]


async def test_a_slow_drip_ends_in_time_and_blocks_nobody(doors: Stage, peer: Peer) -> None:
    peer.answer = drip
    await doors.sql("SELECT 1")
    await added(doors, peer.address)
    reading = asyncio.create_task(calendars_due(doors.world, within=timedelta(seconds=1)))
    await others_had_turns(reading, least=20)
    assert "no answer in time" in (await state(doors))["error"]


async def others_had_turns(task: asyncio.Task[Any], least: int) -> None:
    """How often something else ran until the task was done; no time is measured."""
    turns = 0
    while not task.done():
        await asyncio.sleep(0.005)
        turns += 1
    await task
    assert turns >= least, f"the event loop did something else {turns} times only"


async def test_a_large_calendar_stops_nothing_else(doors: Stage, peer: Peer) -> None:
    people = ("mara", "jonas", "ada", "sam")
    times = [NOW + timedelta(minutes=20 * n) for n in range(4500)]
    content = calendar(*[turn(at, people[n % 4]) for n, at in enumerate(times)])
    peer.answer = lambda _: content
    await added(doors, peer.address, schedule=await primary(doors))
    await others_had_turns(asyncio.create_task(calendars_due(doors.world)), least=20)
    assert (await state(doors))["entries"] == 4500
    (stored,) = await doors.rows("SELECT count(*) AS number FROM shift")
    assert stored["number"] > 4000


def turn(at: datetime, summary: str) -> str:
    ends = (f"{name}:{when:%Y%m%dT%H%M%SZ}" for name, when in (
        ("DTSTART", at), ("DTEND", at + timedelta(minutes=50))
    ))  # fmt: skip
    return "\r\n".join((*ends, f"SUMMARY:{summary}"))


async def primary(doors: Stage) -> int:
    """The schedule of the team `soc`."""
    (row,) = await doors.rows("SELECT id FROM schedule WHERE team_id = 1")
    number: int = row["id"]
    return number


async def test_a_hostile_file_is_ended_by_its_limits() -> None:
    rule = "RRULE:FREQ=HOURLY;BYMINUTE=" + ",".join(map(str, range(60)))
    seconds = ";BYSECOND=" + ",".join(map(str, range(60)))
    content = calendar(event("x", 1, rule + seconds))
    with pytest.raises(CalendarError, match=r"too much time or memory|more than 5000 entries"):
        await read_apart(content, "UTC", NOW, NOW + timedelta(days=400), cpu_seconds=2)


async def test_a_child_that_is_too_slow_is_ended() -> None:
    content = calendar(*[event("x")] * 2000)
    with pytest.raises(CalendarError, match="too much time or memory"):
        await read_apart(content, "UTC", NOW, NOW + timedelta(days=400), patience=0.01)


async def test_a_redirect_to_a_permitted_address_is_followed(doors: Stage, peer: Peer) -> None:
    def answer(request: web.Request) -> bytes:
        if request.path.startswith("/private"):
            raise web.HTTPFound("/moved.ics")
        return calendar(event("ada"))

    peer.answer = answer
    await added(doors, peer.address)
    await calendars_due(doors.world)
    assert await summaries(doors) == ["ada"]


async def test_what_is_passed_over_and_who_is_unknown_is_shown(doors: Stage, peer: Peer) -> None:
    peer.answer = lambda _: calendar(
        event("mara"), event("Zoe Stranger"), event("Boss"), "SUMMARY:no time"
    )
    made = await added(doors, peer.address, people={"Boss": "ada"})
    await calendars_due(doors.world)
    rows = await doors.rows("SELECT id FROM calendar")
    shown = await calendarbook.show_calendar(doors.world, 1, rows[0]["id"])
    assert shown["id"] == made["id"]
    assert shown["unknown"] == ["Zoe Stranger"]
    assert (await state(doors))["notes"] == ["'no time' is passed over: it has no DTSTART"]


async def test_the_worker_reads_and_a_slow_calendar_does_not_make_it_unready(
    doors: Stage, peer: Peer
) -> None:
    worker = Worker(doors.world, Bell())
    await added(doors, peer.address)
    working = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(30):
            while await summaries(doors) != ["mara"]:  # noqa: ASYNC110 - no event tells it
                await asyncio.sleep(0.05)
        await doors.clock.move(timedelta(minutes=1))
        assert "calendars" not in worker.stalled(doors.clock.now())
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_two_processes_never_both_read_one_calendar(doors: Stage, peer: Peer) -> None:
    await added(doors, peer.address)
    await asyncio.gather(calendars_due(doors.world), calendars_due(doors.world))
    assert len(peer.asked) == 1


async def test_the_calendar_that_holidays_name_comes_changes_and_goes(
    doors: Stage, peer: Peer
) -> None:
    async def named(holidays: dict[str, str] | None) -> None:
        async with doors.client("root") as client:
            answer = await client.patch("/api/v1/teams/soc", json={"holidays": holidays})
            assert answer.status_code == 200, answer.text
        await doors.clock.move(timedelta(minutes=2))
        await calendars_due(doors.world)

    peer.answer = lambda _: calendar("DTSTART;VALUE=DATE:20261224\r\nSUMMARY:Eve")
    await named({"calendar": peer.address})
    (row,) = await doors.rows("SELECT first_day, last_day FROM calendar_entry")
    assert row["first_day"].isoformat() == row["last_day"].isoformat() == "2026-12-24"
    days = await doors.rows("SELECT day, name FROM holiday WHERE origin = 'calendar'")
    assert [(row["day"].isoformat(), row["name"]) for row in days] == [("2026-12-24", "Eve")]
    await named({"calendar": f"{peer.address}?2"})
    assert len(peer.asked) == 2
    (shown,) = await calendarbook.show_calendars(doors.world, [1])
    assert (shown["origin"], shown["purpose"]) == ("configuration", "holidays")
    await named(None)
    assert await calendarbook.show_calendars(doors.world, [1]) == []
    assert await summaries(doors) == []
    assert await doors.rows("SELECT 1 FROM holiday") == []


async def test_imported_time_off_is_told_where_it_collides_with_a_shift(
    doors: Stage, peer: Peer
) -> None:
    weeks = {
        "name": "weeks",
        "participants": ["mara"],
        "start": "2026-11-02T09:00",
        "unit": "week",
    }
    async with doors.client("sam") as client:
        done = await client.patch("/api/v1/schedules/primary?team=soc", json={"rotations": [weeks]})
        assert done.status_code == 200, done.text
    await added(doors, peer.address)
    await calendars_due(doors.world)
    (row,) = await doors.rows("SELECT id FROM calendar")
    shown = await calendarbook.show_calendar(doors.world, 1, row["id"])
    (line,) = cast("list[str]", shown["collisions"])
    assert line.startswith("mara has time off from 2026-11-26 09:00 to 2026-11-26 17:00 and is on")


async def test_redirects_and_all_end_in_one_time(doors: Stage, peer: Peer) -> None:
    async def onwards(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.4)
        return web.Response(status=302, headers={"Location": "/again"})

    peer.answer = onwards
    await added(doors, peer.address)
    assert await calendars_due(doors.world, within=timedelta(seconds=1))
    assert "no answer in time" in (await state(doors))["error"]
    assert len(peer.asked) == 3


async def many(doors: Stage, address: str, team: int, number: int) -> None:
    """So many more calendars of a team at this address, due before all others."""
    for n in range(number):
        wanted = Wanted(
            team=team,
            name=f"c{n}",
            purpose=Purpose.TIME_OFF,
            schedule=None,
            address=f"{address}?team={team}",
            people={},
        )
        await calendarbook.add_calendar(doors.world, wanted, "sam")


async def test_all_that_is_due_is_read_in_turns_and_teams_take_turns(
    doors: Stage, peer: Peer
) -> None:
    order: list[str] = []

    def answer(request: web.Request) -> bytes:
        order.append(request.query["team"])
        return calendar(event("mara"))

    peer.answer = answer
    await many(doors, peer.address, 1, 8)
    await doors.clock.move(timedelta(minutes=1))
    await many(doors, peer.address, 2, 2)
    assert await calendars_due(doors.world)
    assert len(order) == 10
    assert order[:5].count("2") == 2, "who has few does not wait for who has many"


async def test_a_slow_calendar_keeps_others_neither_waiting_nor_leased(
    doors: Stage, peer: Peer
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if "slow" in request.query_string:
            await asyncio.sleep(1)
        return web.Response(body=calendar(event("mara")))

    peer.answer = answer
    await added(doors, f"{peer.address}?slow")
    await many(doors, peer.address, 1, 6)
    reading = asyncio.create_task(calendars_due(doors.world))
    while not peer.asked:  # noqa: ASYNC110 - no event tells it
        await asyncio.sleep(0.01)
    leased = await doors.rows("SELECT id FROM calendar WHERE lease_until IS NOT NULL")
    assert len(leased) <= 2
    assert await reading
    unread = await doors.rows("SELECT id FROM calendar WHERE succeeded_at IS NULL")
    assert unread == []


async def test_a_team_imports_so_many_calendars_and_no_more(doors: Stage) -> None:
    await doors.sql(
        "INSERT INTO calendar (team_id, name, purpose, origin, made_by, made_at)"
        " SELECT 1, 'c' || n, 'time_off', 'api', 'sam', $1 FROM generate_series(2, 50) n",
        NOW,
    )
    await many(doors, "https://calendar.example.org/a.ics", 1, 1)
    with pytest.raises(ConflictError, match="imports 50 calendars, which is the most"):
        await added(doors, "https://calendar.example.org/a.ics")
    await many(doors, "https://calendar.example.org/a.ics", 2, 1)


async def test_a_calendar_that_is_called_holidays_does_not_stop_that_of_the_configuration(
    doors: Stage, peer: Peer
) -> None:
    await doors.sql(
        "INSERT INTO calendar (team_id, name, purpose, origin, made_by, made_at)"
        " VALUES (1, 'holidays', 'holidays', 'api', 'sam', $1)",
        NOW,
    )
    async with doors.client("root") as client:
        body = {"holidays": {"calendar": peer.address}}
        assert (await client.patch("/api/v1/teams/soc", json=body)).status_code == 200
    await calendars_due(doors.world)
    found = await doors.rows("SELECT name, succeeded_at FROM calendar ORDER BY name")
    assert [row["name"] for row in found] == ["holidays", "holidays of the configuration"]
    assert found[1]["succeeded_at"] is not None


async def test_the_holidays_of_one_team_do_not_wait_for_another(doors: Stage, peer: Peer) -> None:
    for team in (1, 2):
        await doors.sql(
            "UPDATE team SET body = body || jsonb_build_object('holidays',"
            " jsonb_build_object('calendar', $1::text)) WHERE id = $2",
            peer.address,
            team,
        )
    await doors.sql("ALTER TABLE calendar ADD CONSTRAINT second CHECK (team_id <> 1)")
    await calendars_due(doors.world)
    found = await doors.rows("SELECT team_id, succeeded_at FROM calendar")
    assert [row["team_id"] for row in found] == [2]
