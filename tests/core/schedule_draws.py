"""Schedules of every shape around clock changes, drawn at random."""

from datetime import datetime, time, timedelta

from hypothesis import strategies as st

from tocsin.core.localtime import wall_clock
from tocsin.core.schedule import (
    Combine,
    DailyWindow,
    Day,
    Event,
    FixedShift,
    OnHolidays,
    Override,
    Restriction,
    Rotation,
    Schedule,
    Temporary,
    Unit,
    WeeklyWindow,
)
from tocsin.core.timewindow import window

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PEOPLE = ("ada", "ben", "cleo", "dora", "emil")
CHANGES = (  # a zone and an instant at which its clock jumps
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z"),
    ("Africa/Casablanca", "2024-03-10T02:00Z"),
    ("Africa/Casablanca", "2024-04-14T02:00Z"),
    ("Asia/Kathmandu", "1985-12-31T18:30Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00Z"),
    ("America/Sao_Paulo", "2019-02-17T02:00Z"),
    ("Europe/Berlin", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00Z"),
    ("America/New_York", "2026-03-08T07:00Z"),
    ("America/New_York", "2026-11-01T06:00Z"),
)
ZONES = sorted({zone for zone, _ in CHANGES})

Asked = tuple[Schedule, datetime, datetime]


@st.composite
def asked(draw: st.DrawFn, *, grain: timedelta = 15 * MINUTE, reach: timedelta = 2 * DAY) -> Asked:
    """A schedule, and a time around a clock change in one of its zones; all on the grain."""
    zone, jump = draw(st.sampled_from(CHANGES))
    centre = datetime.fromisoformat(jump)
    local = wall_clock(centre, zone)
    steps = reach // grain
    before, length = draw(st.integers(0, steps)), draw(st.integers(1, 2 * steps))
    from_ = centre - before * grain
    schedule = Schedule(
        name="asked",
        tier="1",
        time_zone=zone,
        rotations=tuple(draw(st.lists(_rotations(local, grain, 5 * reach), max_size=3))),
        overrides=tuple(draw(st.lists(_overrides(centre, local, grain, reach), max_size=4))),
        combine=draw(st.sampled_from(Combine)),
        events=tuple(draw(st.lists(_events(local, zone, grain, reach), max_size=2))),
        temporary=tuple(draw(st.lists(_temporaries(centre, local, grain, reach), max_size=2))),
        holidays={
            local.date() + days * DAY: "a holiday"
            for days in draw(st.lists(st.integers(-3, 3), max_size=3))
        },
    )
    return schedule, from_, from_ + length * grain


@st.composite
def _rotations(draw: st.DrawFn, local: datetime, grain: timedelta, past: timedelta) -> Rotation:
    near = st.integers(-(past // grain), DAY // grain).map(lambda n: local + n * grain)
    until = st.none() | st.integers(-100, 100).map(lambda n: local + n * grain)
    return Rotation(
        name=draw(st.sampled_from(("red", "blue", "green"))),
        participants=tuple(draw(st.lists(_groups(), max_size=4))),
        start=draw(near),
        unit=draw(st.sampled_from((Unit.HOUR, Unit.DAY, Unit.WEEK))),
        every=draw(st.integers(1, 5)),
        handoff=draw(st.none() | near),
        active_until=draw(until),
        time_zone=draw(st.none() | st.sampled_from(ZONES)),
        restrictions=tuple(draw(st.lists(_restrictions(grain), max_size=2))),
        skip_closed_periods=draw(st.booleans()),
        on_holidays=draw(st.none() | st.sampled_from(OnHolidays)),
    )


@st.composite
def _events(
    draw: st.DrawFn, local: datetime, zone: str, grain: timedelta, reach: timedelta
) -> Event:
    begin = local + draw(st.integers(-(5 * reach // grain), reach // grain)) * grain
    end = begin + draw(st.integers(1, reach // grain)) * grain
    weekdays = st.lists(st.sampled_from(("MO", "TU", "WE", "TH", "FR", "SA", "SU")), min_size=1)
    daily = st.integers(1, 4).map(lambda n: f"FREQ=DAILY;INTERVAL={n}")
    rule = daily | weekdays.map(lambda days: f"FREQ=WEEKLY;BYDAY={','.join(days)}")
    return Event(draw(_groups()), window(begin, end, draw(st.none() | rule), zone))


@st.composite
def _temporaries(
    draw: st.DrawFn, centre: datetime, local: datetime, grain: timedelta, reach: timedelta
) -> Temporary:
    steps = st.integers(-(reach // grain), reach // grain)
    some = st.integers(1, reach // grain)

    def span() -> tuple[datetime, datetime]:
        begin = draw(st.sampled_from((centre, local))) + draw(steps) * grain
        return begin, begin + draw(some) * grain

    people = draw(st.lists(st.sampled_from(PEOPLE), max_size=3))
    return Temporary(*span(), tuple(FixedShift(user, *span()) for user in people))


def _groups() -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2).map(tuple)


def _restrictions(grain: timedelta) -> st.SearchStrategy[Restriction]:
    day = st.sampled_from(Day)
    # Half of the ends lie in the small hours, where clocks change.
    steps = st.integers(0, 4 * HOUR // grain) | st.integers(0, DAY // grain - 1)
    clock: st.SearchStrategy[time] = steps.map(
        lambda n: (datetime.fromisoformat("2000-01-01") + n * grain).time()
    )
    days = st.lists(day, min_size=1, max_size=7, unique=True).map(tuple)
    return st.builds(DailyWindow, days, clock, clock) | st.builds(
        WeeklyWindow, day, clock, day, clock
    )


@st.composite
def _overrides(
    draw: st.DrawFn, centre: datetime, local: datetime, grain: timedelta, reach: timedelta
) -> Override:
    base = draw(st.sampled_from((centre, local)))
    from_ = base + draw(st.integers(-(reach // grain), reach // grain)) * grain
    user = draw(st.sampled_from((None, *PEOPLE)))
    replaces = draw(st.sampled_from(PEOPLE if user is None else (None, *PEOPLE)))
    return Override(
        from_=from_,
        to=from_ + draw(st.integers(1, reach // grain)) * grain,
        user=user,
        replaces=replaces,
        extra=replaces is None and draw(st.booleans()),
    )
