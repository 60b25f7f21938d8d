"""The JSON of Graph alerts and incidents, out and in."""

from typing import Literal

import msgspec

from tocsin.demo.cloud.records import GraphAlert, GraphComment, GraphIncident
from tocsin.demo.cloud.stamps import stamp, stamp_or_none

Classification = Literal[
    "unknown", "falsePositive", "truePositive", "informationalExpectedActivity"
]
Determination = Literal[
    "unknown",
    "apt",
    "malware",
    "securityPersonnel",
    "securityTesting",
    "unwantedSoftware",
    "other",
    "multiStagedAttack",
    "compromisedAccount",
    "phishing",
    "maliciousUserActivity",
    "notMalicious",
    "notEnoughDataToValidate",
    "confirmedActivity",
    "lineOfBusinessApplication",
]

# Members after `unknownFutureValue` in the v1.0 metadata: hidden without the Prefer header.
_LATER_SERVICE_SOURCES = frozenset(
    {
        "microsoftDefenderForCloud",
        "microsoftSentinel",
        "microsoftInsiderRiskManagement",
        "microsoftThreatIntelligence",
        "microsoftSecurityForAI",
    }
)
_LATER_DETECTION_SOURCES = frozenset(
    {
        "microsoftDefenderForCloud",
        "nrtAlerts",
        "scheduledAlerts",
        "builtInMl",
        "microsoftInsiderRiskManagement",
        "microsoftThreatIntelligence",
        "securityCopilot",
        "microsoftSentinel",
    }
)
_LATER_INCIDENT_STATUSES = frozenset({"awaitingAction"})


class PatchAlert(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The four writable properties; a property that is absent stays as it is."""

    odata_type: str | msgspec.UnsetType = msgspec.field(name="@odata.type", default=msgspec.UNSET)
    status: Literal["new", "inProgress", "resolved"] | msgspec.UnsetType = msgspec.UNSET
    classification: Classification | msgspec.UnsetType = msgspec.UNSET
    determination: Determination | msgspec.UnsetType = msgspec.UNSET
    assigned_to: str | msgspec.UnsetType | None = msgspec.UNSET


class PatchIncident(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """As for an alert, and `customTags`, which replaces all tags."""

    odata_type: str | msgspec.UnsetType = msgspec.field(name="@odata.type", default=msgspec.UNSET)
    status: Literal["active", "inProgress", "resolved"] | msgspec.UnsetType = msgspec.UNSET
    classification: Classification | msgspec.UnsetType = msgspec.UNSET
    determination: Determination | msgspec.UnsetType = msgspec.UNSET
    assigned_to: str | msgspec.UnsetType | None = msgspec.UNSET
    custom_tags: list[str] | msgspec.UnsetType = msgspec.UNSET


class PostComment(msgspec.Struct):
    comment: str
    odata_type: str | msgspec.UnsetType = msgspec.field(name="@odata.type", default=msgspec.UNSET)


def apply_patch(
    item: GraphAlert | GraphIncident, patch: PatchAlert | PatchIncident
) -> GraphAlert | GraphIncident:
    """Stores what the patch names; the caller moves the times."""
    if patch.status is not msgspec.UNSET:
        item.status = patch.status
    if patch.classification is not msgspec.UNSET:
        item.classification = patch.classification
    if patch.determination is not msgspec.UNSET:
        item.determination = patch.determination
    if patch.assigned_to is not msgspec.UNSET:
        item.assigned_to = patch.assigned_to or None
    return item


def alert_json(alert: GraphAlert, tenant: str, *, all_members: bool) -> dict[str, object]:
    """`all_members` shows enum members that would otherwise read unknownFutureValue."""
    portal = "https://security.microsoft.com"
    moment = stamp(alert.created)
    return {
        "@odata.type": "#microsoft.graph.security.alert",
        "id": alert.id,
        "providerAlertId": alert.provider_alert_id,
        "incidentId": alert.incident_id,
        "status": alert.status,
        "severity": alert.severity,
        "classification": alert.classification,
        "determination": alert.determination,
        "serviceSource": _member(alert.service_source, _LATER_SERVICE_SOURCES, all_members),
        "detectionSource": _member(alert.detection_source, _LATER_DETECTION_SOURCES, all_members),
        "productName": alert.service_source,
        "detectorId": None,
        "tenantId": tenant,
        "title": alert.title,
        "description": alert.description,
        "recommendedActions": "",
        "category": alert.category,
        "categories": [alert.category],
        "assignedTo": alert.assigned_to,
        "alertWebUrl": f"{portal}/alerts/{alert.id}?tid={tenant}",
        "incidentWebUrl": f"{portal}/incidents/{alert.incident_id}?tid={tenant}",
        **dict.fromkeys(("actorDisplayName", "threatDisplayName", "threatFamilyName")),
        "mitreTechniques": list(alert.techniques),
        "createdDateTime": moment,
        "lastUpdateDateTime": stamp(alert.updated),
        "resolvedDateTime": stamp_or_none(alert.resolved),
        "firstActivityDateTime": moment,
        "lastActivityDateTime": moment,
        "comments": comments_json(alert.comments),
        "evidence": list(alert.evidence),
        "systemTags": list(alert.system_tags),
        "customDetails": {},
        "additionalData": {},
    }


def incident_json(incident: GraphIncident, tenant: str, *, all_members: bool) -> dict[str, object]:
    """The incident without its alerts."""
    url = f"https://security.microsoft.com/incidents/{incident.id}?tid={tenant}"
    return {
        "@odata.type": "#microsoft.graph.security.incident",
        "id": incident.id,
        "tenantId": tenant,
        "incidentWebUrl": url,
        "redirectIncidentId": incident.redirect_id,
        "displayName": incident.title,
        "description": incident.description,
        "summary": None,
        "status": _member(incident.status, _LATER_INCIDENT_STATUSES, all_members),
        "severity": incident.severity,
        "classification": incident.classification,
        "determination": incident.determination,
        "assignedTo": incident.assigned_to,
        "customTags": list(incident.custom_tags),
        "systemTags": list(incident.system_tags),
        "comments": comments_json(incident.comments),
        "resolvingComment": None,
        "lastModifiedBy": incident.last_modified_by,
        "priorityScore": None,
        "createdDateTime": stamp(incident.created),
        "lastUpdateDateTime": stamp(incident.updated),
    }


def comments_json(comments: list[GraphComment]) -> list[dict[str, object]]:
    return [
        {
            "comment": comment.comment,
            "createdByDisplayName": comment.author,
            "createdDateTime": stamp(comment.created),
        }
        for comment in comments
    ]


def _member(value: str, later: frozenset[str], shown: bool) -> str:
    return value if shown or value not in later else "unknownFutureValue"
