"""The one place where parts are put together."""

from tocsin.app.logs import configure_logs
from tocsin.app.parts import opened, world_of
from tocsin.app.serving import Serving, serve

__all__ = ["Serving", "configure_logs", "opened", "serve", "world_of"]
