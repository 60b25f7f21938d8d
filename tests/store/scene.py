"""A small installation, written straight into the tables: one team, two people, one policy."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tocsin.core.alert import Alert, Origin
from tocsin.core.kinds import Severity, Urgency
from tocsin.store.db import Database, run
from tocsin.store.uuids import uuid7

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

ROWS = (
    (
        "INSERT INTO app_user (id, name, role, email) VALUES"
        " (1, 'mara', 'user', 'mara@example.org'), (2, 'jonas', 'user', 'jonas@example.org'),"
        " (3, 'ada', 'team_admin', NULL)"
    ),
    "INSERT INTO team (id, name, time_zone) VALUES (1, 'soc', 'Europe/Berlin')",
    "INSERT INTO membership (user_id, team_id, position) VALUES (1, 1, 0), (2, 1, 1), (3, 1, 2)",
    (
        "INSERT INTO contact_method (id, user_id, name, channel, address) VALUES"
        " (1, 1, 'phone', 'webhook', 'http://127.0.0.1:9/mara'),"
        " (2, 2, 'phone', 'webhook', 'http://127.0.0.1:9/jonas'),"
        " (3, 3, 'phone', 'webhook', 'http://127.0.0.1:9/ada')"
    ),
    (
        "INSERT INTO notification_rule (id, user_id, urgency, position, body) VALUES"
        """ (1, 1, 'urgent', 0, '{"after": "0s", "via": "phone", "repeat_every": "30s"}'),"""
        """ (2, 2, 'urgent', 0, '{"after": "0s", "via": "phone"}')"""
    ),
    (
        "INSERT INTO escalation_policy (team_id, id, name, body) OVERRIDING SYSTEM VALUE VALUES"
        """ (1, 1, 'default', '{"repeat": 1, "steps": ["""
        """{"notify": [{"duty": 1}], "wait": "2m"},"""
        """ {"notify": [{"user": "ada"}], "wait": "5m"}]}')"""
    ),
    (
        "INSERT INTO schedule (team_id, id, name, tier) OVERRIDING SYSTEM VALUE"
        " VALUES (1, 1, 'primary', '1')"
    ),
    (
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why) VALUES"
        " (1, 1, '1', 1, tstzrange('2026-11-23', '2026-11-25'), 'rotation weeks')"
    ),
)


@asynccontextmanager
async def scene(dsn: str) -> AsyncGenerator[Database]:
    """The installation in the database `dsn`, for as long as the block runs."""
    database = Database(dsn, size=6)
    try:
        async with database.transaction() as connection:
            for statement in ROWS:
                await run(connection, statement)
        yield database
    finally:
        await database.close()


def an_alert(number: int = 1, **changes: object) -> Alert:
    """An open alert of the team that nobody has been paged for yet."""
    alert = Alert(
        team=1,
        id=uuid7(NOW),
        number=number,
        title="Pump down",
        created_at=NOW,
        updated_at=NOW,
        severity=Severity.HIGH,
        urgency=Urgency.URGENT,
        source=Origin("signl4", "plant"),
        policy="none",
        episode=1,
    )
    return replace(alert, **changes)  # type: ignore[arg-type]  # names of fields, for tests


def later(**by: float) -> datetime:
    """A moment after `NOW`."""
    return NOW + timedelta(**by)
