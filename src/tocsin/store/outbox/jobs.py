"""Periodic work that no team owns, done by whichever process comes first."""

from datetime import datetime, timedelta

from tocsin.store.db import Connection, rows, run

_ASKEW = timedelta(minutes=1)
"""How far the clocks of two processes may be apart."""


async def claim_job(connection: Connection, name: str, every: timedelta, now: datetime) -> bool:
    """Whether this process is to do the job now; its next time is moved in the same statement.

    One whose time lies further ahead than it can was planned before the clock was set back.
    """
    await run(
        connection,
        "INSERT INTO job (name, run_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        name,
        now,
    )
    found = await rows(
        connection,
        "UPDATE job SET run_at = $3, lease_number = lease_number + 1"
        " WHERE name = $1 AND (run_at <= $2 OR run_at > $4) RETURNING name",
        name,
        now,
        now + every,
        now + every + _ASKEW,
    )
    return bool(found)


async def hasten_job(connection: Connection, name: str, now: datetime) -> None:
    """Have a job run as soon as somebody looks, as there is news for it."""
    await run(connection, "UPDATE job SET run_at = $2 WHERE name = $1 AND run_at > $2", name, now)
