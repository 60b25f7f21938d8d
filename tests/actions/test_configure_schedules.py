"""Rotations, events, temporary schedules, holidays and time off in the configuration."""

from datetime import UTC, datetime

import pytest

from tests.actions.configured import PLUG_INS, SMALL, select, world_on
from tocsin.actions.configure import Choices, Report, apply, plan, read
from tocsin.actions.configure.check import Check, known_names
from tocsin.actions.configure.faults import with_lines
from tocsin.actions.configure.tree import check_tree
from tocsin.actions.world import World
from tocsin.store.paging import team_context

WEEK = "start: 2026-11-02T09:00, unit: week"
OVERRIDE = "          - {user: jonas, from: 2026-12-24T18:00, to: 2026-12-25T09:00}\n"
EVENT = "        events: [{{users: {}, from: 2026-12-01, to: 2026-12-02, rrule: {}}}]\n"
TEMPORARY = (
    "        temporary: [{{from: 2026-12-01, to: 2026-12-03,"
    " shifts: [{{user: mara, from: {}, to: {}}}]}}]\n"
)


def _with(team: str = "", schedule: str = "", rotation: str = "") -> str:
    """The small file with more keys in the team, its schedule, its rotation."""
    text = SMALL.replace("    members:", f"{team}    members:")
    text = text.replace(WEEK, f"{WEEK}{rotation}")
    return text.replace(OVERRIDE, f"{OVERRIDE}{schedule}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (SMALL.replace("[mara, jonas]", "[[], jonas]"), "participants[0]: name at least one user"),
        (_with(rotation=", active_until: 2026-11-01"), "active_until: it ends before it begins"),
        (_with(rotation=", active_until: 2026-11-02T08:00Z"), "it ends before it begins"),
        (
            _with(
                rotation=", active_until: 2026-11-03,"
                ' restrictions: [{days: [fri], from: "09:00", to: "17:00"}]'
            ),
            "no restriction opens between `start` and this",
        ),
        (
            _with(rotation=', restrictions: [{days: [], from: "09:00", to: "17:00"}]'),
            "give at least one of mon",
        ),
        (_with(rotation=", on_holidays: only"), "the team has no holidays"),
        (_with(rotation=", on_holidays: both"), "'both' is not one of only, skip"),
        (_with(rotation=", time_zone: Mars/Base"), "'Mars/Base' is not a time zone"),
        (SMALL.replace("{user: jonas, from", "{user: jonas, swap: true, from"), "no such key"),
        (SMALL.replace("to: 2026-12-25T09:00", "to: 2026-12-24T12:00Z"), "it ends before it"),
        (_with(schedule=EVENT.format("[]", "FREQ=DAILY")), "name at least one user"),
        (_with(schedule=EVENT.format("[eve]", "FREQ=DAILY")), "there is no user 'eve'"),
        (_with(schedule=EVENT.format("[mara]", "FREQ=HOURLY")), "begin with FREQ=DAILY"),
        (
            _with(schedule=EVENT.format("[mara]", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")),
            "names no time that ever comes",
        ),
        (_with(schedule=TEMPORARY.format("2026-12-03", "2026-12-04")), "it lies outside"),
        (_with(schedule=TEMPORARY.format("2026-12-02", "2026-12-01")), "it ends before"),
        (_with("    holidays: {country: ZZ}\n"), "country: no holidays are known for the country"),
        (
            _with("    holidays: {country: DE, subdivision: be}\n"),
            "no holidays are known for 'be' in DE; did you mean BE?",
        ),
        (_with("    holidays: {subdivision: BE}\n"), "subdivision: give the country"),
        (
            _with("    holidays: {days: [{date: 2026-02-30}]}\n"),
            "'2026-02-30' is not a day of the calendar",
        ),
        (
            _with("    time_off: [{user: eve, from: 2026-12-01, to: 2026-12-02}]\n"),
            "time_off[0].user: there is no user 'eve'",
        ),
        (
            _with("    time_off: [{user: mara, from: 2026-12-02, to: 2026-12-01}]\n"),
            "time_off[0].to: it ends before it begins",
        ),
    ],
)
def test_what_can_never_be_is_refused_with_its_place(text: str, fault: str) -> None:
    document = read(text)
    check = Check(known_names(document.value), PLUG_INS)
    check_tree(document.value, check)
    found = [str(one) for one in with_lines(check.faults.found, document.lines)]
    assert any(fault in line for line in found), found


def test_an_event_that_does_not_begin_by_its_rule_is_noted() -> None:
    document = read(_with(schedule=EVENT.format("[mara]", "FREQ=WEEKLY;BYDAY=MO")))
    check = Check(known_names(document.value), PLUG_INS)
    check_tree(document.value, check)
    assert not check.faults.found
    place = "teams.soc.schedules.primary.events[0]"
    first = "2026-12-07T00:00:00"
    assert check.notes == [
        f"{place}: `from` is no time of `rrule`: it begins for the first time at {first}"
    ]


async def _shifts(world: World, from_: str, to: str) -> list[tuple[str, str, str, str]]:
    found = await select(
        world,
        "SELECT u.name, lower(during) AS begins, upper(during) AS ends, why FROM shift"
        " JOIN app_user u ON u.id = user_id"
        " WHERE during && tstzrange($1, $2) ORDER BY lower(during), u.name",
        datetime.fromisoformat(from_),
        datetime.fromisoformat(to),
    )
    return [(r["name"], f"{r['begins']:%d %H}", f"{r['ends']:%d %H}", r["why"]) for r in found]


async def test_events_temporary_schedules_and_holidays_become_shifts(database: str) -> None:
    text = _with(
        "    holidays: {country: DE, subdivision: BE, days: [{date: 2026-12-08, name: ours}]}\n",
        EVENT.format("[jonas]", "FREQ=WEEKLY;BYDAY=TU")
        + TEMPORARY.format("2026-12-02T06:00", "2026-12-02T18:00"),
        f"}}\n          - {{name: days off, participants: [mara], {WEEK}, on_holidays: only",
    )
    async with world_on(database) as world:
        report = await apply(world, read(text))
        assert report.warnings == ()
        assert await _shifts(world, "2026-12-01T12:00Z", "2026-12-03T12:00Z") == [
            ("mara", "02 05", "02 17", "temporary"),
            ("mara", "02 23", "07 08", "rotation weeks"),
        ]
        assert await _shifts(world, "2026-12-07T20:00Z", "2026-12-08T22:00Z") == [
            ("jonas", "07 08", "07 23", "rotation weeks"),
            ("jonas", "07 23", "08 23", "event"),
        ]
        assert await _shifts(world, "2026-12-24T20:00Z", "2026-12-26T22:00Z") == [
            ("jonas", "24 17", "25 08", "override"),
            ("mara", "25 08", "26 23", "holiday days off"),
        ]
        assert not (await plan(world, read(text))).changes


async def test_paging_looks_the_days_of_the_country_up(database: str) -> None:
    text = _with("    holidays: {country: DE, days: [{date: 2026-12-24, name: ours}]}\n")
    christmas = datetime(2026, 12, 24, 12, tzinfo=UTC)
    async with world_on(database) as world:
        await apply(world, read(text))
        async with world.database.transaction() as connection:
            days = (await team_context(connection, 1, christmas)).holidays
        assert sorted(f"{day:%m-%d}" for day in days) == ["12-24", "12-25", "12-26"]
        await apply(world, read(SMALL))
        async with world.database.transaction() as connection:
            assert (await team_context(connection, 1, christmas)).holidays == frozenset()


async def _edited(world: World, new: str, *, keep: bool) -> Report:
    await apply(world, read(SMALL))
    return await apply(world, read(SMALL.replace("[mara, jonas]", new)), Choices(keep_current=keep))


async def test_an_edit_that_keeps_who_is_on_duty_waits_for_the_end_of_the_shift(
    database: str,
) -> None:
    told = "soc/primary: takes effect at 2026-11-30 09:00 (Europe/Berlin); until then as planned"
    async with world_on(database) as world:
        report = await _edited(world, "[mara]", keep=True)
        assert [duty.user_name for duty in report.duty_after] == ["jonas"]
        assert report.warnings == (f"{told}: jonas",)
        assert await _shifts(world, "2026-11-24T07:00Z", "2026-12-01T00:00Z") == [
            ("jonas", "24 07", "30 08", "rotation weeks"),
            ("mara", "30 08", "07 08", "rotation weeks"),
        ]
        again = await apply(world, read(SMALL.replace("[mara, jonas]", "[mara]")))
        assert not again.changes
        assert [duty.user_name for duty in again.duty_after] == ["jonas"]


async def test_what_an_edit_keeps_outlives_an_edit_of_something_else(database: str) -> None:
    async with world_on(database) as world:
        await _edited(world, "[mara]", keep=True)
        holidays = "    holidays: {days: [{date: 2031-05-05, name: ours}]}\n"
        other = await apply(world, read(_with(holidays).replace("[mara, jonas]", "[mara]")))
        assert [duty.user_name for duty in other.duty_after] == ["jonas"]


async def test_who_is_put_on_duty_and_may_not_answer_is_told(database: str) -> None:
    viewer = SMALL.replace("{user: jonas, role: team_admin}", "{user: jonas, role: viewer}")
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        report = await apply(world, read(viewer))
        (told,) = (one for one in report.warnings if "may not answer" in one)
    assert told.startswith("jonas is on duty in soc/primary from 2026-11-24 ")
    assert told.endswith("and may not answer alerts there: only a viewer")


async def test_an_edit_that_keeps_nobody_takes_effect_at_once(database: str) -> None:
    async with world_on(database) as world:
        await _edited(world, "[mara]", keep=True)
        report = await apply(world, read(SMALL.replace("[mara, jonas]", "[mara, mara]")))
        assert [duty.user_name for duty in report.duty_after] == ["mara"]
        assert report.warnings == ()


async def test_time_off_of_somebody_on_duty_is_told_at_once_and_takes_nobody_off(
    database: str,
) -> None:
    text = _with("    time_off: [{user: mara, from: 2026-12-01, to: 2026-12-09}]\n")
    off = "mara has time off from 2026-12-01 00:00 to 2026-12-09 00:00"
    duty = "is on duty in soc/primary from 2026-12-01 00:00 to 2026-12-07 09:00 (Europe/Berlin)"
    async with world_on(database) as world:
        for report in (
            await plan(world, read(text)),
            await apply(world, read(text)),
            await apply(world, read(text)),  # nothing changes, and it still stands
        ):
            assert report.warnings == (f"{off} and {duty}",)
        shifts = await _shifts(world, "2026-12-01T00:00Z", "2026-12-02T00:00Z")
        assert shifts == [("mara", "30 08", "07 08", "rotation weeks")]
