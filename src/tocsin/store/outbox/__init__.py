"""Promises to keep, and the leases under which they are kept."""

from tocsin.store.outbox.budgets import Limit, StoredBudget
from tocsin.store.outbox.bundles import (
    Held,
    Leaver,
    Line,
    carry,
    put_back,
    relieved,
    tell_once,
)
from tocsin.store.outbox.jobs import claim_job, hasten_job
from tocsin.store.outbox.leases import PAGE_LEASE, SYNC_LEASE
from tocsin.store.outbox.notifications import (
    Due,
    Full,
    Settled,
    claim_more,
    claim_pages,
    repeat_every_of,
    settle_pages,
)
from tocsin.store.outbox.polls import (
    DuePoll,
    Polled,
    claim_polls,
    poll_now,
    release_poll,
    renew_poll,
    settle_poll,
)
from tocsin.store.outbox.publications import (
    DuePublications,
    Publication,
    claim_publications,
    drop_publications,
    published,
    put_off,
)
from tocsin.store.outbox.receipts import Through, answered, late, report
from tocsin.store.outbox.remote_writes import (
    DueWrites,
    claim_writes,
    pending_writes,
    settle_writes,
)
from tocsin.store.outbox.traffic import (
    Ended,
    counted,
    ended_storms,
    lock_traffic,
    plan_notices,
    save_traffic,
)

__all__ = [
    "PAGE_LEASE",
    "SYNC_LEASE",
    "Due",
    "DuePoll",
    "DuePublications",
    "DueWrites",
    "Ended",
    "Full",
    "Held",
    "Leaver",
    "Limit",
    "Line",
    "Polled",
    "Publication",
    "Settled",
    "StoredBudget",
    "Through",
    "answered",
    "carry",
    "claim_job",
    "claim_more",
    "claim_pages",
    "claim_polls",
    "claim_publications",
    "claim_writes",
    "counted",
    "drop_publications",
    "ended_storms",
    "hasten_job",
    "late",
    "lock_traffic",
    "pending_writes",
    "plan_notices",
    "poll_now",
    "published",
    "put_back",
    "put_off",
    "release_poll",
    "relieved",
    "renew_poll",
    "repeat_every_of",
    "report",
    "save_traffic",
    "settle_pages",
    "settle_poll",
    "settle_writes",
    "tell_once",
]
