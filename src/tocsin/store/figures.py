"""Numbers for monitoring, read when they are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tocsin.store.db import Connection, rows, run
from tocsin.store.watch import LATE, PINGED, WELL


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How things stand. Ages and lateness are in seconds; connectors are named `team/name`.

    `watchdog_…` are seconds since 1970, 0 where it never was.
    """

    alerts: Mapping[tuple[str, str], int]
    notifications: Mapping[str, int]
    page_lateness: float
    step_lateness: float
    pages_late: int
    pages_failing: int
    timers_late: int
    watchdog_well: float
    watchdog_pinged: float
    poll_age: Mapping[str, float]
    pending_writes: int


async def figures(connection: Connection, now: datetime) -> Figures:
    """Read them all. Gives up after two seconds rather than slow the database down."""
    await run(connection, "SET LOCAL statement_timeout = '2s'")
    alerts = await rows(
        connection,
        "SELECT status, severity, count(*) AS n FROM alert WHERE status <> 'closed' GROUP BY 1, 2",
    )
    states = await rows(connection, "SELECT state, count(*) AS n FROM notification GROUP BY 1")
    late = await rows(connection, _LATE, now, now - LATE, WELL, PINGED)
    polls = await rows(
        connection,
        "SELECT t.name AS team, c.name, p.succeeded_at FROM connector c"
        " JOIN team t ON t.id = c.team_id"
        " JOIN poll p ON p.team_id = c.team_id AND p.connector_id = c.id"
        " WHERE c.enabled AND p.succeeded_at IS NOT NULL",
    )
    return Figures(
        alerts={(row["status"], row["severity"]): row["n"] for row in alerts},
        notifications={row["state"]: row["n"] for row in states},
        page_lateness=_age(late[0]["page"], now),
        step_lateness=_age(late[0]["step"], now),
        pages_late=late[0]["pages_late"],
        pages_failing=late[0]["failing"],
        timers_late=late[0]["timers_late"],
        watchdog_well=late[0]["well"] or 0.0,
        watchdog_pinged=late[0]["pinged"] or 0.0,
        poll_age={f"{row['team']}/{row['name']}": _age(row["succeeded_at"], now) for row in polls},
        pending_writes=late[0]["writes"],
    )


_LATE = """
SELECT (SELECT min(due_at) FROM notification WHERE next_try_at <= $1) AS page,
  (SELECT min(next_step_at) FROM alert WHERE next_step_at <= $1) AS step,
  (SELECT count(*) FROM notification WHERE next_try_at <= $2) AS pages_late,
  (SELECT count(*) FROM notification WHERE next_try_at > $2 AND due_at <= $2
     AND state = 'planned' AND tries > 0) AS failing,
  (SELECT count(*) FROM alert WHERE next_step_at <= $2) AS timers_late,
  (SELECT extract(epoch FROM run_at)::float8 FROM job WHERE name = $3) AS well,
  (SELECT extract(epoch FROM run_at)::float8 FROM job WHERE name = $4) AS pinged,
  (SELECT count(*) FROM remote_write WHERE next_try_at IS NOT NULL) AS writes
"""


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
