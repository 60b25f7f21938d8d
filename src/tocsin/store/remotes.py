"""Remote objects as each side last saw them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from tocsin.core.reconcile import Seen
from tocsin.store.db import Connection, rows, run

_seen = msgspec.json.Decoder(Seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A remote object that we have stored."""

    key: str
    alert: UUID | None
    seen: Seen


async def known(
    connection: Connection, team: int, number: int, keys: Iterable[str]
) -> dict[str, Known]:
    """Stored objects by key, locked until we commit."""
    found = await rows(
        connection,
        "SELECT key, alert_id, seen FROM remote_object"
        " WHERE team_id = $1 AND connector_id = $2 AND key = ANY($3::text[])"
        " ORDER BY key FOR NO KEY UPDATE",
        team,
        number,
        sorted(set(keys)),
    )
    return {
        row["key"]: Known(key=row["key"], alert=row["alert_id"], seen=_seen.decode(row["seen"]))
        for row in found
    }


async def store_seen(
    connection: Connection,
    team: int,
    number: int,
    objects: Sequence[Known],
    *,
    details_due: bool = False,
) -> None:
    """Write what each side last saw; with `details_due` the objects' parts are to be read."""
    await run(
        connection,
        "INSERT INTO remote_object AS o"
        " (team_id, connector_id, key, alert_id, seen, modified_at, details_due)"
        " SELECT $1, $2, n.key, n.alert_id, n.seen::jsonb, n.modified_at, $7"
        " FROM unnest($3::text[], $4::uuid[], $5::text[], $6::timestamptz[])"
        " AS n(key, alert_id, seen, modified_at)"
        " ON CONFLICT (team_id, connector_id, key) DO UPDATE SET seen = excluded.seen,"
        " modified_at = excluded.modified_at, alert_id = coalesce(excluded.alert_id, o.alert_id),"
        " details_due = o.details_due OR excluded.details_due,"
        " details_tries = CASE WHEN excluded.details_due THEN 0 ELSE o.details_tries END,"
        " details_at = CASE WHEN excluded.details_due THEN NULL ELSE o.details_at END",
        team,
        number,
        [one.key for one in objects],
        [one.alert for one in objects],
        [msgspec.json.encode(one.seen).decode() for one in objects],
        [one.seen.modified_at for one in objects],
        details_due,
    )


async def adopt(connection: Connection, team: int, number: int, alerts: Sequence[UUID]) -> None:
    """Alerts that a sender raised are the connector's too, so that what is done is told to it."""
    await run(
        connection,
        "UPDATE alert SET connector_id = $2"
        " WHERE team_id = $1 AND id = ANY($3::uuid[]) AND connector_id IS NULL",
        team,
        number,
        list(alerts),
    )


async def lock_alerts(
    connection: Connection, team: int, alerts: Iterable[UUID], keys: Iterable[str]
) -> None:
    """Lock alerts, and open ones with these external ids, in the order in which all lock them.

    Everything that a transaction will change is locked at once, so that it cannot deadlock with
    an answer to many alerts.
    """
    await rows(
        connection,
        "SELECT id FROM alert WHERE team_id = $1 AND id IN ("
        " SELECT unnest($2::uuid[]) UNION SELECT o.id FROM alert o"
        " WHERE o.team_id = $1 AND o.external_id = ANY($3::text[]) AND o.status <> 'closed'"
        ") ORDER BY team_id, id FOR NO KEY UPDATE",
        team,
        sorted(set(alerts)),
        sorted(set(keys)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanting:
    """An object whose parts are still to be read, `tries` times already."""

    key: str
    alert: UUID
    tries: int


async def wanting_details(
    connection: Connection, team: int, number: int, limit: int, now: datetime
) -> Sequence[Wanting]:
    """Objects whose parts are to be read now, those not tried yet first, then newest first."""
    found = await rows(
        connection,
        "SELECT key, alert_id, details_tries FROM remote_object"
        " WHERE team_id = $1 AND connector_id = $2 AND details_due AND alert_id IS NOT NULL"
        " AND (details_at IS NULL OR details_at <= $4)"
        " ORDER BY details_tries > 0, modified_at DESC LIMIT $3",
        team,
        number,
        limit,
        now,
    )
    return [
        Wanting(key=row["key"], alert=row["alert_id"], tries=row["details_tries"]) for row in found
    ]


async def details_read(
    connection: Connection, team: int, number: int, key: str, again_at: datetime | None
) -> None:
    """The parts of an object have been read, or cannot be; with `again_at` they are to be tried."""
    await run(
        connection,
        "UPDATE remote_object SET details_due = $4::timestamptz IS NOT NULL, details_at = $4,"
        " details_tries = details_tries + 1"
        " WHERE team_id = $1 AND connector_id = $2 AND key = $3",
        team,
        number,
        key,
        again_at,
    )


async def users_of_accounts(
    connection: Connection, accounts: Iterable[str]
) -> dict[str, tuple[int, str]]:
    """Our users (id, name) by the account names of a source, in lower case."""
    wanted = sorted({account.lower() for account in accounts})
    found = await rows(
        connection,
        "SELECT id, name, lower(entra) AS entra, lower(email) AS email FROM app_user"
        " WHERE active AND (lower(entra) = ANY($1::text[]) OR lower(email) = ANY($1::text[]))",
        wanted,
    )
    users: dict[str, tuple[int, str]] = {}
    for column in ("email", "entra"):  # the account that was named explicitly wins
        for row in found:
            if row[column] is not None:
                users[row[column]] = (row["id"], row["name"])
    return users


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a connector is doing."""

    run_at: datetime | None
    started_at: datetime | None
    succeeded_at: datetime | None
    watermark: datetime | None
    error: str | None
    failures: int


async def health(connection: Connection, team: int, number: int) -> Health | None:
    """The state of a connector's polling, None before its first."""
    found = await rows(
        connection,
        "SELECT run_at, started_at, succeeded_at, watermark, error, failures FROM poll"
        " WHERE team_id = $1 AND connector_id = $2",
        team,
        number,
    )
    return Health(**dict(found[0])) if found else None
