"""Connectors: the configured two-way systems."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from tocsin.core.notation import optional_text
from tocsin.store.db import Connection, Row, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One configured source. `settings` is its block, in which secrets are references.

    `sealed_secret` is the secret that was entered here, if one was; it opens with `seal_context`.
    """

    team: int
    team_name: str
    id: int
    name: str
    source: str
    settings: Mapping[str, Any]
    policy: str | None
    enabled: bool
    version: int
    sealed_secret: bytes | None


async def connector(connection: Connection, team: int, number: int) -> Connector | None:
    """One connector, None when there is none."""
    found = await rows(connection, f"{_SELECT} WHERE c.team_id = $1 AND c.id = $2", team, number)
    return _connector(found[0]) if found else None


def seal_context(team: int, number: int) -> str:
    """With what the secret of a connector is sealed."""
    return f"connector {team}/{number}"


_SELECT = """
SELECT c.team_id, t.name AS team_name, t.version, c.id, c.name, c.source, c.enabled, c.body,
  c.sealed_secret
FROM connector c JOIN team t ON t.id = c.team_id
"""


def _connector(row: Row) -> Connector:
    body: dict[str, Any] = msgspec.json.decode(row["body"])
    credential = body.get("credential")
    if isinstance(credential, dict):
        reference = cast("dict[str, Any]", credential)
        body["credential"] = {key: reference[key] for key in reference if key != "hash"}
    return Connector(
        team=row["team_id"],
        team_name=row["team_name"],
        id=row["id"],
        name=row["name"],
        source=row["source"],
        settings=body,
        policy=optional_text(body.get("policy")),
        enabled=row["enabled"],
        version=row["version"],
        sealed_secret=row["sealed_secret"],
    )
