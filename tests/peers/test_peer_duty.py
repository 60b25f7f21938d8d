"""What goes wrong elsewhere with who is on duty; see docs/peer-bugs.md."""

from tests.peers.rosters import roster, wall

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


def wall_of(written: str) -> str:
    """The time of day of a moment that is written without an offset."""
    day, _, time = written.partition("T")
    assert len(day) == 10
    return time
