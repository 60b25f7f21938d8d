"""What a signed link of a notification leads to, and how often its page's form was used."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import msgspec

from tocsin.core.access import Caller, Role
from tocsin.core.effects import Purpose
from tocsin.store.db import Connection, rows, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A notification of an alert, with the person it was sent to as they are now.

    `carried` are the alerts of other pages that shared its message. `person` is None when the user
    is deactivated or gone. `zone` is theirs, else the team's.
    """

    team: int
    team_name: str
    notification: UUID
    alert: UUID
    carried: tuple[UUID, ...]
    uses: int
    purpose: Purpose
    person: Caller | None
    zone: str


async def find(connection: Connection, team: int, notification: UUID) -> Linked | None:
    """Look a notification up; None for a notice, which has no alert, and for what is gone."""
    found = await rows(connection, _FIND, team, notification)
    if not found:
        return None
    row = found[0]
    body: Mapping[str, object] = msgspec.json.decode(row["user_body"] or "{}")
    person = None
    if row["active"]:
        role = Role(row["role"])
        held = {team: Role(row["team_role"] or role)} if row["member"] else dict[int, Role]()
        person = Caller(user=row["user_id"], name=row["user_name"], role=role, teams=held)
    return Linked(
        team=team,
        team_name=row["team_name"],
        notification=notification,
        alert=row["alert_id"],
        carried=tuple(row["carried"]),
        uses=row["page_uses"],
        purpose=Purpose(row["purpose"]),
        person=person,
        zone=str(body.get("time_zone") or row["time_zone"]),
    )


_FIND = """
SELECT n.alert_id, n.page_uses, n.purpose, n.user_id, u.name AS user_name, u.role, u.active,
       u.body AS user_body,
       ARRAY(SELECT c.alert_id FROM notification c
             WHERE c.team_id = n.team_id AND c.carrier_id = n.id
             ORDER BY c.due_at, c.id) AS carried,
       m.user_id IS NOT NULL AS member, m.role AS team_role, t.name AS team_name, t.time_zone
FROM notification n
JOIN team t ON t.id = n.team_id
LEFT JOIN app_user u ON u.id = n.user_id
LEFT JOIN membership m ON m.user_id = n.user_id AND m.team_id = n.team_id
WHERE n.team_id = $1 AND n.id = $2 AND n.alert_id IS NOT NULL
"""


async def use(connection: Connection, linked: Linked) -> bool:
    """Count one use of the page's form; False when somebody else used the same form first."""
    written = await run(
        connection,
        "UPDATE notification SET page_uses = page_uses + 1"
        " WHERE team_id = $1 AND id = $2 AND page_uses = $3",
        linked.team,
        linked.notification,
        linked.uses,
    )
    return written == 1
