"""Alerts and their timeline as rows."""

from tocsin.store.alerts.reading import (
    Filter,
    claim_due,
    get,
    get_many,
    ledger,
    live_rows,
    notifications,
    open_by_key,
    open_numbers,
    put_off,
    raised_since,
    search,
    timeline,
)
from tocsin.store.alerts.rows import alert_of
from tocsin.store.alerts.saving import KeyTaken, Saved, Written, save

__all__ = [
    "Filter",
    "KeyTaken",
    "Saved",
    "Written",
    "alert_of",
    "claim_due",
    "get",
    "get_many",
    "ledger",
    "live_rows",
    "notifications",
    "open_by_key",
    "open_numbers",
    "put_off",
    "raised_since",
    "save",
    "search",
    "timeline",
]
