"""The alert that an event becomes, before it pages anybody, and why it may page nobody for now."""

from dataclasses import dataclass
from datetime import datetime

from tocsin.actions.intake.posted import Posted
from tocsin.actions.maintenance import reason, window_for
from tocsin.core.alert import Alert, Origin
from tocsin.core.changes import Raised
from tocsin.core.escalation import Policy
from tocsin.core.event import Event
from tocsin.core.kinds import USUAL_ACKNOWLEDGEMENTS, Actor, Mode
from tocsin.core.routing import chosen, route
from tocsin.store import plans
from tocsin.store.paging import TeamContext
from tocsin.store.uuids import uuid7


@dataclass(frozen=True, slots=True)
class Seed:
    """An alert that does not escalate yet, the policy it follows, the change it begins with."""

    alert: Alert
    policy: Policy
    change: Raised


def seed_of(
    context: TeamContext, posted: Posted, event: Event, by: Actor, number: int, now: datetime
) -> Seed:
    """What `event` becomes in a team; `number` is the new alert's.

    Suppressed by its category or by a maintenance window that is open in `context`.
    """
    routed = route(event, context.categories, posted.policy)
    name, policy = chosen(context.policies, routed.policy)
    alert = Alert(
        team=posted.team,
        id=uuid7(now),
        number=number,
        title=event.title,
        text=event.text,
        created_at=now,
        updated_at=now,
        severity=routed.severity,
        urgency=routed.urgency,
        source=Origin(posted.inlet, event.source_name or posted.name, event.url),
        policy=plans.digest(policy),
        policy_name=name,
        close_after=policy.close_after,
        category=routed.category,
        mode=routed.mode or policy.mode or Mode.SINGLE,
        own_mode=routed.mode is not None,
        own_acknowledgements=routed.acknowledgements,
        acknowledgements_required=routed.acknowledgements
        or policy.acknowledgements
        or USUAL_ACKNOWLEDGEMENTS,
        integration=posted.integration,
        connector=posted.connector,
        external_id=event.external_id,
        details=event.details,
        links=event.links,
    )
    return Seed(alert, policy, _raised(context, alert, Raised(by, routed.suppressed)))


def _raised(context: TeamContext, alert: Alert, change: Raised) -> Raised:
    window = None if change.suppressed is not None else window_for(context, alert)
    return change if window is None else Raised(change.by, reason(window), window.until)
