"""The one place where parts are put together."""

from tocsin.app.logs import configure_logs
from tocsin.app.parts import (
    LOCAL_URL,
    DatabaseUnreachableError,
    opened,
    plug_ins,
    secret,
    world_of,
)

__all__ = [
    "LOCAL_URL",
    "DatabaseUnreachableError",
    "configure_logs",
    "opened",
    "plug_ins",
    "secret",
    "world_of",
]
