"""How a Defender incident and its copy in the Sentinel workspace follow each other."""

from datetime import datetime

from tocsin.demo.cloud.records import GraphIncident, Owner, SentinelIncident

_STATUS = {"New": "active", "Active": "inProgress", "Closed": "resolved"}
_SEVERITY = {"High": "high", "Medium": "medium", "Low": "low", "Informational": "informational"}
_CLASSIFICATION = {
    "TruePositive": "truePositive",
    "FalsePositive": "falsePositive",
    "BenignPositive": "informationalExpectedActivity",
    "Undetermined": "unknown",
}
_REASON = {
    "TruePositive": "SuspiciousActivity",
    "BenignPositive": "SuspiciousButExpected",
    "FalsePositive": "IncorrectAlertLogic",
}
_STATUS_BACK = {graph: sentinel for sentinel, graph in _STATUS.items()}
_SEVERITY_BACK = {graph: sentinel for sentinel, graph in _SEVERITY.items()}
_CLASSIFICATION_BACK = {graph: sentinel for sentinel, graph in _CLASSIFICATION.items()}


def severity_in_graph(severity: str) -> str:
    return _SEVERITY[severity]


def severity_in_sentinel(severity: str) -> str:
    return _SEVERITY_BACK.get(severity, "Informational")


def status_in_graph(status: str) -> str:
    return _STATUS[status]


def sentinel_to_graph(source: SentinelIncident, copy: GraphIncident, now: datetime) -> bool:
    """Brings the Defender side to what Sentinel shows; False when it was so already."""
    before = _graph_state(copy)
    copy.title = source.title
    copy.severity = severity_in_graph(source.severity)
    copy.status = status_in_graph(source.status)
    copy.classification = _CLASSIFICATION.get(source.classification or "", "unknown")
    if copy.classification == "unknown":
        copy.determination = "unknown"
    copy.assigned_to = _account(source.owner)
    copy.custom_tags = list(source.labels)
    if _graph_state(copy) == before:
        return False
    copy.updated = now
    return True


def graph_to_sentinel(
    source: GraphIncident, copy: SentinelIncident, owner: Owner | None, now: datetime
) -> bool:
    """Brings the Sentinel side to what Defender shows; False when it was so already.

    `owner` is the account that Defender's free text names.
    """
    before = _sentinel_state(copy)
    copy.title = source.title
    copy.severity = severity_in_sentinel(source.severity)
    copy.status = _STATUS_BACK.get(source.status, copy.status)
    classification = _CLASSIFICATION_BACK[source.classification]
    if classification != (copy.classification or "Undetermined"):
        copy.classification = classification
        copy.classification_reason = _reason(classification, source.determination)
    if _account(copy.owner) != source.assigned_to:
        copy.owner = owner
    copy.labels = {tag: copy.labels.get(tag, "User") for tag in source.custom_tags}
    if _sentinel_state(copy) == before:
        return False
    copy.modified = now
    return True


def _account(owner: Owner | None) -> str | None:
    if owner is None:
        return None
    return owner.user_principal_name or owner.email or owner.assigned_to or owner.object_id


def _reason(classification: str, determination: str) -> str | None:
    if classification == "FalsePositive" and determination == "notEnoughDataToValidate":
        return "InaccurateData"
    return _REASON.get(classification)


def _graph_state(incident: GraphIncident) -> tuple[object, ...]:
    return (
        incident.title,
        incident.severity,
        incident.status,
        incident.classification,
        incident.assigned_to,
        tuple(incident.custom_tags),
    )


def _sentinel_state(incident: SentinelIncident) -> tuple[object, ...]:
    return (
        incident.title,
        incident.severity,
        incident.status,
        incident.classification,
        incident.owner,
        tuple(incident.labels),
    )
