"""The connectors' source objects, made when first needed and again when their settings change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tocsin.actions.world import World
from tocsin.ports import Budget, SecretMissingError, Source, SourceContext
from tocsin.store.connectors import Connector, seal_context
from tocsin.store.outbox import Limit, StoredBudget


@dataclass(frozen=True, slots=True)
class Opened:
    """A connector ready to be used."""

    row: Connector
    source: Source
    budget: Budget


@dataclass(slots=True)
class Sources:
    """Source objects by connector."""

    world: World
    _made: dict[tuple[int, int], tuple[bytes, Source]] = field(
        default_factory=dict[tuple[int, int], tuple[bytes, Source]]
    )

    async def open(self, row: Connector) -> Opened | None:
        """The source of a connector, None when no plug-in of that name is installed."""
        load = self.world.plug_ins.sources.get(row.source)
        if load is None:
            return None
        key = (row.team, row.id)
        version = msgspec.json.encode(row.settings, order="sorted") + (row.sealed_secret or b"")
        made = self._made.get(key)
        if made is None or made[0] != version:
            source = load()(self._context(row))
            self._made[key] = (version, source)
            if made is not None:
                await made[1].close()
        source = self._made[key][1]
        limits = {
            kind: Limit(allowance.calls, allowance.window)
            for kind, allowance in source.allowances.items()
        }
        owner = f"{row.team}/{row.id}"
        budget = StoredBudget(self.world.worker_database, self.world.clock, owner, limits)
        return Opened(row, source, budget)

    async def close(self) -> None:
        """Let go of every connection."""
        for _, source in self._made.values():
            await source.close()

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
