"""The channels that are configured, made when first needed and again when their settings change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tocsin.actions.world import World
from tocsin.ports import Channel, ChannelContext


@dataclass(slots=True)
class Channels:
    """Channel objects by medium."""

    world: World
    _made: dict[str, tuple[Mapping[str, Any], Channel]] = field(
        default_factory=dict[str, tuple[Mapping[str, Any], Channel]]
    )

    def get(self, medium: str, settings: Mapping[str, Any]) -> Channel | None:
        """The channel that serves a medium, None when none is installed.

        Raises whatever a plug-in raises that cannot be loaded or made.
        """
        load = self.world.plug_ins.channels.get(medium)
        if load is None:
            return None
        known = self._made.get(medium)
        if known is not None and known[0] == settings:
            return known[1]
        channel = load()(
            ChannelContext(
                settings=settings,
                secret=self.world.secrets,
                egress=self.world.egress,
                clock=self.world.clock,
                allow_private=self.world.allow_private,
            )
        )
        # A former object is left to its sends under way; it holds no connection between them.
        self._made[medium] = (settings, channel)
        return channel

    async def close(self) -> None:
        """Let go of every connection."""
        for _, channel in self._made.values():
            await channel.close()
