"""Contact methods and channel settings as delivery needs them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tocsin.keys import Keys
from tocsin.ports import Secrets
from tocsin.store.db import Connection, Row, rows
from tocsin.store.people import seal_context


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRow:
    """A contact method as delivery needs it; `disabled` is the reason why it is not used.

    `per_minute` is its own limit of messages, None where it sets none; `quiet` that its person
    has quiet hours.
    """

    id: int
    name: str
    channel: str
    address: str
    disabled: str | None
    user_active: bool
    sealed_key: bytes | None
    key_reference: Mapping[str, Any] | None
    per_minute: int | None = None
    quiet: bool = False

    def signing_key(self, keys: Keys, secrets: Secrets) -> str | None:
        """What messages to it are signed with: what its reference names, else what is kept here.

        Raises `SecretMissingError` or `SealError`.
        """
        if self.key_reference is not None and "stored" not in self.key_reference:
            return secrets(self.key_reference)
        if self.sealed_key is None:
            return None
        return keys.open(self.sealed_key, seal_context(self.id)).decode()


async def methods_by_id(connection: Connection, methods: Iterable[int]) -> dict[int, MethodRow]:
    """Contact methods with whether their person is active."""
    found, _ = await methods_and_settings(connection, methods)
    return found


async def methods_and_settings(
    connection: Connection, methods: Iterable[int]
) -> tuple[dict[int, MethodRow], dict[str, Mapping[str, Any]]]:
    """Contact methods, and the settings of their channels, looked up at once."""
    found = await rows(
        connection,
        "SELECT c.id, c.name, c.channel, c.address, c.disabled, c.sealed_key,"
        " c.body->'signing_key' AS key_reference, c.body->'limits'->'per_minute' AS per_minute,"
        " u.active AS user_active, u.body ? 'quiet_hours' AS quiet, s.body AS settings"
        " FROM contact_method c JOIN app_user u ON u.id = c.user_id"
        " LEFT JOIN setting s ON s.name = $2 || c.channel WHERE c.id = ANY($1::int[])",
        sorted(set(methods)),
        _CHANNELS,
    )
    blocks = {row["channel"]: row["settings"] for row in found}
    settings: dict[str, Mapping[str, Any]] = {
        channel: msgspec.json.decode(block or "{}", type=dict[str, Any])
        for channel, block in blocks.items()
    }
    return {row["id"]: _method(row) for row in found}, settings


async def method_names(connection: Connection, among: Iterable[str]) -> set[str]:
    """Those of these names that some contact method has."""
    found = await rows(
        connection,
        "SELECT DISTINCT name FROM contact_method WHERE name = ANY($1::text[])",
        list(among),
    )
    return {row["name"] for row in found}


def _method(row: Row) -> MethodRow:
    columns = {name: value for name, value in row.items() if name != "settings"}
    reference, limit = columns.pop("key_reference"), columns.pop("per_minute")
    known = None if reference is None else msgspec.json.decode(reference, type=dict[str, Any])
    most = None if limit is None else msgspec.json.decode(limit)
    return MethodRow(
        **columns, key_reference=known, per_minute=most if isinstance(most, int) else None
    )


async def outgoing_webhooks(
    connection: Connection, names: Iterable[str]
) -> dict[str, Mapping[str, Any]]:
    """The entries of `webhooks` with these names, as the configuration has them."""
    found = await rows(
        connection,
        "SELECT path, body FROM stored WHERE path = ANY($1::text[])",
        sorted({f"{_WEBHOOKS}{name}" for name in names}),
    )
    return {
        row["path"].removeprefix(_WEBHOOKS): msgspec.json.decode(row["body"], type=dict[str, Any])
        for row in found
    }


async def channel_settings(
    connection: Connection, media: Iterable[str]
) -> dict[str, Mapping[str, Any]]:
    """The blocks `settings.channels.NAME` of the configuration, empty where there is none."""
    found = await rows(
        connection,
        "SELECT name, body FROM setting WHERE name = ANY($1::text[])",
        sorted({f"{_CHANNELS}{medium}" for medium in media}),
    )
    blocks = {
        row["name"].removeprefix(_CHANNELS): msgspec.json.decode(row["body"], type=dict[str, Any])
        for row in found
    }
    return {medium: blocks.get(medium, {}) for medium in media}


_CHANNELS = "channels/"
_WEBHOOKS = "webhooks/"
