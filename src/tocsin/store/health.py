"""What the database says about itself and about connectors, for the doctor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tocsin.store.db import Connection, Row, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """`durable`: a commit is on disk when it returns, as promise I1 needs."""

    version: str
    revision: str
    now: datetime
    durable: bool


async def clock_time(connection: Connection) -> datetime:
    """What the database's clock shows."""
    found = await rows(connection, "SELECT clock_timestamp() AS at")
    at: datetime = found[0]["at"]
    return at


async def database_facts(connection: Connection) -> DatabaseFacts:
    """Version, schema revision, clock, and whether commits are durable."""
    found = await rows(
        connection,
        "SELECT current_setting('server_version') AS version, clock_timestamp() AS now,"
        " (SELECT version_num FROM alembic_version) AS revision,"
        " current_setting('fsync')::bool AND current_setting('full_page_writes')::bool"
        " AND current_setting('synchronous_commit') <> 'off' AS durable",
    )
    return DatabaseFacts(**dict(found[0]))


async def connector_states(connection: Connection) -> Sequence[Row]:
    """Each connector with its last success, last error and writes that were not made."""
    return await rows(
        connection,
        "SELECT t.name AS team, c.name, c.source, c.enabled, p.succeeded_at, p.error,"
        " (SELECT count(*) FROM remote_write w WHERE w.team_id = c.team_id"
        "  AND w.connector_id = c.id AND w.state = 'failed') AS failed"
        " FROM connector c JOIN team t ON t.id = c.team_id"
        " LEFT JOIN poll p ON p.team_id = c.team_id AND p.connector_id = c.id"
        " ORDER BY t.name, c.name",
    )


async def unreachable_people(connection: Connection) -> Sequence[str]:
    """Active members of a team without a contact method that works."""
    found = await rows(
        connection,
        "SELECT DISTINCT u.name FROM app_user u JOIN membership m ON m.user_id = u.id"
        " WHERE u.active AND NOT EXISTS (SELECT 1 FROM contact_method c"
        " WHERE c.user_id = u.id AND c.disabled IS NULL) ORDER BY u.name",
    )
    return [row["name"] for row in found]


async def media_in_use(connection: Connection) -> Sequence[str]:
    """The channels that somebody's contact methods name."""
    found = await rows(connection, "SELECT DISTINCT channel FROM contact_method ORDER BY channel")
    return [row["channel"] for row in found]


async def method_addresses(connection: Connection) -> Sequence[Row]:
    """Where the contact methods that are in use point to, each with its person's name."""
    return await rows(
        connection,
        "SELECT c.channel, c.address, u.name || '/' || c.name AS name FROM contact_method c"
        " JOIN app_user u ON u.id = c.user_id WHERE u.active AND c.disabled IS NULL"
        " ORDER BY c.channel, u.name, c.name",
    )
