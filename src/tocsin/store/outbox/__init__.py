"""Promises to keep, and the leases under which they are kept."""

from tocsin.store.outbox.budgets import Limit, StoredBudget
from tocsin.store.outbox.jobs import claim_job
from tocsin.store.outbox.leases import PAGE_LEASE
from tocsin.store.outbox.notifications import Due, Full, Settled, claim_pages, settle_pages
from tocsin.store.outbox.polls import (
    DuePoll,
    Polled,
    claim_polls,
    poll_now,
    release_poll,
    renew_poll,
    settle_poll,
)
from tocsin.store.outbox.remote_writes import (
    DueWrites,
    claim_writes,
    pending_writes,
    settle_writes,
)

__all__ = [
    "PAGE_LEASE",
    "Due",
    "DuePoll",
    "DueWrites",
    "Full",
    "Limit",
    "Polled",
    "Settled",
    "StoredBudget",
    "claim_job",
    "claim_pages",
    "claim_polls",
    "claim_writes",
    "pending_writes",
    "poll_now",
    "release_poll",
    "renew_poll",
    "settle_pages",
    "settle_poll",
    "settle_writes",
]
