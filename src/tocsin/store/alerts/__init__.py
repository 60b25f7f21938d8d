"""Alerts and their timeline as rows."""

from tocsin.store.alerts.reading import (
    Filter,
    claim_due,
    claim_silent,
    get,
    get_many,
    ledger,
    live_rows,
    notifications,
    open_by_key,
    open_numbers,
    put_off,
    raised_since,
    read_many,
    search,
    timeline,
)
from tocsin.store.alerts.rows import alert_of, readable
from tocsin.store.alerts.saving import Written, save
from tocsin.store.alerts.storing import KeyTaken, Saved

__all__ = [
    "Filter",
    "KeyTaken",
    "Saved",
    "Written",
    "alert_of",
    "claim_due",
    "claim_silent",
    "get",
    "get_many",
    "ledger",
    "live_rows",
    "notifications",
    "open_by_key",
    "open_numbers",
    "put_off",
    "raised_since",
    "read_many",
    "readable",
    "save",
    "search",
    "timeline",
]
