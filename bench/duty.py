"""How fast schedules become shifts, and how fast it is found who is on duty."""

import asyncio
import json
import random
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bench.figures import Figure
from bench.stage import Stage, fetch
from tocsin.core.schedule import Schedule, shifts
from tocsin.store.db import Connection, Database, migrate, rows, run
from tocsin.store.schedules import schedule_of
from tocsin.store.shifts import HORIZON, duties, materialise

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
_PEOPLE = [f"person-{number}" for number in range(20)]
_SCHEDULES = 1000
_PER_TEAM = 10
_SHIFTS = 10_000_000
_PER_SCHEDULE = 10_000
_ASKED = 500


async def year(_stage: Stage) -> list[Figure]:
    """A year of final shifts: 5 rotations, 20 people, 50 overrides, holidays."""
    schedule = _schedule()
    end = NOW + timedelta(days=365)
    took: list[float] = []
    found = shifts(schedule, NOW, end)
    for _ in range(9):
        begun = time.perf_counter()
        found = shifts(schedule, NOW, end)
        took.append(1000 * (time.perf_counter() - begun))
    return [
        Figure(
            name="a year of final shifts",
            value=statistics.median(took),
            unit="ms",
            limit=60,
            note=f"{len(found.shifts)} shifts, {len(found.gaps)} gaps; longest {max(took):.0f} ms",
        )
    ]


async def ahead(stage: Stage) -> list[Figure]:
    """90 days of 1,000 schedules worked out and stored, one process; then again unchanged."""
    dsn = await stage.database()
    await migrate(dsn)
    database = Database(dsn, size=2)
    try:
        async with database.transaction() as connection:
            await _many(connection)
        first = await _worked_out(database)
        again = await _worked_out(database)
    finally:
        await database.close()
    stored = await fetch(dsn, "SELECT count(*) FROM shift")
    wrong = "" if stored > _SCHEDULES else f"only {stored} shifts were stored"
    return [
        Figure(
            name=f"{HORIZON.days} days of {_SCHEDULES:,} schedules worked out and stored",
            value=first.took,
            unit="s",
            limit=60,
            note=f"{stored:,} shifts; unchanged {again.took:.1f} s",
            wrong=wrong,
        ),
        Figure(
            name="longest hold of the event loop, in processor time",
            value=1000 * max(first.held, again.held),
            unit="ms",
            limit=200,
            note=f"by the clock {1000 * max(first.late, again.late):.0f} ms",
        ),
    ]


async def who(stage: Stage) -> list[Figure]:
    """Who is on duty in a team at a moment, from a table of 10 million shifts."""
    dsn = await stage.database()
    await migrate(dsn)
    teams = _SHIFTS // _PER_SCHEDULE
    database = Database(dsn, size=1)
    took: list[float] = []
    empty: list[float] = []
    found = 0
    chance = random.Random(7)
    try:
        await _table(dsn, teams)
        for _ in range(_ASKED):
            team = chance.randint(1, teams)
            at = NOW + chance.random() * timedelta(hours=_PER_SCHEDULE)
            async with database.transaction() as connection:
                begun = time.perf_counter()
                found += len(await duties(connection, [team], at))
                took.append(1000 * (time.perf_counter() - begun))
                begun = time.perf_counter()
                await rows(connection, "SELECT 1")
                empty.append(1000 * (time.perf_counter() - begun))
    finally:
        await database.close()
    took.sort()
    return [
        Figure(
            name=f"who is on duty, of {_SHIFTS:,} shifts: p50",
            value=took[len(took) // 2],
            unit="ms",
            limit=2,
            note=f"p99 {took[len(took) * 99 // 100]:.2f} ms;"
            f" SELECT 1 {statistics.median(empty):.2f} ms",
            wrong="" if found == _ASKED else f"{found} people found, not {_ASKED}",
        )
    ]


def _schedule() -> Schedule:
    days = {date(2026, 12, 1) + timedelta(days=25 * n): "a holiday" for n in range(14)}
    return schedule_of("primary", _body(0), _overrides(), "Europe/Berlin", days)


def _body(turn: int) -> Mapping[str, object]:
    """Five rotations; with another turn other people begin."""
    people = _PEOPLE[turn:] + _PEOPLE[:turn]
    every = {"participants": people, "start": "2026-01-05T09:00"}
    office = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}
    night = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "21:00", "to": "06:00"}
    weekend = {"from_day": "fri", "from": "18:00", "to_day": "mon", "to": "08:00"}
    return {
        "tier": 1,
        "rotations": [
            {**every, "name": "weeks", "unit": "week"},
            {**every, "name": "office", "unit": "day", "restrictions": [office]},
            {
                **every,
                "name": "nights",
                "unit": "day",
                "restrictions": [night],
                "time_zone": "America/New_York",
            },
            {**every, "name": "weekends", "unit": "week", "restrictions": [weekend]},
            {**every, "name": "holidays", "unit": "month", "on_holidays": "only"},
        ],
    }


def _overrides() -> list[dict[str, object]]:
    begin = datetime.fromisoformat("2026-12-01T09:00")
    spans = [begin + timedelta(days=7 * number) for number in range(50)]
    return [
        {
            "user": _PEOPLE[number % len(_PEOPLE)],
            "from": at.isoformat(timespec="minutes"),
            "to": (at + timedelta(hours=12)).isoformat(timespec="minutes"),
        }
        for number, at in enumerate(spans)
    ]


async def _many(connection: Connection) -> None:
    teams = _SCHEDULES // _PER_TEAM
    await run(connection, "INSERT INTO app_user (name) SELECT unnest($1::text[])", _PEOPLE)
    await run(
        connection,
        "INSERT INTO team (id, name, time_zone, body) SELECT n, 'team-' || n, 'Europe/Berlin',"
        """ '{"holidays": {"country": "DE", "subdivision": "BE"}}' FROM generate_series(1, $1) n""",
        teams,
    )
    bodies = [json.dumps(_body(turn)) for turn in range(len(_PEOPLE))]
    await run(
        connection,
        "INSERT INTO schedule (team_id, name, tier, body)"
        " SELECT n % $1 + 1, 'schedule-' || n, '1', ($3::jsonb[])[n % 20 + 1]"
        " FROM generate_series(1, $2) n",
        teams,
        _SCHEDULES,
        bodies,
    )
    await run(
        connection,
        "INSERT INTO schedule_override (team_id, schedule_id, position, body)"
        " SELECT s.team_id, s.id, o.n, o.body FROM schedule s,"
        " unnest($1::jsonb[]) WITH ORDINALITY AS o(body, n)",
        [json.dumps(one) for one in _overrides()],
    )


@dataclass(slots=True)
class _Pass:
    """Seconds that a pass took, and for which the event loop was held at most.

    `held` counts the processor, which other programs do not lengthen; `late` is by the clock.
    """

    took: float = 0
    held: float = 0
    late: float = 0


async def _worked_out(database: Database) -> _Pass:
    found, begun = _Pass(), time.monotonic()

    async def watch() -> None:
        last, used = time.monotonic(), time.process_time()
        while True:
            await asyncio.sleep(0.001)
            found.late = max(found.late, time.monotonic() - last)
            found.held = max(found.held, time.process_time() - used)
            last, used = time.monotonic(), time.process_time()

    watching = asyncio.create_task(watch())
    try:
        for team in range(1, _SCHEDULES // _PER_TEAM + 1):
            async with database.transaction() as connection:
                await materialise(connection, team, NOW)
    finally:
        watching.cancel()
    found.took = time.monotonic() - begun
    return found


async def _table(dsn: str, teams: int) -> None:
    """Hourly shifts of one schedule in each team, on the pages as the years leave them."""
    await fetch(
        dsn, "INSERT INTO app_user (id, name) SELECT n, 'u' || n FROM generate_series(1, 100) n"
    )
    await fetch(
        dsn,
        "INSERT INTO team (id, name, time_zone)"
        f" SELECT n, 'team-' || n, 'UTC' FROM generate_series(1, {teams}) n",
    )
    await fetch(dsn, "DROP INDEX ix_shift_during")  # built at the end, as it is faster
    await fetch(
        dsn,
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, why, during)"
        " SELECT t, 1, '1', h % 100 + 1, 'rotation hours', tstzrange("
        f"'{NOW.isoformat()}'::timestamptz + h * interval '1 hour',"
        f"'{NOW.isoformat()}'::timestamptz + (h + 1) * interval '1 hour')"
        f" FROM generate_series(0, {_PER_SCHEDULE - 1}) h, generate_series(1, {teams}) t",
    )
    await fetch(dsn, "CREATE INDEX ix_shift_during ON shift USING gist (team_id, during)")
    await fetch(dsn, "VACUUM ANALYZE shift")
