"""Local and remote state, what each side last saw: what to change here, what to write there."""

from tocsin.core.reconcile.inward import news, seen_after
from tocsin.core.reconcile.outward import wanted
from tocsin.core.reconcile.values import (
    Comment,
    Intent,
    IntentKind,
    News,
    NewsKind,
    Remote,
    RemoteStatus,
    Seen,
    Wanted,
    WriteBack,
    account_names,
    same_account,
)

__all__ = [
    "Comment",
    "Intent",
    "IntentKind",
    "News",
    "NewsKind",
    "Remote",
    "RemoteStatus",
    "Seen",
    "Wanted",
    "WriteBack",
    "account_names",
    "news",
    "same_account",
    "seen_after",
    "wanted",
]
