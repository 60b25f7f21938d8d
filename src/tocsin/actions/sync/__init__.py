"""A Source and we agree again."""

from tocsin.actions.sync.leases import last_words
from tocsin.actions.sync.polling import poll, poll_due
from tocsin.actions.sync.sources import NotOpenedError, Sources, broken
from tocsin.actions.sync.writing import write, writes_due

__all__ = [
    "NotOpenedError",
    "Sources",
    "broken",
    "last_words",
    "poll",
    "poll_due",
    "write",
    "writes_due",
]
