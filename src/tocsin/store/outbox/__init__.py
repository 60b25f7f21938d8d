"""Promises to keep, and the leases under which they are kept."""

from tocsin.store.outbox import budgets, jobs, notifications, polls, remote_writes
from tocsin.store.outbox.budgets import Limit, StoredBudget
from tocsin.store.outbox.leases import PAGE_LEASE
from tocsin.store.outbox.notifications import Due, Settled
from tocsin.store.outbox.polls import DuePoll, Polled
from tocsin.store.outbox.remote_writes import DueWrites

__all__ = [
    "PAGE_LEASE",
    "Due",
    "DuePoll",
    "DueWrites",
    "Limit",
    "Polled",
    "Settled",
    "StoredBudget",
    "budgets",
    "jobs",
    "notifications",
    "polls",
    "remote_writes",
]
