"""Whose duty has changed since somebody last looked, and the alerts that were not looked at since.

Alerts follow copied policies, and a copy may name other teams and people: what changes there
concerns them as well. Both questions are asked every second, so neither reads an alert that has
nothing to do with the answer: the copies in use are found by jumps along an index.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tocsin.core.alert import Alert
from tocsin.store.alerts import readable
from tocsin.store.db import Connection, rows, run

SKEW = timedelta(seconds=2)
"""How far the clocks of two processes may be apart. A change counts as seen that much later, so
that whoever looked a duty up just before it, by a clock that is ahead, is looked at again."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a team's duty reads now. `latest`: the moment up to which its alerts were looked at."""

    team: int
    digest: str
    latest: datetime | None


@dataclass(frozen=True, slots=True)
class Watched:
    """An alert to look at, locked, for a change that was seen at `changed_at`."""

    alert: Alert
    changed_at: datetime


async def changed(connection: Connection, now: datetime) -> list[Seen]:
    """Teams whose duty, people or contact methods read otherwise than when last noted.

    Only teams that an alert concerns: it is open or acknowledged, and pages people.
    """
    found = await rows(connection, _CHANGED, now, now + SKEW + _MOMENT, now + _SET_BACK)
    return [Seen(row["team_id"], row["digest"], row["latest"]) for row in found]


async def note(connection: Connection, seen: Sequence[Seen], now: datetime) -> None:
    """Write down what was seen; `now` is after `changed` has answered."""
    await run(
        connection,
        _NOTE,
        [one.team for one in seen],
        [one.digest for one in seen],
        [one.latest for one in seen],
        now + SKEW,
    )


async def claim(
    connection: Connection, now: datetime, limit: int, without: Sequence[UUID] = ()
) -> tuple[list[Watched], list[tuple[int, UUID]]]:
    """Alerts that were not looked at since a change that concerns them, locked until we commit.

    Also (team, id) of those that this version cannot read. A share for each copied policy, so that
    no team waits for the thousands of another. Passed over are those that somebody holds, those
    whose timer is due (it looks duty up anyway), and those `without` which the caller goes on.
    """
    args = (now, now + SKEW + _MOMENT, now + _SET_BACK, limit, list(without))
    found = await rows(connection, _CLAIM, *args)
    read, unread = readable(found)
    at = {row["id"]: row["watched_at"] for row in found}
    return [Watched(alert, at[alert.id]) for alert in read], unread


async def looked_at(connection: Connection, alerts: Iterable[tuple[Alert, datetime]]) -> None:
    """Note for which moment these alerts were looked at, and change nothing else."""
    wide: list[tuple[int, UUID, datetime]] = [(alert.team, alert.id, at) for alert, at in alerts]
    await run(
        connection,
        "UPDATE alert a SET duty_at = w.at"
        " FROM unnest($1::int[], $2::uuid[], $3::timestamptz[]) AS w(team_id, id, at)"
        " WHERE a.team_id = w.team_id AND a.id = w.id",
        [team for team, _, _ in wide],
        [alert for _, alert, _ in wide],
        [at for _, _, at in wide],
    )


async def people(connection: Connection, users: Iterable[int]) -> dict[int, tuple[str, bool]]:
    """What these users are called, and whether they are active; removed ones are not."""
    found = await rows(
        connection,
        "SELECT w.id, coalesce(u.name, 'user ' || w.id) AS name, u.active IS TRUE AS active"
        " FROM unnest($1::int[]) AS w(id) LEFT JOIN app_user u ON u.id = w.id",
        sorted(set(users)),
    )
    return {row["id"]: (row["name"], row["active"]) for row in found}


_MOMENT = timedelta(milliseconds=1)  # two changes at one instant are that little apart
_SET_BACK = timedelta(seconds=10)

# As in the predicate of the index ix_alert_duty.
_LIVE = "a.status <> 'closed' AND a.step IS NOT NULL AND a.suppressed IS NULL"
_LOOKED = "coalesce(a.duty_at, '-infinity'::timestamptz)"

# What was noted by a clock that is ahead of ours waits until ours is there, else two processes
# would see a shift begin and not begin in turns. Much further ahead means: a clock was set back.
_OURS = "(s.changed_at <= $2 OR s.changed_at > $3)"

_REACH = f"""
WITH RECURSIVE copy AS (
  (SELECT a.team_id, a.policy FROM alert a WHERE {_LIVE} ORDER BY a.team_id, a.policy LIMIT 1)
  UNION ALL
  SELECT n.team_id, n.policy FROM copy c CROSS JOIN LATERAL (
    SELECT a.team_id, a.policy FROM alert a
    WHERE {_LIVE} AND (a.team_id, a.policy) > (c.team_id, c.policy)
    ORDER BY a.team_id, a.policy LIMIT 1) n
), target AS (
  SELECT c.team_id, c.policy, coalesce(one ->> 'of', one ->> 'team')::int AS other_id,
         (one ->> 'user')::int AS user_id
  FROM copy c JOIN plan p ON p.team_id = c.team_id AND p.digest = c.policy
  CROSS JOIN jsonb_path_query(p.body, '$.steps[*].notify[*]') AS one
), reach AS (
  SELECT team_id, policy, team_id AS other_id FROM copy
  UNION SELECT team_id, policy, other_id FROM target WHERE other_id IS NOT NULL
)"""  # noqa: S608 - words of our own

# No line comes twice, so the digest needs no order: it costs a third of sorted text.
_CHANGED = f"""{_REACH}, near AS (
  SELECT DISTINCT other_id AS team_id FROM reach
), duty AS (
  SELECT n.team_id, d.tier, d.user_id FROM near n CROSS JOIN LATERAL (
    SELECT tier, user_id FROM shift WHERE team_id = n.team_id AND during @> $1::timestamptz
    UNION SELECT tier, user_id FROM punch WHERE team_id = n.team_id AND during @> $1::timestamptz
  ) d
), crew AS (
  SELECT team_id, user_id, role FROM near JOIN membership USING (team_id)
), person AS (
  SELECT team_id, user_id FROM duty UNION SELECT team_id, user_id FROM crew
  UNION SELECT team_id, user_id FROM target WHERE user_id IS NOT NULL
), reached AS (
  SELECT user_id, bit_xor(hashint8extended(id, 3)) AS methods FROM contact_method
  WHERE disabled IS NULL AND user_id IN (SELECT user_id FROM person) GROUP BY user_id
), line AS (
  SELECT team_id, hash_record_extended(ROW(tier, user_id), 1) AS hash FROM duty
  UNION ALL SELECT team_id, hash_record_extended(ROW(user_id, role), 2) FROM crew
  UNION ALL
  SELECT p.team_id, hash_record_extended(ROW(u.id, u.active, u.role, r.methods), 3) FROM person p
  JOIN app_user u ON u.id = p.user_id LEFT JOIN reached r ON r.user_id = u.id
), seen AS (
  SELECT n.team_id, coalesce(bit_xor(l.hash), 0)::text AS digest
  FROM near n LEFT JOIN line l USING (team_id) GROUP BY n.team_id
)
SELECT n.team_id, n.digest, (
  SELECT max(last.duty_at) FROM reach r CROSS JOIN LATERAL (
    SELECT a.duty_at FROM alert a
    WHERE {_LIVE} AND a.team_id = r.team_id AND a.policy = r.policy
    ORDER BY {_LOOKED} DESC LIMIT 1) last
  WHERE r.other_id = n.team_id) AS latest
FROM seen n LEFT JOIN duty_seen s USING (team_id)
WHERE s.team_id IS NULL OR (s.digest <> n.digest AND {_OURS})
ORDER BY n.team_id
"""  # noqa: S608 - words of our own

# Above everything that its alerts were looked at for, also after a clock was set back.
_NOTE = """
INSERT INTO duty_seen AS s (team_id, digest, changed_at)
SELECT w.team_id, w.digest, greatest($4, w.latest + interval '1 microsecond')
FROM unnest($1::int[], $2::text[], $3::timestamptz[]) AS w(team_id, digest, latest)
ORDER BY w.team_id
ON CONFLICT (team_id) DO UPDATE SET digest = excluded.digest,
  changed_at = greatest(excluded.changed_at, s.changed_at + interval '1 microsecond')
WHERE s.digest <> excluded.digest
"""

_CLAIM = f"""{_REACH}, since AS MATERIALIZED (
  SELECT r.team_id, r.policy, max(s.changed_at) AS at
  FROM reach r JOIN duty_seen s ON s.team_id = r.other_id
  WHERE {_OURS} GROUP BY r.team_id, r.policy
), due AS MATERIALIZED (
  SELECT * FROM since d WHERE EXISTS (
    SELECT FROM alert a
    WHERE {_LIVE} AND a.team_id = d.team_id AND a.policy = d.policy AND {_LOOKED} < d.at)
)
SELECT a.*, d.at AS watched_at FROM (SELECT * FROM due ORDER BY random()) d CROSS JOIN LATERAL (
  SELECT a.* FROM alert a
  WHERE {_LIVE} AND a.team_id = d.team_id AND a.policy = d.policy AND {_LOOKED} < d.at
    AND (a.next_step_at IS NULL OR a.next_step_at > $1) AND a.id <> ALL($5::uuid[])
  ORDER BY {_LOOKED} LIMIT greatest($4 / (SELECT count(*) FROM due), least($4, 25))
  FOR NO KEY UPDATE SKIP LOCKED
) a LIMIT $4
"""  # noqa: S608 - words of our own
