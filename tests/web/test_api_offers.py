"""The API's calls about swaps and requests for cover, and what they come to."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from tests.web.stage import USERS, Stage, stage
from tocsin.actions.offers import expire_offers

WEEKS = {
    "name": "weeks",
    "participants": ["mara", "jonas"],
    "start": "2026-11-02T09:00",
    "unit": "week",
}
MINE = {"schedule": "primary", "from": "2026-12-01T08:00:00Z", "to": "2026-12-02T08:00:00Z"}
THEIRS = {"schedule": "primary", "from": "2026-12-08T08:00:00Z", "to": "2026-12-09T08:00:00Z"}
SWAP: dict[str, Any] = {"team": "soc", "with": "jonas", "back": THEIRS, **MINE}
COVER: dict[str, Any] = {"team": "soc", **MINE, "comment": "dentist"}


@pytest.fixture
async def doors(database: str) -> AsyncIterator[Stage]:
    async with stage(database) as made:
        async with made.client("sam") as web:
            done = await web.patch("/api/v1/schedules/primary", json={"rotations": [WEEKS]})
            assert done.status_code == 200, done.text
        yield made


async def call(
    doors: Stage, user: str, path: str, body: dict[str, Any] | None = None
) -> httpx.Response:
    async with doors.client(user) as web:
        return await web.post(f"/api/v1/{path}", json=body)


async def made(doors: Stage, path: str, body: dict[str, Any]) -> str:
    answer = await call(doors, "mara", path, body)
    assert answer.status_code == 201, answer.text
    return f"{path}/{answer.json()['id']}"


async def shifts(doors: Stage, day: dict[str, str]) -> list[tuple[str, str, str]]:
    async with doors.client("mara") as web:
        params = {"from": day["from"], "to": day["to"]}
        answer = await web.get("/api/v1/schedules/primary/shifts", params=params)
    return [(one["user"], one["from"], one["to"]) for one in answer.json()["shifts"]]


async def notices(doors: Stage) -> list[tuple[str, str]]:
    """Who was told what, oldest first."""
    found = await doors.rows(
        "SELECT u.name, n.body FROM notification n JOIN app_user u ON u.id = n.user_id"
        " WHERE n.purpose = 'notice' ORDER BY n.planned_at, u.name"
    )
    return [(row["name"], msgspec.json.decode(row["body"])["text"]) for row in found]


async def test_a_swap_has_its_effect_when_it_is_accepted_and_not_before(doors: Stage) -> None:
    swap = await made(doors, "swaps", SWAP)
    assert await shifts(doors, MINE) == [("mara", MINE["from"], MINE["to"])]
    ((told, text),) = await notices(doors)
    assert told == "jonas"
    assert text == (
        "mara offers you a swap in soc. jonas takes primary Tue 01 Dec 09:00 to Wed 02 Dec 09:00"
        " (Europe/Berlin); mara takes primary Tue 08 Dec 09:00 to Wed 09 Dec 09:00."
        " Accept or decline before then."
    )
    await doors.clock.move(timedelta(minutes=5))
    done = await call(doors, "jonas", f"{swap}/accept")
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["answered_by"]) == ("accepted", "jonas")
    assert await shifts(doors, MINE) == [("jonas", MINE["from"], MINE["to"])]
    assert await shifts(doors, THEIRS) == [("mara", THEIRS["from"], THEIRS["to"])]
    stored = await doors.rows("SELECT body->'swap' AS swap, changed_by FROM schedule_override")
    assert [(row["swap"], row["changed_by"]) for row in stored] == [("true", "jonas")] * 2
    (at,) = await doors.rows(
        "SELECT user_id FROM shift WHERE team_id = 1 AND during @> '2026-12-01T12:00Z'::timestamptz"
    )
    assert at["user_id"] == USERS["jonas"][0]
    assert [told for told, _ in await notices(doors)] == ["jonas", "mara"]


async def test_a_swap_stays_editable_like_any_override(doors: Stage) -> None:
    swap = await made(doors, "swaps", SWAP)
    assert (await call(doors, "jonas", f"{swap}/accept")).status_code == 200
    hole = {"team": "soc", "schedule": "primary", "replaces": "jonas"}
    body = hole | {"from": "2026-12-10T07:00Z", "to": "2026-12-10T08:00Z"}
    assert (await call(doors, "sam", "overrides", body)).status_code == 201


async def test_a_swap_is_declined_by_its_other_side_and_withdrawn_by_its_first(
    doors: Stage,
) -> None:
    swap = await made(doors, "swaps", SWAP)
    assert (await call(doors, "jonas", f"{swap}/withdraw")).status_code == 403
    assert (await call(doors, "mara", f"{swap}/decline")).status_code == 403
    assert (await call(doors, "mara", f"{swap}/accept")).status_code == 403
    assert (await call(doors, "jonas", f"{swap}/decline")).json()["state"] == "declined"
    again = await call(doors, "jonas", f"{swap}/accept")
    assert again.status_code == 409
    assert again.json()["detail"] == "The offer is answered already: declined by jonas."
    other = await made(doors, "swaps", SWAP)
    assert (await call(doors, "mara", f"{other}/withdraw")).json()["state"] == "withdrawn"
    third = await made(doors, "swaps", SWAP)
    assert (await call(doors, "sam", f"{third}/accept")).status_code == 200  # a scheduler


async def test_of_two_who_accept_at_one_moment_one_wins_and_the_other_is_told(
    doors: Stage,
) -> None:
    cover = await made(doors, "cover-requests", COVER)
    answers = await asyncio.gather(
        *(call(doors, user, f"{cover}/accept") for user in ("ada", "jonas", "sam"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    winner = next(one.json()["taken_by"] for one in answers if one.status_code == 200)
    for lost in (one for one in answers if one.status_code == 409):
        assert lost.json()["detail"] == f"The offer is answered already: accepted by {winner}."
    assert await shifts(doors, MINE) == [(winner, MINE["from"], MINE["to"])]
    assert len(await doors.rows("SELECT 1 FROM schedule_override")) == 1


async def test_two_offers_of_one_shift_cannot_both_be_accepted(doors: Stage) -> None:
    first = await made(doors, "swaps", SWAP)
    second = await made(doors, "cover-requests", COVER)
    answers = await asyncio.gather(
        call(doors, "jonas", f"{first}/accept"), call(doors, "ada", f"{second}/accept")
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_cover_of_a_part_is_asked_of_all_who_are_free(doors: Stage) -> None:
    part = COVER | {"from": "2026-12-01T12:00:00Z", "to": "2026-12-01T14:00:00Z"}
    cover = await made(doors, "cover-requests", part)
    asked = {name for name, _ in await notices(doors)}
    assert asked == {"sam", "ada", "jonas"}  # vera only looks
    assert (await call(doors, "vera", f"{cover}/accept")).status_code == 403
    assert (await call(doors, "nick", f"{cover}/accept")).status_code == 404
    assert (await call(doors, "mara", f"{cover}/accept")).status_code == 409
    named = await call(doors, "jonas", f"{cover}/accept", {"user": "ada"})
    assert named.status_code == 403
    done = await call(doors, "ada", f"{cover}/accept")
    assert done.json()["taken_by"] == "ada"
    assert [user for user, _, _ in await shifts(doors, MINE)] == ["mara", "ada", "mara"]
    stored = await doors.rows("SELECT body ? 'swap' AS swap FROM schedule_override")
    assert [row["swap"] for row in stored] == [False]


async def test_what_cannot_be_is_refused_in_words_that_help(doors: Stage) -> None:
    def later(**fields: str) -> dict[str, Any]:
        return SWAP | fields

    cases: list[tuple[dict[str, Any], int, str]] = [
        (later(**THEIRS), 409, "mara is not on duty in primary for the whole of that time."),
        (later(to="2026-12-09T08:00:00Z"), 409, "mara is not on duty"),
        (
            {**SWAP, "from": "2026-11-24T06:00:00Z"},
            422,
            "The shift has begun: it lies in the past.",
        ),
        ({**SWAP, "to": MINE["from"]}, 422, "`to` is not after `from`"),
        ({**SWAP, "with": "mara"}, 409, "Both sides of the swap are the same person."),
        ({**SWAP, "with": "vera"}, 409, "vera cannot be on duty in soc"),
        ({**SWAP, "with": "nick"}, 404, "There is no user 'nick'"),
        ({**SWAP, "back": MINE}, 409, "jonas is not on duty in primary"),
        ({**SWAP, "user": "jonas"}, 403, "This needs the role scheduler"),
    ]
    for body, status, words in cases:
        answer = await call(doors, "mara", "swaps", body)
        assert (answer.status_code, answer.json()["detail"][: len(words)]) == (status, words)
        assert answer.json()["remedy"]
    assert await notices(doors) == []
    await made(doors, "swaps", SWAP)
    assert (await call(doors, "mara", "swaps", SWAP)).json()["detail"] == (
        "That shift, or a part of it, is offered already."
    )


async def test_a_schedule_that_changed_meanwhile_refuses_the_acceptance(doors: Stage) -> None:
    swap = await made(doors, "swaps", SWAP)
    async with doors.client("sam") as web:
        other = WEEKS | {"participants": ["jonas", "mara"]}
        assert (
            await web.patch("/api/v1/schedules/primary", json={"rotations": [other]})
        ).status_code == 200
    answer = await call(doors, "jonas", f"{swap}/accept")
    assert answer.status_code == 409
    assert answer.json()["detail"] == (
        "This cannot be done any more as it was offered:"
        " mara is not on duty in primary for the whole of that time."
    )
    assert await doors.rows("SELECT 1 FROM schedule_override") == []


async def test_an_offer_ends_when_its_shift_begins_and_both_sides_are_told_once(
    doors: Stage,
) -> None:
    swap = await made(doors, "swaps", SWAP)
    await doors.clock.move(timedelta(days=7, hours=1))  # exactly as the shift begins
    late = await call(doors, "jonas", f"{swap}/accept")
    assert (late.status_code, late.json()["detail"]) == (
        409,
        "The offer has expired: the shift has begun.",
    )
    for _ in range(3):
        await expire_offers(doors.world)
        await doors.clock.move(timedelta(minutes=1))
    told = [(name, text) for name, text in await notices(doors) if "expired" in text]
    assert [name for name, _ in told] == ["jonas", "mara"]
    async with doors.client("vera") as web:
        listed = (await web.get("/api/v1/swaps?state=expired")).json()["items"]
        assert [item["state"] for item in listed] == ["expired"]
        assert (await web.get("/api/v1/swaps?state=open")).json()["items"] == []
        one = await web.get(f"/api/v1/{swap}")
    assert one.json()["with"] == "jonas"


async def test_an_offer_is_seen_by_its_team_only(doors: Stage) -> None:
    swap = await made(doors, "swaps", SWAP)
    async with doors.client("nick") as web:
        assert (await web.get(f"/api/v1/{swap}")).status_code == 404
        assert (await web.get("/api/v1/swaps")).json()["items"] == []
        assert (await web.get("/api/v1/swaps?team=soc")).status_code == 404
    cover = swap.replace("swaps", "cover-requests")
    assert (await call(doors, "sam", f"{cover}/accept")).status_code == 404
