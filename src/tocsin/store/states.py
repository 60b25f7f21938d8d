"""How connectors stand: what was read, what is still to be written."""

from dataclasses import dataclass
from datetime import datetime

from tocsin.store.db import Connection, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorState:
    """What the reading and writing of one connector has come to; None where nothing has yet."""

    last_poll_at: datetime | None = None
    last_success_at: datetime | None = None
    next_poll_at: datetime | None = None
    watermark: datetime | None = None
    last_error: str | None = None
    failures: int = 0
    pending_writes: int = 0


async def connector_state(connection: Connection, team: int, connector: int) -> ConnectorState:
    """The state of one connector."""
    found = await rows(
        connection,
        "SELECT p.started_at, p.succeeded_at, p.run_at, p.watermark, p.error, p.failures"
        " FROM poll p WHERE p.team_id = $1 AND p.connector_id = $2",
        team,
        connector,
    )
    waiting = await rows(
        connection,
        "SELECT count(*) AS n FROM remote_write"
        " WHERE team_id = $1 AND connector_id = $2 AND next_try_at IS NOT NULL",
        team,
        connector,
    )
    if not found:
        return ConnectorState(pending_writes=waiting[0]["n"])
    row = found[0]
    return ConnectorState(
        last_poll_at=row["started_at"],
        last_success_at=row["succeeded_at"],
        next_poll_at=row["run_at"],
        watermark=row["watermark"],
        last_error=row["error"],
        failures=row["failures"],
        pending_writes=waiting[0]["n"],
    )
