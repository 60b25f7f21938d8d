"""Integrations: the addresses that senders post to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tocsin.core.notation import mapping, optional_text
from tocsin.store.db import Connection, Row, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """An address for senders. `settings` is what the inlet is handed."""

    team: int
    team_name: str
    id: int
    name: str
    inlet: str
    settings: Mapping[str, Any]
    policy: str | None
    enabled: bool


async def integration_by_secret(connection: Connection, hashed: bytes) -> Integration | None:
    """The integration whose secret has this hash, None when nobody's has."""
    found = await rows(
        connection,
        f"{_SELECT} JOIN address a ON a.team_id = i.team_id AND a.row_id = i.id"
        " AND a.kind = 'integration' WHERE a.hash = $1",
        hashed,
    )
    return integration_of(found[0]) if found else None


async def sealed_secret(connection: Connection, team: int, integration: int) -> bytes | None:
    """The sealed secret of an integration; it opens with `seal_context`."""
    found = await rows(
        connection,
        "SELECT sealed_secret FROM integration WHERE team_id = $1 AND id = $2",
        team,
        integration,
    )
    return found[0]["sealed_secret"] if found else None


def seal_context(team: int, integration: int) -> str:
    """With what the secret of an integration is sealed."""
    return f"integration {team}/{integration}"


_SELECT = """
SELECT i.team_id, t.name AS team_name, i.id, i.name, i.inlet, i.body
FROM integration i JOIN team t ON t.id = i.team_id
"""


def integration_of(row: Row) -> Integration:
    """The integration of a row with its team's name as `team_name`."""
    body: Mapping[str, object] = msgspec.json.decode(row["body"])
    return Integration(
        team=row["team_id"],
        team_name=row["team_name"],
        id=row["id"],
        name=row["name"],
        inlet=row["inlet"],
        settings=mapping(body.get("settings")),
        policy=optional_text(body.get("policy")),
        enabled=body.get("enabled") is not False,
    )
