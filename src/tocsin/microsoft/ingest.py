"""Writes what happened to the custom table, by the Logs Ingestion API.

Source of facts: Logs Ingestion API (1 MB for a call, 413, 429 with Retry-After, 204).
"""

import json
from collections.abc import Iterator, Sequence

import structlog

from tocsin.microsoft.client import Call, Client, Errand
from tocsin.microsoft.clouds import Api
from tocsin.microsoft.destination import Destination
from tocsin.microsoft.faults import Asked, CallError
from tocsin.microsoft.fields import Record, text
from tocsin.microsoft.table import row
from tocsin.ports import Failed, Published, Sent

LARGEST_CALL = 950_000
"""Bytes of a call; the limit is 1 MB, and whether that means 10^6 or 2^20 is not said."""

KIND = "table-write"

_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger()


class Ingest:
    """Sends rows in as few calls as their size allows.

    A call whose fate is unknown is made again: a row that arrives twice has the same EventId, by
    which every reader counts it once.
    """

    def __init__(self, destination: Destination, client: Client) -> None:
        self._destination = destination
        self._client = client

    async def publish(self, events: Sequence[Published], errand: Errand) -> Sent | Failed:
        """Write the events; after a failure all of them are to be handed over again."""
        found = [made for event in events if (made := row(event)) is not None]
        left_out = 0
        try:
            for batch in batches(found):
                left_out += await self._written(batch, errand)
        except CallError as error:
            return error.failed
        return Sent(detail=f"left out because they are too large: {left_out}" if left_out else None)

    async def _written(self, batch: Sequence[Record], errand: Errand) -> int:
        """How many rows were left out because the service takes none of their size."""
        try:
            await self._client.send(self._call(batch), errand)
        except CallError as error:
            if error.status != 413:
                raise
            if len(batch) == 1:
                _log.warning("row too large for the table", row=text(batch[0], "EventId"))
                return 1
            half = len(batch) // 2
            first = await self._written(batch[:half], errand)
            return first + await self._written(batch[half:], errand)
        return 0

    def _call(self, batch: Sequence[Record]) -> Call:
        table = self._destination.table
        return Call(
            method="POST",
            url=self._destination.url,
            asked=Asked(
                api=Api.INGESTION,
                doing=f"write to the table {table}",
                missing="the data collection rule is not found: check table.rule, table.endpoint",
            ),
            kind=KIND,
            body=batch,
        )


def batches(rows: Sequence[Record], largest: int = LARGEST_CALL) -> Iterator[Sequence[Record]]:
    """The rows in order, as many at a time as fit into a call; each at least alone."""
    batch: list[Record] = []
    size = 2
    for one in rows:
        more = len(json.dumps(one)) + 2  # ASCII only, with a comma and a blank
        if batch and size + more > largest:
            yield batch
            batch, size = [], 2
        batch.append(one)
        size += more
    if batch:
        yield batch
