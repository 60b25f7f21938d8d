"""What senders may post to, found by the keyed hash of its secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tocsin.store.db import Connection, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An integration as intake needs it; `settings` is its definition, without the secret."""

    team: int
    integration: int
    name: str
    inlet: str
    policy: str | None
    settings: Mapping[str, Any]


async def find(connection: Connection, hashed: bytes) -> Address | None:
    """The integration whose secret has this hash, None where there is none."""
    found = await rows(
        connection,
        "SELECT i.team_id, i.id, i.name, i.inlet, i.body FROM address a"
        " JOIN integration i ON i.team_id = a.team_id AND i.id = a.row_id"
        " WHERE a.hash = $1 AND a.kind IN ('integration', i.inlet)",
        hashed,
    )
    if not found:
        return None
    row = found[0]
    settings: dict[str, Any] = msgspec.json.decode(row["body"])
    policy = settings.get("policy")
    return Address(
        team=row["team_id"],
        integration=row["id"],
        name=row["name"],
        inlet=row["inlet"],
        policy=policy if isinstance(policy, str) else None,
        settings=settings,
    )
