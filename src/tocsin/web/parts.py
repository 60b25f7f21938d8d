"""What the doors are handed by the roof."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tocsin.actions.intake import Intake
from tocsin.actions.world import World

Readiness = Callable[[], Awaitable[Mapping[str, str | None]]]
"""What has to be well (`database`, `migrations`, `worker` …) → what is wrong with it, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The world, the queue of what senders post, and how to find out whether all is well."""

    world: World
    intake: Intake
    readiness: Readiness
