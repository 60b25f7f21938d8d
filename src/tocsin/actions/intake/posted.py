"""One request of a sender, as intake is handed it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tocsin.core.event import Said
from tocsin.core.kinds import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One request of a sender: who posted, what it says, and the bytes as they came.

    `name` is the integration's, `inlet` its dialect. `connector` is set where a source said it.
    """

    team: int
    name: str
    inlet: str
    said: tuple[Said, ...]
    raw: bytes = b""
    media_type: str | None = None
    integration: int | None = None
    connector: int | None = None
    policy: str | None = None
    actor: Actor | None = None
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
