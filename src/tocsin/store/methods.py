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
    """A contact method as delivery needs it; `disabled` is the reason why it is not used."""

    id: int
    name: str
    channel: str
    address: str
    disabled: str | None
    user_active: bool
    sealed_key: bytes | None
    key_reference: Mapping[str, Any] | None

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
    found = await rows(
        connection,
        "SELECT c.id, c.name, c.channel, c.address, c.disabled, c.sealed_key,"
        " c.body->'signing_key' AS key_reference,"
        " u.active AS user_active FROM contact_method c JOIN app_user u ON u.id = c.user_id"
        " WHERE c.id = ANY($1::int[])",
        sorted(set(methods)),
    )
    return {row["id"]: _method(row) for row in found}


def _method(row: Row) -> MethodRow:
    columns = dict(row)
    reference = columns.pop("key_reference")
    known = None if reference is None else msgspec.json.decode(reference, type=dict[str, Any])
    return MethodRow(**columns, key_reference=known)


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
