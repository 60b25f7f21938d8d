"""What goes wrong elsewhere with who is on duty; see docs/peer-bugs.md."""

from typing import cast

from tests.actions.configured import SMALL, world_on
from tests.peers.rosters import DAYS, at, roster, wall
from tocsin.actions.configure import apply, export, plan, read
from tocsin.testing.clock import MovableClock

WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]


async def test_daily_turns_on_weekdays_in_a_zone_put_everybody_on_duty(database: str) -> None:
    """The rotation of the report: ten hours from 08:00, Monday to Friday, in Paris."""
    async with roster(database, "2027-01-04T06:00Z") as r:
        hours = {"days": WORKDAYS, "from": "08:00", "to": "18:00"}
        await r.rotate(start="2027-01-04T08:00", time_zone="Europe/Paris", restrictions=[hours])
        found = await r.get(
            "schedules/primary/shifts", **{"from": "2027-01-04T06:00Z", "to": "2027-01-18T06:00Z"}
        )
        got = [(one["user"], one["from"][:16], one["to"][11:16]) for one in found["shifts"]]
        assert got == [
            (user, f"2027-01-{day:02}T07:00", "17:00")
            for day, user in zip(
                (4, 5, 6, 7, 8, 11, 12, 13, 14, 15),
                ("mara", "jonas", "mara", "jonas", "mara") + ("jonas", "mara") * 2 + ("jonas",),
                strict=True,
            )
        ]
        assert await r.paged("2027-01-05T10:00Z") == ["jonas"]


async def test_an_override_is_saved_and_neither_shown_nor_applied(database: str) -> None:
    async with roster(database, "2027-01-04T09:00Z") as r:
        await r.make(
            "overrides",
            {
                "team": "soc",
                "schedule": "primary",
                "user": "sam",
                "replaces": "jonas",
                "from": "2027-01-05T00:00",
                "to": "2027-01-08T00:00",
            },
        )
        found = await r.shifts("2027-01-05T00:00Z", "2027-01-08T12:00Z")
        assert [user for user, _, _ in found] == ["mara", "sam", "mara", "sam", "jonas", "mara"]
        (duty,) = (await r.get("duty", team="soc", at="2027-01-05T12:00:00Z"))["items"]
        assert (duty["user"], duty["why"]) == ("sam", "override")
        assert await r.paged("2027-01-05T12:00Z") == ["sam"]
        assert await r.paged("2027-01-06T12:00Z") == ["mara"], "she is not replaced"


async def test_editing_a_date_shifts_its_time(database: str) -> None:
    async with roster(database, "2027-07-10T12:00Z") as r:
        shown = await r.get("schedules/primary")
        for changed in ("2027-02-01T09:00", "2027-08-02T09:00"):
            (rotation,) = shown["rotations"]
            assert wall_of(rotation["start"]) == "09:00"
            body = {"rotations": [{**rotation, "start": changed}]}
            shown = await r.patch("schedules/primary", body)
            assert shown["rotations"][0]["start"] == changed
        found = await r.shifts("2027-08-03T00:00Z", "2027-08-05T00:00Z")
        assert [wall(begin) for _, begin, _ in found[1:]] == ["09:00", "09:00"]


async def test_editing_a_rotation_changes_who_is_on_duty_now(database: str) -> None:
    async with roster(database, "2027-01-04T12:00Z") as r:
        turned = {"rotations": [{**DAYS, "participants": ["jonas", "mara"]}]}
        changed = await r.patch("schedules/primary?keep_current=true", turned)
        (told,) = changed["warnings"]
        assert told.startswith("soc/primary: takes effect at 2027-01-05 09:00 (Europe/Berlin);")
        assert await r.paged("2027-01-04T13:00Z") == ["mara"]
        found = await r.shifts("2027-01-04T13:00Z", "2027-01-06T12:00Z")
        assert [(user, wall(end)) for user, _, end in found] == [
            ("mara", "09:00"),
            ("mara", "09:00"),
            ("jonas", "13:00"),
        ]


async def test_a_configuration_differs_for_ever_by_its_offsets(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        written = await export(world)
        clock = cast("MovableClock", world.clock)
        for day in ("2026-12-24T12:00Z", "2027-07-04T12:00Z"):
            await clock.move_to(at(day))
            assert not (await plan(world, read(SMALL))).changes
            assert await export(world) == written
        assert not (await plan(world, read(written))).changes


def wall_of(written: str) -> str:
    """The time of day of a moment that is written without an offset."""
    day, _, time = written.partition("T")
    assert len(day) == 10
    return time
