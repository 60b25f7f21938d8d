"""What goes wrong elsewhere when clocks are set forth and back; see docs/peer-bugs.md.

Clocks in Berlin are set forth on 28 March 2027 at 01:00Z and back on 31 October 2027 at 01:00Z.
"""

from datetime import timedelta

from tests.peers.rosters import at, roster, wall

HOUR = timedelta(hours=1)


async def test_dst_every_shift_an_hour_off(database: str) -> None:
    async with roster(database, "2027-03-26T12:00Z") as r:
        assert await r.paged("2027-03-27T07:59Z") == ["jonas"]  # 08:59 in winter
        assert await r.paged("2027-03-27T08:01Z") == ["mara"]
        assert await r.paged("2027-03-29T06:59Z") == ["jonas"]  # 08:59 in summer
        assert await r.paged("2027-03-29T07:01Z") == ["mara"]


async def test_dst_the_hours_of_a_policy_an_hour_off(database: str) -> None:
    async with roster(database, "2027-03-26T12:00Z") as r:
        office = {"notify": [{"duty": 1}], "wait": "5m", "when": {"from": "09:00", "to": "17:00"}}
        else_ = {"notify": [{"user": "ada"}], "wait": "5m"}
        await r.patch("escalation-policies/default", {"steps": [office, else_]})
        assert await r.paged("2027-03-26T15:59Z") == ["jonas"]  # 16:59 in winter
        assert await r.paged("2027-03-26T16:01Z") == ["ada"]
        assert await r.paged("2027-03-29T14:59Z") == ["mara"]  # 16:59 in summer
        assert await r.paged("2027-03-29T15:01Z") == ["ada"]


async def test_dst_a_week_counted_in_seconds(database: str) -> None:
    async with roster(database, "2027-01-04T08:00Z") as r:
        await r.rotate(unit="week")
        found = await r.shifts("2027-01-04T08:00Z", "2028-01-03T08:00Z")
        assert [end for _, _, end in found[:-1]] == [begin for _, begin, _ in found[1:]]
        assert [user for user, _, _ in found] == ["mara", "jonas"] * 26
        assert {f"{begin:%a} {wall(begin)}" for _, begin, _ in found} == {"Mon 09:00"}
        lengths = {end - begin - timedelta(days=7) for _, begin, end in found}
        assert lengths == {timedelta(), -HOUR, HOUR}


async def test_dst_a_shift_across_the_change_is_cut_short(database: str) -> None:
    async with roster(database, "2027-03-26T12:00Z") as r:
        written = {"from": "2027-03-27T20:00", "to": "2027-03-28T08:00"}
        cover = {"team": "soc", "schedule": "primary", "user": "vera", **written}
        await r.make("overrides", cover)
        found = await r.shifts("2027-03-27T12:00Z", "2027-03-28T12:00Z")
        assert [(user, wall(begin), wall(end)) for user, begin, end in found] == [
            ("mara", "13:00", "20:00"),
            ("vera", "20:00", "08:00"),
            ("mara", "08:00", "09:00"),
            ("jonas", "09:00", "14:00"),
        ]
        assert await r.paged("2027-03-28T05:59Z") == ["vera"]
        assert await r.paged("2027-03-28T06:01Z") == ["mara"]


async def test_dst_other_dates_shown_with_the_offset_of_today(database: str) -> None:
    async with roster(database, "2027-01-10T12:00Z") as r:
        for today in ("2027-01-10T12:00Z", "2027-07-10T12:00Z"):
            await r.doors.clock.move_to(at(today))
            for day, handoff in (("2027-02-01", "08:00"), ("2027-08-01", "07:00")):
                found = await r.shifts(f"{day}T00:00Z", f"{day}T12:00Z")
                assert [f"{end:%H:%M}" for _, _, end in found] == [handoff, "12:00"]


async def test_dst_the_offset_of_the_start_is_kept_all_year(database: str) -> None:
    async with roster(database, "2027-01-04T08:00Z") as r:
        for start in ("2027-01-04T09:00", "2026-07-06T09:00"):
            await r.rotate(start=start)
            shown = await r.get("schedules/primary")
            assert shown["rotations"][0]["start"] == start
            found = await r.shifts("2027-01-05T08:00Z", "2028-01-03T08:00Z")
            assert {wall(begin) for _, begin, _ in found} == {"09:00"}
            assert len(found) == 363


async def test_dst_a_handoff_in_the_repeated_hour_happens_twice(database: str) -> None:
    async with roster(database, "2027-10-29T12:00Z") as r:
        await r.rotate(start="2027-01-04T02:30")
        found = await r.shifts("2027-10-30T12:00Z", "2027-10-31T12:00Z")
        assert [(user, f"{end:%H:%M}") for user, _, end in found] == [
            ("jonas", "00:30"),  # the first 02:30
            ("mara", "12:00"),
        ]
        for moment, user in (("00:29", "jonas"), ("00:31", "mara"), ("01:31", "mara")):
            assert await r.paged(f"2027-10-31T{moment}Z") == [user]


async def test_dst_hourly_turns_leave_the_grid_of_the_clock(database: str) -> None:
    async with roster(database, "2027-01-04T08:00Z") as r:
        await r.rotate(unit="hour", every=2, start="2027-01-04T00:00")
        even = [f"{hour:02}:00" for hour in range(0, 24, 2)]
        jump = [even[0], "03:00", *even[2:]]  # 02:00 is skipped: the hand-off is at the jump
        for begin, end, hours in (
            ("2027-03-26T23:00Z", "2027-03-27T23:00Z", even),
            ("2027-03-27T23:00Z", "2027-03-28T22:00Z", jump),
            ("2027-03-28T22:00Z", "2027-03-29T22:00Z", even),
            ("2027-10-30T22:00Z", "2027-10-31T23:00Z", even),
        ):
            found = await r.shifts(begin, end)
            assert [wall(begins) for _, begins, _ in found] == hours


async def test_dst_the_last_of_the_month_found_by_dividing_hours(database: str) -> None:
    async with roster(database, "2027-02-01T12:00Z") as r:
        await r.doors.sql("UPDATE team SET time_zone = 'America/New_York' WHERE id = 1")
        await r.make(
            "maintenance-windows",
            {
                "name": "month end",
                "team": "soc",
                "from": "2027-01-31T00:00",
                "to": "2027-02-01T00:00",
                "rrule": "FREQ=MONTHLY;BYMONTHDAY=-1",
                "reason": "books are closed",
            },
        )
        assert await r.paged("2027-03-30T16:00Z") != []
        assert await r.paged("2027-03-31T16:00Z") == []  # of 743 hours, the 31st day
        assert await r.paged("2027-04-29T16:00Z") != []
        assert await r.paged("2027-04-30T16:00Z") == []


async def test_dst_slots_of_elapsed_seconds_move_the_handoff(database: str) -> None:
    async with roster(database, "2027-01-04T08:00Z") as r:
        await r.rotate(every=3, participants=["mara", "jonas", "sam"])
        found = await r.shifts("2027-01-04T08:00Z", "2028-01-03T08:00Z")
        assert {wall(begin) for _, begin, _ in found} == {"09:00"}
        turns = ["mara", "jonas", "sam"]
        assert [user for user, _, _ in found] == [turns[n % 3] for n in range(len(found))]
