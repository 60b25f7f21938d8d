"""Whom an API token speaks for."""

from datetime import datetime

import msgspec

from tocsin.core.access import Caller, Role, Scope
from tocsin.store.db import Connection, Row, rows, run


async def caller_by_token(connection: Connection, hashed: bytes, now: datetime) -> Caller | None:
    """Whom a token with this hash speaks for, None when it is unknown, expired or its user is out.

    Notes the use, at most once a minute.
    """
    found = await rows(connection, _CALLER, hashed, now)
    if not found:
        return None
    await run(
        connection,
        "UPDATE api_token SET used_at = $2 WHERE hash = $1"
        " AND (used_at IS NULL OR used_at < $2::timestamptz - interval '1 minute')",
        hashed,
        now,
    )
    return _caller(found[0])


_CALLER = """
SELECT u.id, u.name, u.role, k.scope,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('team', m.team_id, 'role', m.role)), '[]')
   FROM membership m WHERE m.user_id = u.id) AS memberships
FROM api_token k JOIN app_user u ON u.id = k.user_id
WHERE k.hash = $1 AND u.active AND (k.expires_at IS NULL OR k.expires_at > $2)
"""


def _caller(row: Row) -> Caller:
    role = Role(row["role"])
    memberships = msgspec.json.decode(row["memberships"])
    return Caller(
        user=row["id"],
        name=row["name"],
        role=role,
        teams={entry["team"]: Role(entry["role"] or role) for entry in memberships},
        scope=Scope(row["scope"]),
    )
