"""Years of alerts that are over, and how many rows of them are read by what happens today."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

MANY = 30_000
"""Enough that a plan which reads them all is told from one that does not; it stands for any."""

TABLES = ("alert", "notification", "timeline", "ledger")

_FILL = (
    """
INSERT INTO alert (team_id, id, number, status, severity, urgency, mode, title, source_kind,
  external_id, policy, episode, round, step, created_at, updated_at)
SELECT 1, (old || substr(md5(n::text), 1, 28))::uuid, n, 'closed', 'high', 'urgent', 'single',
  'Pump down', 'signl4', 'pump ' || n % 100, 'none', 1, 0, 0, at, at
FROM history
""",
    """
INSERT INTO notification (team_id, id, alert_id, user_id, method_id, purpose, urgency, episode,
  repeat_every, planned_at, due_at, state, sent_at)
SELECT 1, (old || substr(md5('n' || n), 1, 28))::uuid, (old || substr(md5(n::text), 1, 28))::uuid,
  1, 1, 'escalation', 'urgent', 1, 30000000, at, at, 'sent', at
FROM history
""",
    """
INSERT INTO timeline (team_id, alert_id, at, kind, by_name, via)
SELECT 1, (old || substr(md5(n::text), 1, 28))::uuid, at, 'raised', 'plant', 'integration'
FROM history
""",
    """
INSERT INTO ledger (team_id, notification_id, at, state)
SELECT 1, (old || substr(md5('n' || n), 1, 28))::uuid, at, 'sent' FROM history
""",
)


@dataclass
class Read:
    """Rows read by table and deadlocks, known when the block has ended."""

    rows: dict[str, int] = field(default_factory=dict[str, int])
    deadlocks: int = 0


async def fill(dsn: str) -> None:
    """Closed alerts of former months, each with a page, its ledger and its timeline."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "CREATE TEMP TABLE history AS SELECT n, '0190' AS old,"
            " timestamptz '2026-10-01' - n * interval '10 minutes' AS at"
            f" FROM generate_series(1, {MANY}) n"
        )
        for statement in _FILL:
            await connection.execute(statement)
        await connection.execute("DROP TABLE history")
        await connection.execute(f"ANALYZE {', '.join(TABLES)}")
    finally:
        await connection.close()


@asynccontextmanager
async def counted(dsn: str) -> AsyncGenerator[Read]:
    """Counts what is read over connections that open and close within the block."""
    connection = await asyncpg.connect(dsn)
    read = Read()
    try:
        others = await _backends(connection)
        before = await _rows(connection)
        yield read
        # A backend adds what it counted to the server's figures before it leaves this view.
        while await _backends(connection) - others:
            await connection.execute("SELECT pg_sleep(0.02)")
        after = await _rows(connection)
        read.rows = {table: after[table] - before[table] for table in TABLES}
        read.deadlocks = await connection.fetchval(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
    finally:
        await connection.close()


async def _backends(connection: asyncpg.Connection) -> set[int]:
    found = await connection.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    )
    return {row["pid"] for row in found}


async def _rows(connection: asyncpg.Connection) -> dict[str, int]:
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    found = await connection.fetch(
        "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) AS read"
        " FROM pg_stat_user_tables WHERE relname = ANY($1::text[])",
        TABLES,
    )
    return {row["relname"]: row["read"] for row in found}
