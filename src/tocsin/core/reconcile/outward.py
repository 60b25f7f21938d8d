"""What our changes still ask of an object at its source."""

from collections.abc import Iterable

from tocsin.core.reconcile.values import (
    Comment,
    Intent,
    IntentKind,
    Remote,
    RemoteStatus,
    Seen,
    Wanted,
    WriteBack,
    account_names,
    same_account,
)


def wanted(
    remote: Remote, intents: Iterable[Intent], rules: WriteBack, seen: Seen | None = None
) -> Wanted:
    """What the pending `intents` (oldest first) still ask of the object as it stands now.

    Decided anew from each fresh read, so that what an analyst did meanwhile is never undone: a
    closed object is not made active again, a state that is reached is not written again, and an
    owner whom `seen` does not know yet took it after we last looked, so the owner stays. What was
    asked for before it was reopened here is asked for no more.
    """
    pending = tuple(intents)
    standing = _since_reopened(pending)
    closing = _last(standing, IntentKind.CLOSED)
    taking = _last(standing, IntentKind.ACKNOWLEDGED)
    comments = tuple(_comments(pending)) if rules.comments else ()
    if closing is not None and remote.status is not RemoteStatus.CLOSED:
        return Wanted(
            status=RemoteStatus.CLOSED,
            owner=_owner(taking, remote, rules, seen),
            label=_label(remote, rules),
            classification=closing.classification or rules.close_classification,
            close_comment=closing.comment or _filled(rules.close_comment, closing.by),
            comments=comments,
        )
    if taking is not None and closing is None and remote.status is not RemoteStatus.CLOSED:
        return Wanted(
            status=RemoteStatus.ACTIVE if remote.status is RemoteStatus.NEW else None,
            owner=_owner(taking, remote, rules, seen),
            label=_label(remote, rules),
            comments=comments,
        )
    return Wanted(comments=comments)


def _since_reopened(intents: tuple[Intent, ...]) -> tuple[Intent, ...]:
    places = (n for n, one in enumerate(intents, start=1) if one.kind is IntentKind.REOPENED)
    return intents[max(places, default=0) :]


def _last(intents: tuple[Intent, ...], kind: IntentKind) -> Intent | None:
    return next((intent for intent in reversed(intents) if intent.kind is kind), None)


def _owner(
    taking: Intent | None, remote: Remote, rules: WriteBack, seen: Seen | None
) -> str | None:
    if taking is None or not rules.assign_owner:
        return None
    if same_account(account_names(taking.owner), remote.accounts):
        return None
    taken_meanwhile = (
        seen is not None and remote.owner and not same_account(remote.accounts, seen.accounts)
    )
    return None if taken_meanwhile else taking.owner


def _label(remote: Remote, rules: WriteBack) -> str | None:
    return None if rules.label in remote.labels else rules.label


def _comments(intents: tuple[Intent, ...]) -> Iterable[Comment]:
    for intent in intents:
        text = _text(intent)
        if text:
            yield Comment(id=intent.id, text=text)


def _text(intent: Intent) -> str:
    said = f": {intent.comment}" if intent.comment else ""
    match intent.kind:
        case IntentKind.ACKNOWLEDGED:
            return f"Acknowledged in Tocsin by {intent.by}{said}"
        case IntentKind.CLOSED:
            return f"Closed in Tocsin by {intent.by}{said}"
        case IntentKind.REOPENED:
            return f"Reopened in Tocsin by {intent.by}{said}"
        case IntentKind.NOTE:
            return f"{intent.by}{said}" if said else ""


def _filled(template: str | None, user: str) -> str | None:
    return template.replace("{user}", user) if template else None
