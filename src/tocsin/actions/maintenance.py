"""Whether a maintenance window means an alert, when it is raised and when its time is over."""

from tocsin.core.alert import Alert
from tocsin.core.changes import Suppressed, SuppressionEnded
from tocsin.core.matching import Fields, fields
from tocsin.core.routing import Maintenance, hushing
from tocsin.store.maintenance import SUPPRESSED
from tocsin.store.paging import TeamContext


def window_for(context: TeamContext, alert: Alert) -> Maintenance | None:
    """The window that means an alert and is open now, None where none does."""
    if not context.maintenance:  # nearly always
        return None
    return hushing(context.maintenance, alert.integration, alert.category, _fields(alert))


def reason(window: Maintenance) -> str:
    """Why an alert that the window means pages nobody.

    >>> from datetime import datetime
    >>> reason(Maintenance(name="patching", reason="new disks", until=datetime.max))
    'maintenance patching: new disks'
    """
    return f"{SUPPRESSED} {window.name}: {window.reason}"


def quiet_over(context: TeamContext, alert: Alert) -> Suppressed | SuppressionEnded:
    """What the timer of a suppressed alert stands for: a window still means it, or it pages now."""
    window = window_for(context, alert)
    if window is None:
        return SuppressionEnded()
    return Suppressed(reason(window), until=window.until)


def _fields(alert: Alert) -> Fields:
    """What the tests of windows look at."""
    source = alert.source
    return fields(
        {
            "title": (alert.title,),
            "text": (alert.text,),
            "severity": (alert.severity.value,),
            "category": (alert.category,),
            "source": (source.name, source.kind),
            "external_id": (alert.external_id,),
            "url": (source.url,),
        },
        alert.details,
    )
