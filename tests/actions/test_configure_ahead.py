"""What a plan says about duty in the time ahead."""

from dataclasses import replace
from datetime import timedelta

from tests.actions.configured import NOW, SMALL, execute, snapshot, world_on
from tests.house import ROOT
from tocsin.actions.configure import Look, Report, apply, plan, read
from tocsin.actions.world import World
from tocsin.cli.differences import difference_lines
from tocsin.cli.reporting import lines
from tocsin.core.coverage import Kind, Limits

LOOK = Look()
MEMBERS = "    members:"
POLICY = "{notify: [{duty: 1}], wait: 5m}"


async def _planned(world: World, text: str, look: Look = LOOK) -> Report:
    return await plan(world, read(text), look=look)


def _differences(report: Report) -> list[tuple[str, str, str, tuple[str, ...], tuple[str, ...]]]:
    return [
        (team, f"{one.from_:%m-%d %H}", f"{one.to:%m-%d %H}", one.before, one.after)
        for team, found in report.compared.items()
        for one in found.differences
    ]


async def test_a_changed_rotation_is_told_as_who_takes_whose_place(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        before = await snapshot(world)
        report = await _planned(world, SMALL.replace("[mara, jonas]", "[mara]"))
        assert await snapshot(world) == before
    assert _differences(report) == [
        ("soc", "11-24 07", "11-30 08", ("jonas",), ("mara",)),
        ("soc", "12-07 08", "12-14 08", ("jonas",), ("mara",)),
        ("soc", "12-21 08", "12-22 07", ("jonas",), ("mara",)),
    ]
    found = report.compared["soc"]
    assert (found.plan.from_, found.plan.to) == (NOW, NOW + timedelta(days=28))
    hours = {one.user: one.on_duty for one in found.shares_after}
    assert hours == {"jonas": timedelta(), "mara": timedelta(days=28)}
    (nights,) = [one for one in found.findings if one.kind is Kind.NIGHTS_IN_A_ROW]
    assert (nights.nights, nights in found.new) == (28, True)


async def test_the_example_in_the_document_is_what_is_told(database: str) -> None:
    document = (ROOT / "docs/planning.md").read_text("utf-8")
    begin = document.index("would create: override soc/primary")
    example = document[begin : document.index("```", begin)].splitlines()
    cover = "          - {user: mara, from: 2026-11-25T18:00, to: 2026-11-26T08:00}\n"
    text = SMALL.replace("unit: week}", "unit: week, active_until: 2026-12-14T09:00}").replace(
        "    escalation_policies:", f"{cover}    escalation_policies:"
    )
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        report = await _planned(world, text)
    told = [*lines(report, would=True), *difference_lines("soc", report.compared["soc"])]
    assert told == example


async def test_what_alters_no_duty_is_not_looked_at_unless_all_is_asked_for(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        text = SMALL.replace(POLICY, "{notify: [{duty: 1}], wait: 6m}")
        assert (await _planned(world, text)).compared == {}
        assert (await plan(world, read(text))).compared == {}
        every = await _planned(world, text, replace(LOOK, every=True, limits=Limits(nights=7)))
        assert [*every.compared] == ["soc"]
        assert _differences(every) == []
        assert not every.compared["soc"].findings


async def test_a_new_team_has_nothing_before_and_one_that_goes_nothing_after(
    database: str,
) -> None:
    async with world_on(database) as world:
        new = await _planned(world, SMALL)
        assert new.compared["soc"].coverage_before is None
        assert {before for _, _, _, before, _ in _differences(new)} == {()}
        await apply(world, read(SMALL))
        other = SMALL.replace("  soc:", "  noc:").replace("plant-secret-0001", "plant-secret-0002")
        moved = await _planned(world, other)
    assert {after for team, *_, after in _differences(moved) if team == "soc"} == {()}
    assert moved.compared["soc"].coverage_after.tiers == {}
    assert moved.compared["soc"].gone


async def test_who_is_no_longer_active_leaves_a_gap(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        report = await _planned(world, SMALL.replace("  jonas:\n", "  jonas:\n    active: false\n"))
    assert _differences(report)[0] == ("soc", "11-24 07", "11-30 08", ("jonas",), ())
    assert [one.kind for one in report.compared["soc"].new][:1] == [Kind.GAP]


async def test_what_was_made_here_counts_on_both_sides(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        await execute(
            world,
            "INSERT INTO schedule_override (team_id, schedule_id, body, changed_by, changed_at)"
            " SELECT team_id, id, $1, 'ada', $2 FROM schedule",
            '{"user": "mara", "from": "2026-11-25T08:00Z", "to": "2026-11-25T09:00Z"}',
            NOW,
        )
        report = await _planned(world, SMALL.replace("[mara, jonas]", "[mara]"))
    assert _differences(report)[:2] == [
        ("soc", "11-24 07", "11-25 08", ("jonas",), ("mara",)),
        ("soc", "11-25 09", "11-30 08", ("jonas",), ("mara",)),
    ]


async def test_time_off_is_found_where_it_collides(database: str) -> None:
    off = "    time_off: [{user: mara, from: 2026-12-01, to: 2026-12-02}]\n"
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        report = await _planned(world, SMALL.replace(MEMBERS, f"{off}{MEMBERS}"))
    assert [one.kind for one in report.compared["soc"].new] == [Kind.TIME_OFF]
    assert not [*difference_lines("soc", report.compared["soc"])]  # the warnings have it


async def test_a_second_place_is_told_though_nobody_else_is_on_duty(database: str) -> None:
    again = """\
      again:
        tier: 1
        rotations:
          - {participants: [mara, jonas], start: 2026-11-02T09:00, unit: week}
    escalation_policies:"""
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        report = await _planned(world, SMALL.replace("    escalation_policies:", again))
    told = [*difference_lines("soc", report.compared["soc"])]
    assert report.compared["soc"].differences == ()
    assert "  new: jonas is on duty in again and primary at once" in told[1]
    assert not [line for line in told if "coverage" in line]
