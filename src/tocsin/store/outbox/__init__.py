"""Promises to keep, and the leases under which they are kept."""

from tocsin.store.outbox import budgets, jobs, notifications, polls, remote_writes

__all__ = ["budgets", "jobs", "notifications", "polls", "remote_writes"]
