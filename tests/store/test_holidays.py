"""The days of teams: worked out for their country, their own, those of an imported calendar."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

from tests.store.scene import NOW, scene
from tocsin.store.db import Connection, rows, run
from tocsin.store.holidays import defined, fault_of, holidays_of, keep_country

BODY = """{"holidays": {"country": "DE", "subdivision": "BE",
  "days": [{"date": "2026-12-24", "name": "Eve"}, {"date": "2026-12-25", "name": "ours"}]}}"""
WEEK = (datetime(2026, 12, 22, tzinfo=UTC), datetime(2026, 12, 29, tzinfo=UTC))
HORIZON = timedelta(days=90)


async def _days(connection: Connection) -> list[str]:
    found = await rows(connection, "SELECT day, origin FROM holiday WHERE team_id = 1 ORDER BY day")
    return [f"{row['day']:%m-%d} {row['origin']}" for row in found]


async def test_own_days_and_those_of_an_imported_calendar_stand_beside_the_countrys(
    database: str,
) -> None:
    async with scene(database) as db, db.transaction() as connection:
        await run(connection, "UPDATE team SET body = $1::jsonb WHERE id = 1", BODY)
        await run(
            connection,
            "INSERT INTO holiday (team_id, day, origin, name)"
            " VALUES (1, '2026-12-28', 'calendar', 'imported')",
        )
        found = await holidays_of(connection, 1, *WEEK)
        assert {f"{day:%m-%d}": name for day, name in found.items()} == {
            "12-24": "Eve",
            "12-25": "ours",
            "12-26": "Second Day of Christmas",
            "12-28": "imported",
            "01-01": "New Year's Day",
        }
        assert await holidays_of(connection, 99, *WEEK) == {}


async def test_the_days_written_down_follow_the_country_and_leave_the_past_and_imports(
    database: str,
) -> None:
    async with scene(database) as db, db.transaction() as connection:
        await run(
            connection,
            "INSERT INTO holiday (team_id, day, origin, name) VALUES"
            " (1, '2026-10-03', 'country', 'past'), (1, '2026-12-28', 'calendar', 'imported')",
        )
        await run(connection, "UPDATE team SET body = $1::jsonb WHERE id = 1", BODY)
        await keep_country(connection, 1, NOW, HORIZON)
        country = ["12-25 country", "12-26 country"]
        others = ["10-03 country", "12-28 calendar", "01-01 country"]
        assert await _days(connection) == [others[0], *country, *others[1:]]
        await keep_country(connection, 1, NOW, HORIZON)
        assert await _days(connection) == [others[0], *country, *others[1:]]
        await run(connection, "UPDATE team SET body = '{}' WHERE id = 1")
        await keep_country(connection, 1, NOW, HORIZON)
        assert await _days(connection) == others[:2]


async def test_a_country_that_a_newer_package_does_not_know_has_no_days() -> None:
    body = {"country": "ZZ", "days": [{"date": "2026-12-24"}, {"date": "2026-02-30"}]}
    found = await defined(body, date(2026, 1, 1), date(2026, 12, 31))
    assert found == {date(2026, 12, 24): "holiday"}


def test_what_is_unknown_is_named_with_what_to_write() -> None:
    assert fault_of("DE", "BE") is None
    assert fault_of("DE", None) is None
    assert fault_of("DE", "bx") is not None
    assert "leave it out" in (fault_of("SM", "X") or "")


def test_the_package_is_not_loaded_before_somebody_asks() -> None:
    program = "import sys, tocsin.app, tocsin.cli; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
