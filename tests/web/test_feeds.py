"""Feeds of duty: by secret address, the same text for the same duty, gone when revoked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.web.stage import NOW, Stage, stage
from tocsin.core.calendarfile import Entry, read

WEEKS = {
    "name": "weeks",
    "participants": ["mara", "jonas"],
    "start": "2026-11-02T09:00",
    "unit": "week",
}


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        async with made.client("sam") as web:
            done = await web.patch(
                "/api/v1/schedules/primary?team=soc", json={"rotations": [WEEKS]}
            )
            assert done.status_code == 200, done.text
        yield made


async def made(doors: Stage, user: str = "mara", **body: str) -> dict[str, Any]:
    async with doors.client(user) as web:
        answer = await web.post("/api/v1/feeds", json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def fetched(doors: Stage, url: str, **headers: str) -> httpx.Response:
    async with doors.client() as web:
        return await web.get(url.removeprefix("http://tocsin.test"), headers=headers)


def entries(answer: httpx.Response) -> tuple[Entry, ...]:
    assert answer.status_code == 200, answer.text
    span = (NOW - timedelta(days=400), NOW + timedelta(days=400))
    return read(answer.content, zone="UTC", from_=span[0], to=span[1], most=10_000).entries


async def test_a_feed_of_a_schedule_shows_concrete_shifts_with_stable_ids(doors: Stage) -> None:
    feed = await made(doors, schedule="primary")
    answer = await fetched(doors, feed["url"])
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "RRULE" not in answer.text
    found = entries(answer)
    assert [entry.summary for entry in found[:3]] == ["jonas", "mara", "jonas"]
    assert found[1].from_ == datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    assert found[1].to == datetime(2026, 12, 7, 8, 0, tzinfo=UTC)
    assert found[-1].from_ < NOW + timedelta(days=185) < found[-1].to + timedelta(days=8)
    assert len({entry.uid for entry in found}) == len(found)
    assert all(entry.uid.endswith("@tocsin.test") for entry in found)
    await doors.clock.move(timedelta(hours=2))
    assert (await fetched(doors, feed["url"])).content == answer.content


async def test_the_person_sees_their_own_duty_and_the_team_everybodys(doors: Stage) -> None:
    own = entries(await fetched(doors, (await made(doors))["url"]))
    assert {entry.summary for entry in own} == {"On duty: soc, primary"}
    assert {entry.people for entry in own} == {("mara",)}
    whole = entries(await fetched(doors, (await made(doors, team="soc"))["url"]))
    assert {entry.summary for entry in whole} == {"mara (primary)", "jonas (primary)"}


async def test_a_program_that_has_it_is_told_so_until_duty_changes(doors: Stage) -> None:
    feed = await made(doors, schedule="primary")
    first = await fetched(doors, feed["url"])
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = await fetched(doors, feed["url"], **{"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    override = {
        "team": "soc",
        "schedule": "primary",
        "user": "ada",
        "from": "2026-12-01T09:00",
        "to": "2026-12-01T17:00",
    }
    async with doors.client("sam") as web:
        assert (await web.post("/api/v1/overrides", json=override)).status_code == 201
    changed = await fetched(doors, feed["url"], **{"if-none-match": tag})
    assert changed.status_code == 200
    before, after = entries(first), entries(changed)
    assert "ada" in {entry.summary for entry in after}
    same = {entry.uid for entry in before} & {entry.uid for entry in after}
    assert len(same) == len(before), "the shifts that were there keep their ids"
    assert min(e.sequence for e in after) > max(e.sequence for e in before)


async def test_a_shift_that_runs_keeps_its_beginning(doors: Stage) -> None:
    feed = await made(doors, schedule="primary")
    begun = entries(await fetched(doors, feed["url"]))[0]
    assert begun.from_ <= NOW < begun.to
    await doors.clock.move(timedelta(days=1))
    later = entries(await fetched(doors, feed["url"]))[0]
    assert (later.uid, later.from_, later.to) == (begun.uid, begun.from_, begun.to)


async def test_what_is_no_feed_was_revoked_or_left_looks_the_same(doors: Stage) -> None:
    feed, other = await made(doors, team="soc"), await made(doors, team="soc")
    async with doors.client("mara") as web:
        assert (await web.delete(f"/api/v1/feeds/{feed['id']}")).status_code == 204
        listed = (await web.get("/api/v1/feeds")).json()["items"]
        assert [one["id"] for one in listed] == [other["id"]]
        assert "url" not in listed[0]
    await doors.sql("DELETE FROM membership WHERE user_id = 2")
    answers = [
        await fetched(doors, url) for url in (feed["url"], other["url"], "/ical/nothing.ics")
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert bodies[0] == bodies[1] == bodies[2]


async def test_the_feed_of_somebody_who_is_out_is_gone(doors: Stage) -> None:
    feed = await made(doors)
    await doors.sql("UPDATE app_user SET active = false WHERE id = 2")
    assert (await fetched(doors, feed["url"])).status_code == 404


async def test_a_secret_is_stored_only_as_a_hash(doors: Stage) -> None:
    secret = (await made(doors))["url"].rpartition("/")[2].removesuffix(".ics")
    assert len(secret) >= 40
    stored = await doors.rows("SELECT f::text AS whole FROM feed f")
    assert secret not in stored[0]["whole"]


async def test_nobody_makes_a_feed_of_what_is_not_theirs(doors: Stage) -> None:
    async with doors.client("nick") as web:
        for body in ({"team": "soc"}, {"schedule": "primary", "team": "soc"}):
            assert (await web.post("/api/v1/feeds", json=body)).status_code == 404
        feed = await made(doors)
        assert (await web.delete(f"/api/v1/feeds/{feed['id']}")).status_code == 404
    assert (await fetched(doors, feed["url"])).status_code == 200


async def test_a_feed_is_only_looked_at(doors: Stage) -> None:
    feed = await made(doors)
    path = feed["url"].removeprefix("http://tocsin.test")
    async with doors.client() as web:
        assert (await web.head(path)).status_code == 200
        assert (await web.post(path)).status_code == 405
