"""What should have happened by now and did not, and whom to tell when that is so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from tocsin.store.db import Connection, rows, run
from tocsin.store.methods import MethodRow, channel_settings, methods_and_settings
from tocsin.store.outbox import PAGE_LEASE
from tocsin.store.uuids import uuid7

LATE = timedelta(seconds=15)
"""A page or timer that waits for longer is late."""

_CHAINS = timedelta(hours=1)
"""Pages that repeat are looked at when planned no longer ago: those before were looked at then."""

WELL, ALARM, PING, PINGED = (
    "watchdog well",
    "watchdog alarm",
    "watchdog ping",
    "watchdog pinged",
)
"""Rows of `job`: when all was well last, the alarm that was given, when the dead-man address is
asked next and when it last answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is wrong; ages in seconds, 0 where nothing is.

    `pages_late` and `timers_late` wait for a worker. `forgotten` are open alerts without timer,
    promise or visible reason, `unrepeated` pages that should be repeated and are not. `failing`
    pages are tried again and again, and their provider does not take them: no fault of ours.
    """

    pages_late: int = 0
    page_lateness: float = 0.0
    timers_late: int = 0
    timer_lateness: float = 0.0
    forgotten: int = 0
    unrepeated: int = 0
    failing: int = 0

    @property
    def broken(self) -> bool:
        """Whether Tocsin does not do what it promised."""
        return bool(self.pages_late or self.timers_late or self.forgotten or self.unrepeated)


@dataclass(frozen=True, slots=True)
class SecondPath:
    """Whom the watchdog tells, and its own settings, as last read.

    `people` has the name of the person of each contact method; `channels` the settings of each
    medium; `block` is `settings.watchdog`.
    """

    people: tuple[tuple[str, MethodRow], ...] = ()
    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    block: Mapping[str, Any] = field(default_factory=dict[str, Any])


async def look(connection: Connection, now: datetime) -> Findings:
    """Work out from the tables what should have been done by `now`."""
    found = await rows(connection, _LOOK, now - LATE, PAGE_LEASE)
    row = found[0]
    return Findings(
        pages_late=row["pages_late"],
        page_lateness=_age(row["page_since"], now),
        timers_late=row["timers_late"],
        timer_lateness=_age(row["timer_since"], now),
        forgotten=row["forgotten"],
        failing=row["failing"],
    )


# A page is late from when it was to be tried. That of a worker that died is late from when it was
# claimed: its lease moved the next try.
_LOOK = """
WITH page AS (
  SELECT count(*) AS n, min(CASE WHEN state = 'leased' THEN next_try_at - $2::interval
                            ELSE next_try_at END) AS since
  FROM notification WHERE next_try_at <= $1
), timer AS (
  SELECT count(*) AS n, min(next_step_at) AS since FROM alert WHERE next_step_at <= $1
)
SELECT page.n AS pages_late, page.since AS page_since,
  timer.n AS timers_late, timer.since AS timer_since,
  (SELECT count(*) FROM notification
   WHERE next_try_at > $1 AND due_at <= $1 AND state = 'planned' AND tries > 0) AS failing,
  (SELECT count(*) FROM alert a
   WHERE a.status = 'open' AND a.next_step_at IS NULL AND a.suppressed IS NULL
     AND a.urgency <> 'record' AND NOT coalesce((a.state->>'exhausted')::bool, false)
     AND a.updated_at <= $1
     AND NOT EXISTS (
       SELECT 1 FROM notification n WHERE n.team_id = a.team_id AND n.alert_id = a.id
         AND n.state IN ('planned', 'leased'))) AS forgotten
FROM page, timer
"""


async def unrepeated(connection: Connection, now: datetime) -> int:
    """How many pages that repeat went out, are still wanted and have nothing that follows them.

    Costs a second of a processor for 200,000 such pages within the hour, so it is asked for less
    often than the rest.
    """
    found = await rows(connection, _UNREPEATED, now - LATE, uuid7(now - _CHAINS))
    return int(found[0]["n"])


# Each part is looked up by the one before it, whatever the planner knows of the tables: on ones
# that were never analysed it compared every page with every alert, for half a minute.
_UNREPEATED = """
SELECT count(*) AS n FROM (
  SELECT team_id, id, episode FROM alert
  WHERE status = 'open' AND suppressed IS NULL OFFSET 0) a
CROSS JOIN LATERAL (
  SELECT * FROM notification n WHERE n.team_id = a.team_id AND n.alert_id = a.id AND n.id >= $2
    AND n.episode = a.episode AND n.repeat_every IS NOT NULL AND n.purpose = 'escalation'
    AND n.state IN ('sent', 'delivered', 'seen') AND n.sent_at <= $1 OFFSET 0) n
CROSS JOIN LATERAL (
  SELECT FROM contact_method c JOIN app_user u ON u.id = n.user_id AND u.active
  WHERE c.id = n.method_id AND c.disabled IS NULL OFFSET 0) usable
WHERE NOT EXISTS (
  SELECT FROM notification later
  WHERE later.team_id = n.team_id AND later.alert_id = n.alert_id
    AND later.method_id = n.method_id AND later.purpose = n.purpose AND later.id <> n.id
    AND (later.planned_at > n.planned_at OR later.attempt > n.attempt))
"""


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


async def second_path(connection: Connection) -> SecondPath:
    """The contact methods of active admins; where there are no admins, of team admins."""
    found = {row["id"]: row["name"] for row in await rows(connection, _ADMINS)}
    methods, channels = await methods_and_settings(connection, found)
    block = await rows(connection, "SELECT body FROM setting WHERE name = 'watchdog'")
    settings: Mapping[str, Any] = msgspec.json.decode(block[0]["body"]) if block else {}
    others = {str(one["channel"]) for one in settings.get("also") or ()}
    return SecondPath(
        people=tuple((found[number], method) for number, method in methods.items()),
        channels={**await channel_settings(connection, others), **channels},
        block=settings,
    )


_ADMINS = """
WITH usable AS (
  SELECT c.id, u.name, u.role = 'admin' AS leads_all
  FROM contact_method c JOIN app_user u ON u.id = c.user_id
  WHERE u.active AND c.disabled IS NULL
    AND (u.role IN ('admin', 'team_admin') OR EXISTS (
      SELECT 1 FROM membership m WHERE m.user_id = u.id AND m.role = 'team_admin'))
)
SELECT id, name FROM usable
WHERE leads_all OR NOT EXISTS (SELECT 1 FROM usable WHERE leads_all) ORDER BY name, id
"""


async def mark(connection: Connection, name: str, at: datetime) -> None:
    """Note when something was so last."""
    await run(
        connection,
        "INSERT INTO job (name, run_at) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET run_at = excluded.run_at",
        name,
        at,
    )


async def end_alarm(connection: Connection) -> bool:
    """Take the alarm back; answers whether one was given and not taken back."""
    return await run(connection, "DELETE FROM job WHERE name = $1", ALARM) > 0
