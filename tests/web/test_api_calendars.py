"""The API's calls about imported calendars, files of shifts, holidays of a year, hours of duty."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

import httpx
import pytest

from tests.actions.test_calendars import others_had_turns
from tests.web.stage import NOW, Stage, stage

CALENDAR = {
    "team": "soc",
    "name": "absences",
    "purpose": "time_off",
    "address": "https://calendar.example.org/private-0123456789/basic.ics",
}
IMPORT = "/api/v1/schedules/primary/import?team=soc"


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        await made.sql("UPDATE app_user SET email = name || '@example.org'")
        yield made


@pytest.fixture
async def sam(doors: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with doors.client("sam") as web:
        yield web


async def sent(web: httpx.AsyncClient, *rows: str, kind: str = "text/csv") -> httpx.Response:
    text = "\r\n".join(("Email,Start,End", *rows))
    return await web.post(IMPORT, content=text, headers={"Content-Type": kind})


async def spans(doors: Stage) -> list[tuple[str, str]]:
    found = await doors.rows(
        "SELECT people[1] AS name, lower(during) AS at FROM calendar_entry ORDER BY lower(during)"
    )
    return [(row["name"], f"{row['at']:%d %H:%M}") for row in found]


async def test_a_calendar_is_made_shown_and_forgotten(sam: httpx.AsyncClient) -> None:
    answer = await sam.post("/api/v1/calendars", json=CALENDAR)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["location"] == f"/api/v1/calendars/{made['id']}"
    assert (made["host"], made["state"]["error"]) == ("calendar.example.org", None)
    assert "private-0123456789" not in answer.text
    assert (await sam.post("/api/v1/calendars", json=CALENDAR)).status_code == 409
    for given in (made["id"], "absences"):
        assert (await sam.get(f"/api/v1/calendars/{given}")).json() == made
    listed = (await sam.get("/api/v1/calendars?team=soc")).json()["items"]
    assert [one["name"] for one in listed] == ["absences"]
    assert (await sam.post("/api/v1/calendars/absences/refresh")).status_code == 202
    assert (await sam.delete("/api/v1/calendars/absences")).status_code == 204
    assert (await sam.get("/api/v1/calendars/absences")).status_code == 404


async def test_an_address_is_sealed(doors: Stage, sam: httpx.AsyncClient) -> None:
    await sam.post("/api/v1/calendars", json=CALENDAR)
    (row,) = await doors.rows("SELECT sealed_address, c::text AS whole FROM calendar c")
    assert b"private" not in row["sealed_address"]
    assert "private" not in row["whole"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"address": "ftp://example.org/a.ics"}, "give the address of an iCalendar file"),
        ({"address": "nonsense"}, "give the address of an iCalendar file"),
        ({"address": "http://ex ample/a"}, "give the address of an iCalendar file"),
        ({"purpose": "shifts"}, "a calendar of shifts names the schedule"),
        ({"schedule": "primary"}, "a calendar of shifts names the schedule"),
        ({"people": {"Mara": "nick"}}, "nobody in the team is called 'nick'"),
        ({"purpose": "birthdays"}, "purpose"),
    ],
)
async def test_what_cannot_be_a_calendar_is_refused_by_name(
    doors: Stage, sam: httpx.AsyncClient, change: dict[str, object], why: str
) -> None:
    answer = await sam.post("/api/v1/calendars", json=CALENDAR | change)
    assert answer.status_code == 422
    assert why in answer.text
    assert await doors.rows("SELECT 1 FROM calendar") == []


async def test_a_file_of_shifts_is_laid_over_earlier_ones(
    doors: Stage, sam: httpx.AsyncClient
) -> None:
    first = await sent(
        sam,
        "mara@example.org,2026-12-01T08:00:00Z,2026-12-01T16:00:00Z",
        "Jonas@Example.org,2026-12-02T08:00:00Z,2026-12-02T16:00:00Z",
    )
    assert first.json() == {"schedule": "primary", "shifts": 2, "cleared": 0, "imported": 2}
    second = await sent(
        sam,
        "DELETE,2026-12-02T00:00:00Z,2026-12-31T00:00:00Z",
        "ada@example.org,2026-12-01T12:00:00Z,2026-12-01T16:00:00Z",
    )
    assert second.json() == {"schedule": "primary", "shifts": 1, "cleared": 1, "imported": 2}
    assert await spans(doors) == [("mara", "01 08:00"), ("ada", "01 12:00")]
    (shown,) = (await sam.get("/api/v1/calendars")).json()["items"]
    assert (shown["name"], shown["origin"], shown["state"]["entries"]) == (
        "files: primary",
        "file",
        2,
    )


async def test_a_file_with_a_fault_changes_nothing(doors: Stage, sam: httpx.AsyncClient) -> None:
    answer = await sent(
        sam,
        "mara@example.org,2026-12-01T08:00:00Z,2026-12-01T16:00:00Z",
        "nick@example.org,2026-12-01T08:00:00Z,2026-12-01T16:00:00Z",
        "mara@example.org,2026-12-01T08:00:00Z,soon",
    )
    assert answer.status_code == 422
    faults = [(fault["where"], fault["what"]) for fault in answer.json()["faults"]]
    assert [where for where, _ in faults] == ["line.3", "line.4"]
    assert faults[0][1] == "nobody in the team has the address 'nick@example.org'"
    assert await spans(doors) == []
    assert (await sent(sam, kind="application/json")).status_code in {400, 415, 422}
    latin = await sam.post(IMPORT, content=b"\xe4", headers={"Content-Type": "text/csv"})
    assert latin.json()["detail"] == "The file is not UTF-8."


def hours(first: int, number: int) -> list[str]:
    """So many shifts of an hour, from the hour `first` after `NOW` on."""
    times = [NOW + timedelta(hours=hour) for hour in range(first, first + number + 1)]
    return [f"mara,{begin:%Y-%m-%dT%H:%MZ},{end:%Y-%m-%dT%H:%MZ}" for begin, end in pairwise(times)]


async def test_thousands_of_rows_over_thousands_stop_nobody_and_have_an_end(
    sam: httpx.AsyncClient,
) -> None:
    for first in (0, 2500):
        answering = asyncio.create_task(sent(sam, *hours(first, 5000)))
        await others_had_turns(answering, least=10)
    assert answering.result().json()["imported"] == 7500
    refused = await sent(sam, *hours(7500, 2501))
    assert refused.status_code == 422
    assert "would have 10001 imported shifts, and 10000 is the most" in refused.text
    again = await sent(sam, *hours(0, 1))
    assert again.json()["imported"] == 7500, "the refused file changed nothing"


async def test_what_ended_long_ago_is_let_go_of(doors: Stage, sam: httpx.AsyncClient) -> None:
    await sent(sam, *hours(-24 * 30, 1), *hours(10, 1))
    await doors.clock.move(timedelta(days=2))
    answer = await sent(sam, *hours(-24 * 40, 1), *hours(24 * 3, 1))
    assert answer.json()["imported"] == 2
    assert await spans(doors) == [("mara", "24 17:00"), ("mara", "27 07:00")]


async def test_csv_is_taken_nowhere_else(sam: httpx.AsyncClient) -> None:
    answer = await sam.post("/api/v1/overrides", content="a", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 415


async def test_the_holidays_of_a_year_take_the_place_of_that_years(doors: Stage) -> None:
    path = "/api/v1/teams/soc/holidays"
    own = {"days": [{"date": "2026-12-24", "name": "Eve"}, {"date": "2027-05-01", "name": "old"}]}
    async with doors.client("root") as web:
        assert (await web.patch("/api/v1/teams/soc", json={"holidays": own})).status_code == 200
        body = {"days": [{"month": 12, "day": 31}, {"month": 1, "day": 6, "name": "Epiphany"}]}
        answer = await web.put(f"{path}/2027", json=body)
        assert answer.status_code == 200, answer.text
        expected = [{"date": "2027-01-06", "name": "Epiphany"}, {"date": "2027-12-31"}]
        assert answer.json()["days"] == expected
        team = (await web.get("/api/v1/teams/soc")).json()
        assert team["holidays"]["days"] == [own["days"][0], *expected]
        wrong = await web.put(f"{path}/2027", json={"days": [{"month": 2, "day": 29}]})
        assert wrong.status_code == 422
        assert "2027-02-29 is not in the calendar" in wrong.json()["detail"]
        assert (await web.put(f"{path}/2028", json={"days": [{"month": 2, "day": 29}]})).is_success
        await web.put(f"{path}/2027", json={"days": []})
        days = (await web.get("/api/v1/teams/soc")).json()["holidays"]["days"]
        assert [day["date"] for day in days] == ["2026-12-24", "2028-02-29"]


async def test_hours_of_duty_are_what_was_clipped_to_the_month(
    doors: Stage, sam: httpx.AsyncClient
) -> None:
    await doors.sql('UPDATE app_user SET body = body || \'{"name": "=Mara"}\' WHERE id = 2')
    await doors.sql(
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, why, during) VALUES"
        " (1, 1, '1', 2, 'x', '[2026-10-31T20:00Z, 2026-11-01T06:00Z)'),"
        " (1, 1, '1', 2, 'x', '[2026-11-24T06:00Z, 2026-11-25T06:00Z)')"
    )
    await doors.sql(
        "INSERT INTO punch (team_id, user_id, tier, by_name, during)"
        " VALUES (1, 2, '2', 'mara', '[2026-11-24T05:30Z,)')"
    )
    async with doors.client("vera") as web:
        answer = await web.get("/api/v1/reports/duty-hours?team=soc&month=2026-11")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="2026_11_ShiftReport.csv"'
    rows = answer.content.decode("utf-8-sig").split("\r\n")
    mara = '"\'=Mara";"mara@example.org"'
    assert rows == [
        '"Name";"Email";"Start";"End";"Hours"',
        f'{mara};"2026-11-01T00:00:00+01:00";"2026-11-01T07:00:00+01:00";"7:00"',
        f'{mara};"2026-11-24T06:30:00+01:00";"2026-11-24T08:00:00+01:00";"1:30"',
        "",
    ]
    for month in ("2026-13", "2027-01", "now", "2026-1"):
        wrong = await sam.get(f"/api/v1/reports/duty-hours?team=soc&month={month}")
        assert wrong.status_code == 422, month
    await doors.clock.move(timedelta(days=10))


async def test_shifts_of_a_file_are_duty(doors: Stage, sam: httpx.AsyncClient) -> None:
    weeks = {
        "name": "weeks",
        "participants": ["jonas"],
        "start": "2026-11-02T09:00",
        "unit": "week",
    }
    await sam.patch("/api/v1/schedules/primary?team=soc", json={"rotations": [weeks]})
    await sent(sam, "mara@example.org,2026-11-24T06:00:00Z,2026-11-24T09:00:00Z")
    duty = (await sam.get("/api/v1/duty?team=soc")).json()["items"]
    assert [(one["user"], one["why"]) for one in duty] == [("mara", "calendar files: primary")]
    assert duty[0]["until"] == "2026-11-24T09:00:00Z"
    await sent(sam, "DELETE,2026-11-24T00:00:00Z,2026-11-25T00:00:00Z")
    duty = (await sam.get("/api/v1/duty?team=soc")).json()["items"]
    assert [one["user"] for one in duty] == ["jonas"]


async def test_a_preview_keeps_what_calendars_say(doors: Stage, sam: httpx.AsyncClient) -> None:
    await sent(sam, "mara@example.org,2026-12-01T08:00:00Z,2026-12-01T09:00:00Z")
    body = {
        "definition": {"tier": 1},
        "from": "2026-12-01T00:00:00Z",
        "to": "2026-12-02T00:00:00Z",
    }
    answer = await sam.post("/api/v1/schedules/primary/preview?team=soc", json=body)
    assert answer.status_code == 200, answer.text
    assert [one["user"] for one in answer.json()["shifts"]] == ["mara"]
    assert answer.json()["removed"] == []


async def test_of_two_years_that_are_put_at_once_none_is_lost(doors: Stage) -> None:
    async def put(year: int) -> httpx.Response:
        async with doors.client("ada") as web:
            body = {"days": [{"month": 12, "day": 24}]}
            return await web.put(f"/api/v1/teams/soc/holidays/{year}", json=body)

    answers = await asyncio.gather(*map(put, range(2026, 2030)))
    assert [one.status_code for one in answers] == [200] * 4
    async with doors.client("ada") as web:
        days = (await web.get("/api/v1/teams/soc")).json()["holidays"]["days"]
    assert sorted(day["date"] for day in days) == [f"{year}-12-24" for year in range(2026, 2030)]
