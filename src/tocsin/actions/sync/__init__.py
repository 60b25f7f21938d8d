"""A Source and we agree again."""

from tocsin.actions.sync.polling import poll, poll_due
from tocsin.actions.sync.sources import Sources
from tocsin.actions.sync.writing import write, writes_due

__all__ = ["Sources", "poll", "poll_due", "write", "writes_due"]
