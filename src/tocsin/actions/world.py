"""What every action is handed: the database, the clock, the keys, the plug-ins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tocsin.keys import Keys
from tocsin.ports import Channel, Clock, Egress, Inlet, Secrets, Source
from tocsin.store.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugIns:
    """What is installed, by entry-point name; a class is loaded when it is first asked for."""

    channels: Mapping[str, Callable[[], type[Channel]]] = field(
        default_factory=dict[str, Callable[[], type[Channel]]]
    )
    inlets: Mapping[str, Callable[[], type[Inlet]]] = field(
        default_factory=dict[str, Callable[[], type[Inlet]]]
    )
    sources: Mapping[str, Callable[[], type[Source]]] = field(
        default_factory=dict[str, Callable[[], type[Source]]]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The parts that `app` put together. `public_url` has no trailing slash.

    `database` and `worker_database` are separate pools, so that a storm cannot starve answers.
    `wake` tells the loop of this process that something was committed.
    """

    database: Database
    worker_database: Database
    clock: Clock
    keys: Keys
    egress: Egress
    secrets: Secrets
    plug_ins: PlugIns
    public_url: str
    allow_private: tuple[str, ...] = ()
    wake: Callable[[], None] = lambda: None
