"""The connectors' source objects, made when first needed and again when their settings change."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from tocsin.actions.world import World
from tocsin.ports import Budget, Failed, FailureKind, SecretMissingError, Source, SourceContext
from tocsin.store.connectors import Connector, seal_context
from tocsin.store.outbox import Limit, StoredBudget

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opened:
    """A connector ready to be used."""

    row: Connector
    source: Source
    budget: Budget


class NotOpenedError(Exception):
    """The source of a connector is not there; `failed` says what it takes."""

    def __init__(self, reason: str, kind: FailureKind = FailureKind.CONFIGURATION) -> None:
        super().__init__(reason)
        self.failed = Failed(kind=kind, reason=reason)


@dataclass(slots=True)
class _Made:
    version: bytes
    source: Source
    users: int = 0
    former: bool = False


@dataclass(slots=True)
class Sources:
    """Source objects by connector. A former one is closed when its last user has ended."""

    world: World
    _made: dict[tuple[int, int], _Made] = field(default_factory=dict[tuple[int, int], _Made])

    @asynccontextmanager
    async def open(self, row: Connector | None) -> AsyncGenerator[Opened]:
        """The source of a connector for as long as the block runs. Raises `NotOpenedError`."""
        if row is None:
            raise NotOpenedError("the connector was removed", FailureKind.PERMANENT)
        if not row.enabled:
            raise NotOpenedError("the connector is switched off")
        made = await self._current(row)
        made.users += 1
        try:
            yield Opened(row, made.source, self._budget(row, made.source))
        finally:
            made.users -= 1
            if made.former and not made.users:
                await _closed(made.source, row.name)

    async def close(self) -> None:
        """Let go of every connection."""
        for made in self._made.values():
            await _closed(made.source, "")

    async def _current(self, row: Connector) -> _Made:
        key = (row.team, row.id)
        version = msgspec.json.encode(row.settings, order="sorted") + (row.sealed_secret or b"")
        former = self._made.get(key)
        if former is not None and former.version == version:
            return former
        made = self._made[key] = _Made(version, self._make(row))
        if former is not None:
            former.former = True
            if not former.users:
                await _closed(former.source, row.name)
        return made

    def _make(self, row: Connector) -> Source:
        load = self.world.plug_ins.sources.get(row.source)
        if load is None:
            raise NotOpenedError(
                f"no such source is installed: {row.source}; install its package, or correct the"
                " connector"
            )
        try:
            return load()(self._context(row))
        except Exception as fault:
            log.exception("source does not start", connector=row.name, source=row.source)
            # What these say is meant to be read; others may say anything.
            clear = isinstance(fault, ValueError | SecretMissingError | ImportError)
            said = f": {fault}" if clear else ""
            raise NotOpenedError(
                f"the source {row.source} does not start: {type(fault).__name__}{said}; check the"
                " connector's settings and secret, and that what the source needs is installed"
            ) from fault

    def _budget(self, row: Connector, source: Source) -> Budget:
        limits = {
            kind: Limit(allowance.calls, allowance.window)
            for kind, allowance in source.allowances.items()
        }
        owner = f"{row.team}/{row.id}"
        return StoredBudget(self.world.worker_database, self.world.clock, owner, limits)

    def _context(self, row: Connector) -> SourceContext:
        def secret(reference: Mapping[str, Any]) -> str:
            if "stored" not in reference:
                return self.world.secrets(reference)
            if row.sealed_secret is None:
                name = reference["stored"]
                raise SecretMissingError(f"no secret is stored as {name}: enter it once more")
            return self.world.keys.open(row.sealed_secret, seal_context(row.team, row.id)).decode()

        return SourceContext(
            name=row.name,
            settings=row.settings,
            secret=secret,
            clock=self.world.clock,
            allow_private=self.world.allow_private,
        )


def broken(fault: Exception) -> str:
    """The reason to show for what only a fault in a source, or the database, can raise."""
    return (
        f"the source broke off with {type(fault).__name__}: a fault of its plug-in or of the"
        " database; the log has the details, an update of the plug-in may help"
    )


async def _closed(source: Source, name: str) -> None:
    """A source that cannot close itself does not keep others from their work."""
    try:
        await source.close()
    except Exception:
        log.exception("source not closed", connector=name)
