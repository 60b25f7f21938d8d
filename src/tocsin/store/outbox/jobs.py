"""Periodic work that no team owns, done by whichever process comes first."""

from datetime import datetime, timedelta

from tocsin.store.db import Connection, rows, run


async def claim_job(connection: Connection, name: str, every: timedelta, now: datetime) -> bool:
    """Whether this process is to do the job now; its next time is moved in the same statement."""
    await run(
        connection,
        "INSERT INTO job (name, run_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        name,
        now,
    )
    found = await rows(
        connection,
        "UPDATE job SET run_at = $3, lease_number = lease_number + 1"
        " WHERE name = $1 AND run_at <= $2 RETURNING name",
        name,
        now,
        now + every,
    )
    return bool(found)
