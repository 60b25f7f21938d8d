"""Raw events as they came, and the numbers that people call alerts by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from tocsin.store.db import Connection, Database, rows, run
from tocsin.store.unnest import insert


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEvent:
    """One request of a sender, kept for a while so that people can see what was sent."""

    team: int
    id: UUID
    integration: int | None
    received_at: datetime
    content: bytes
    media_type: str | None
    alerts: tuple[UUID, ...] = ()


_TYPES = {
    "team_id": "int",
    "id": "uuid",
    "day": "text",
    "integration_id": "int",
    "received_at": "timestamptz",
    "content": "bytea",
    "media_type": "text",
}
_INSERT = insert("event", _TYPES)


async def keep_events(connection: Connection, events: Sequence[RawEvent]) -> None:
    """Store them, each in the partition of its day."""
    if not events:
        return
    await run(
        connection,
        _INSERT,
        [event.team for event in events],
        [event.id for event in events],
        [event.received_at.date().isoformat() for event in events],
        [event.integration for event in events],
        [event.received_at for event in events],
        [event.content for event in events],
        [event.media_type for event in events],
    )


async def reserve_numbers(database: Database, counts: Mapping[int, int]) -> dict[int, range]:
    """Take `counts[team]` alert numbers for each team.

    In a short transaction of its own, so that no commit waits for another's lock on the team, and
    without waiting for the disk: any later commit carries this one with it. A crash leaves a gap.
    """
    async with database.transaction() as connection:
        await run(connection, "SET LOCAL synchronous_commit = off")
        # In the order of their ids, as everybody who locks teams does.
        await rows(
            connection,
            "SELECT id FROM team WHERE id = ANY($1::int[]) ORDER BY id FOR NO KEY UPDATE",
            sorted(counts),
        )
        found = await rows(
            connection,
            "UPDATE team SET next_number = next_number + w.n"
            " FROM unnest($1::int[], $2::int[]) AS w(id, n) WHERE team.id = w.id"
            " RETURNING team.id, team.next_number - w.n AS first",
            sorted(counts),
            [counts[team] for team in sorted(counts)],
        )
    return {row["id"]: range(row["first"], row["first"] + counts[row["id"]]) for row in found}


async def make_partitions(connection: Connection, today: date, ahead: int = 3) -> None:
    """Partitions for today and the days ahead.

    Rows of a day that had none yet wait in the default partition, and are moved here.
    """
    await run(connection, "SELECT pg_advisory_xact_lock(7102938475610295)")
    for days in range(ahead + 1):
        day = (today + timedelta(days=days)).isoformat()
        name = _partition(day)
        if (await rows(connection, "SELECT to_regclass($1::text) AS found", name))[0]["found"]:
            continue
        await run(connection, f"CREATE TABLE {name} (LIKE event INCLUDING ALL)")
        await run(
            connection,
            f"WITH late AS (DELETE FROM event_default WHERE day = '{day}' RETURNING *)"  # noqa: S608 - a date
            f" INSERT INTO {name} SELECT * FROM late",
        )
        await run(connection, f"ALTER TABLE event ATTACH PARTITION {name} FOR VALUES IN ('{day}')")


def _partition(day: str) -> str:
    return f"event_{day.replace('-', '')}"


async def drop_partitions(connection: Connection, before: date) -> list[str]:
    """Drop the partitions of days before `before`; returns their names."""
    found = await rows(
        connection,
        "SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'event'::regclass AND c.relname ~ '^event_[0-9]{8}$'",
    )
    old = [row["name"] for row in found if row["name"] < _partition(before.isoformat())]
    for name in old:
        await run(connection, f"DROP TABLE {name}")
    return old
