"""A team's definition worked out without being stored."""

from collections.abc import Mapping
from datetime import datetime

import pytest

from tocsin.actions.configure import ConfigureError, preview
from tocsin.core.schedule import told

at = datetime.fromisoformat
PEOPLE = ("mara", "jonas")
DAYS = {"participants": ["mara", "jonas"], "start": "2026-12-21T09:00", "unit": "day"}
SPAN = (at("2026-12-23T12:00:00+01:00"), at("2026-12-28T12:00:00+01:00"))


async def _shifts(**team: object) -> tuple[list[tuple[str, str, str, str]], tuple[str, ...]]:
    definition: dict[str, object] = {"time_zone": "Europe/Berlin", "schedules": {}, **team}
    found = await preview(definition, *SPAN, PEOPLE)
    spans = [
        (shift.user, f"{shift.from_:%d %H}", f"{shift.to:%d %H}", told(shift.why))
        for _, timeline in found.schedules.values()
        for shift in timeline.shifts
    ]
    return spans, found.warnings


def _schedule(*rotations: Mapping[str, object], **more: object) -> dict[str, object]:
    return {"primary": {"tier": 1, "rotations": list(rotations), **more}}


async def test_holidays_of_the_country_and_ones_own_days_count() -> None:
    party = {**DAYS, "name": "party", "participants": ["mara"], "on_holidays": "only"}
    spans, warnings = await _shifts(
        schedules=_schedule({**DAYS, "on_holidays": "skip", "name": "days"}, party),
        holidays={"country": "DE", "days": [{"date": "2026-12-24", "name": "Eve"}]},
    )
    assert spans == [
        ("mara", "23 11", "23 23", "rotation days"),
        ("mara", "23 23", "24 08", "holiday party"),
        ("mara", "24 08", "25 08", "holiday party"),
        ("mara", "25 08", "26 08", "holiday party"),
        ("mara", "26 08", "26 23", "holiday party"),
        ("jonas", "26 23", "27 08", "rotation days"),
        ("mara", "27 08", "28 08", "rotation days"),
        ("jonas", "28 08", "28 11", "rotation days"),
    ]
    assert warnings == ()


async def test_events_temporary_schedules_and_overrides_count() -> None:
    nobody: list[object] = []
    spans, _ = await _shifts(
        schedules=_schedule(
            {**DAYS, "name": "days", "unit": "month"},
            events=[
                {
                    "users": ["jonas"],
                    "from": "2026-12-01T20:00",
                    "to": "2026-12-02T06:00",
                    "rrule": "FREQ=WEEKLY;BYDAY=WE,TH",
                }
            ],
            overrides=[{"user": "jonas", "from": "2026-12-26T12:00", "to": "2026-12-26T18:00"}],
            temporary=[{"from": "2026-12-27", "to": "2026-12-28", "shifts": nobody}],
        )
    )
    assert spans == [
        ("mara", "23 11", "23 19", "rotation days"),
        ("jonas", "23 19", "24 05", "event"),
        ("mara", "24 05", "24 19", "rotation days"),
        ("jonas", "24 19", "25 05", "event"),
        ("mara", "25 05", "26 11", "rotation days"),
        ("jonas", "26 11", "26 17", "override"),
        ("mara", "26 17", "26 23", "rotation days"),
        ("mara", "27 23", "28 11", "rotation days"),
    ]


async def test_time_off_of_somebody_on_duty_is_told() -> None:
    spans, warnings = await _shifts(
        schedules=_schedule({**DAYS, "name": "days"}),
        time_off=[{"user": "jonas", "from": "2026-12-24T12:00", "to": "2026-12-24T18:00"}],
    )
    assert ("jonas", "24 08", "25 08", "rotation days") in spans
    off = "jonas has time off from 2026-12-24 12:00 to 2026-12-24 18:00"
    duty = "is on duty in primary from 2026-12-24 09:00 to 2026-12-25 09:00 (Europe/Berlin)"
    assert warnings == (f"{off} and {duty}",)


async def test_the_sun_is_followed_around_the_world() -> None:
    hours = [
        ("Europe/Berlin", "08:00", "16:00", "mara"),
        ("America/New_York", "10:00", "18:00", "jonas"),
        ("Australia/Sydney", "10:00", "18:00", "mara"),
    ]
    rotations = [
        {
            "name": zone,
            "participants": [user],
            "start": "2026-12-01T00:00",
            "time_zone": zone,
            "restrictions": [
                {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": a, "to": b}
            ],
        }
        for zone, a, b, user in hours
    ]
    schedules = {tier: {"tier": tier, "rotations": rotations} for tier in (1, 2, 3, "manager")}
    definition = {
        "time_zone": "Europe/Berlin",
        "schedules": {str(tier): body for tier, body in schedules.items()},
    }
    found = await preview(definition, *SPAN, PEOPLE)
    assert [schedule.tier for schedule, _ in found.schedules.values()] == ["1", "2", "3", "manager"]
    for _, timeline in found.schedules.values():
        assert timeline.gaps == ()
        zones = [told(shift.why).removeprefix("rotation ") for shift in timeline.shifts]
        assert zones == [zone for zone, *_ in (*hours * 5, hours[0])]


@pytest.mark.parametrize(
    ("holidays", "fault"),
    [
        ({"country": "ZZ"}, "no holidays are known for the country 'ZZ'"),
        ({"country": "US", "subdivision": "Bavaria"}, "no holidays are known for 'Bavaria' in US"),
    ],
)
async def test_a_country_without_a_calendar_is_refused(
    holidays: dict[str, str], fault: str
) -> None:
    with pytest.raises(ConfigureError) as refused:
        await _shifts(holidays=holidays)
    assert fault in str(refused.value.faults[0])
