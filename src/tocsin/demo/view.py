"""Tocsin's end of the story, as its API and its tables show it."""

from dataclasses import dataclass
from typing import TypeVar

import httpx
import msgspec

from tocsin.store.db import Database, rows


class Answered(msgspec.Struct, frozen=True):
    """Who acknowledged or closed."""

    user: str
    via: str
    classification: str | None = None


class AlertView(msgspec.Struct, frozen=True):
    """The part of the alert object that the story tells of."""

    id: str
    number: int
    status: str
    severity: str
    owner: str | None
    acknowledged_by: tuple[Answered, ...]
    closed_by: Answered | None


class PageView(msgspec.Struct, frozen=True):
    """One notification, as the ledger has it."""

    user: str
    contact_method: str
    purpose: str
    state: str
    attempt: int


class _Alerts(msgspec.Struct):
    items: tuple[AlertView, ...]


class _Pages(msgspec.Struct):
    items: tuple[PageView, ...]


_Body = TypeVar("_Body")


@dataclass(frozen=True, slots=True)
class TocsinView:
    """Reads what programs can read. `client` has the base address and the token.

    The calls raise `httpx.HTTPError` when Tocsin does not answer as it should.
    """

    client: httpx.AsyncClient
    database: Database

    async def alert(self, external_id: str) -> AlertView | None:
        """The newest alert of a remote object."""
        found = await self._read("/api/v1/alerts", _Alerts, external_id=external_id)
        return found.items[0] if found.items else None

    async def pages(self, alert: str) -> tuple[PageView, ...]:
        """Every page of an alert, in the order in which it was due."""
        found = await self._read(f"/api/v1/alerts/{alert}/notifications", _Pages)
        return found.items

    async def poll_error(self) -> str | None:
        """Why the connector could not be read the last time."""
        async with self.database.transaction() as connection:
            found = await rows(connection, "SELECT error FROM poll WHERE error IS NOT NULL")
        return str(found[0]["error"]) if found else None

    async def writes(self, key: str) -> tuple[tuple[str, str | None], ...]:
        """State and detail of what is to be told to the source about a remote object."""
        async with self.database.transaction() as connection:
            found = await rows(
                connection,
                "SELECT state, detail FROM remote_write WHERE key = $1 ORDER BY planned_at, id",
                key,
            )
        return tuple((row["state"], row["detail"]) for row in found)

    async def _read(self, path: str, shape: type[_Body], **query: str) -> _Body:
        answer = await self.client.get(path, params=query)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=shape)
