"""What is learned about an alert: words, severity, notes, reasons not to page."""

from dataclasses import replace
from datetime import datetime

from tocsin.core.alert.altering import altered
from tocsin.core.alert.model import Alert
from tocsin.core.alert.outcome import Changed, Outcome, Unchanged
from tocsin.core.alert.stepping import begin, page, people_of, reachable, withdraw
from tocsin.core.alert.telling import entry, sync, update
from tocsin.core.changes import (
    Annotated,
    DetailsUpdated,
    SeverityRaised,
    Suppressed,
    SuppressionEnded,
)
from tocsin.core.effects import Effect, EntryKind, Wake
from tocsin.core.escalation import FIRST, EscalationPlan
from tocsin.core.kinds import Severity, Status, Urgency
from tocsin.core.notation import utc_text
from tocsin.core.reconcile import IntentKind


def annotate(alert: Alert, change: Annotated) -> Outcome:
    """Written down, in every state, and told to the source."""
    note = sync(alert, IntentKind.NOTE, change.by, change.comment)
    return Changed(alert, (entry(EntryKind.ANNOTATED, change.by, change.comment), *note))


def update_details(alert: Alert, change: DetailsUpdated) -> Outcome:
    """Other words for the same thing; pages nobody. A lower severity is only recorded."""
    updated = altered(
        alert,
        title=change.title if change.title is not None else alert.title,
        text=change.text if change.text is not None else alert.text,
        severity=_not_raised(alert, change),
        source=replace(alert.source, url=change.url or alert.source.url),
        details={**alert.details, **change.details},
    )
    if updated == alert:
        return Unchanged("nothing new")
    changed = [name for name in ("title", "text", "severity") if _differs(alert, updated, name)]
    if not changed:
        return Changed(updated, ())
    return Changed(updated, (entry(EntryKind.DETAILS, change.by, changed=changed),))


def raise_severity(
    alert: Alert, change: SeverityRaised, plan: EscalationPlan, now: datetime
) -> Outcome:
    """Open: whom the new urgency adds is paged at once. Acknowledged: the owner gets one update."""
    if change.severity.rank <= alert.severity.rank:
        return Unchanged(f"already {alert.severity}")
    urgency = _louder(alert.urgency, change.urgency)
    raised = altered(alert, severity=change.severity, urgency=urgency)
    line = entry(EntryKind.SEVERITY_RAISED, change.by, severity=change.severity, was=alert.severity)
    note: tuple[Effect, ...] = ()
    match alert.status:
        case Status.CLOSED:
            return Changed(raised, (line,))
        case Status.OPEN:
            raised, note = _repage(alert, raised, plan, now)
        case Status.ACKNOWLEDGED:
            raised, note = _ask_owner(alert, raised, plan, now)
    return Changed(raised, (line, *note))


def suppress(alert: Alert, change: Suppressed, now: datetime) -> Outcome:
    """Visible, and nobody is paged, until `until` where that is given."""
    if alert.status is Status.CLOSED:
        return Unchanged("closed")
    if alert.suppressed is not None and alert.suppressed_until == change.until:
        return Unchanged("already suppressed")
    until = None if change.until is None else utc_text(change.until)
    line = entry(EntryKind.SUPPRESSED, change.by, reason=change.reason, until=until)
    hushed = altered(alert, suppressed=change.reason, suppressed_until=change.until)
    if alert.status is Status.ACKNOWLEDGED:
        return Changed(hushed, (line,))
    quiet, withdrawn = withdraw(hushed, now)
    resting = altered(quiet, position=None, next_step_at=change.until)
    return Changed(resting, (*withdrawn, line, Wake(change.until)))


def end_suppression(
    alert: Alert, change: SuppressionEnded, plan: EscalationPlan, now: datetime
) -> Outcome:
    """What is still open pages now."""
    if alert.suppressed is None:
        return Unchanged("not suppressed")
    if change.due is not None and change.due != alert.suppressed_until:
        return Unchanged("suppressed until another time")
    if change.due is not None and change.due > now:
        return Unchanged("not due yet")
    line = entry(EntryKind.SUPPRESSION_ENDED, change.by)
    free = altered(alert, suppressed=None, suppressed_until=None)
    if alert.status is not Status.OPEN:
        return Changed(free, (line,))
    begun, effects = begin(free, plan, now)
    return Changed(begun, (line, *effects))


def _not_raised(alert: Alert, change: DetailsUpdated) -> Severity:
    """A higher severity comes as its own change, because it may page."""
    if change.severity is None or change.severity.rank > alert.severity.rank:
        return alert.severity
    return change.severity


def _differs(before: Alert, after: Alert, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


def _louder(one: Urgency, other: Urgency) -> Urgency:
    order = (Urgency.URGENT, Urgency.NORMAL, Urgency.RECORD)
    return min(one, other, key=order.index)


def _repage(
    before: Alert, raised: Alert, plan: EscalationPlan, now: datetime
) -> tuple[Alert, tuple[Effect, ...]]:
    """Those of the present step are paged by the rules of the new urgency, if it is a new one."""
    if raised.urgency is before.urgency or raised.suppressed is not None:
        return raised, ()
    if raised.position is None:
        return begin(raised, plan, now)
    people = people_of(raised, plan, raised.position, now)
    return page(raised, reachable(people, raised, now), now)


def _ask_owner(
    before: Alert, raised: Alert, plan: EscalationPlan, now: datetime
) -> tuple[Alert, tuple[Effect, ...]]:
    """One update to the owner, who has the step's wait to answer it if it became urgent."""
    told = update(raised, plan, now, (before.owner,))
    if raised.urgency is not Urgency.URGENT or before.urgency is Urgency.URGENT:
        return raised, told
    step = plan.policy.step(before.position or FIRST)
    until = now + step.wait if step is not None else now
    until = min(until, before.expires_at or before.next_step_at or until)
    asked = altered(raised, awaiting_owner=True, next_step_at=until, expires_at=until)
    return asked, (*told, Wake(until))
