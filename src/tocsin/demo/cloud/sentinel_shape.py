"""The JSON of Sentinel incidents, alerts, entities and comments, out and in."""

from datetime import datetime
from typing import Literal

import msgspec

from tocsin.demo.cloud.errors import ArmError
from tocsin.demo.cloud.records import (
    Entity,
    Owner,
    SecurityAlert,
    SentinelComment,
    SentinelIncident,
)
from tocsin.demo.cloud.stamps import stamp, stamp_or_none

Severity = Literal["High", "Medium", "Low", "Informational"]
Status = Literal["New", "Active", "Closed"]
Classification = Literal["Undetermined", "TruePositive", "BenignPositive", "FalsePositive"]
Reason = Literal[
    "SuspiciousActivity", "SuspiciousButExpected", "IncorrectAlertLogic", "InaccurateData"
]

_REASONS: dict[str, frozenset[str]] = {
    "Undetermined": frozenset(),
    "TruePositive": frozenset({"SuspiciousActivity"}),
    "BenignPositive": frozenset({"SuspiciousButExpected"}),
    "FalsePositive": frozenset({"IncorrectAlertLogic", "InaccurateData"}),
}
_LONGEST_DESCRIPTION = 5_000


class PutOwner(msgspec.Struct, rename="camel"):
    object_id: str | None = None
    email: str | None = None
    assigned_to: str | None = None
    user_principal_name: str | None = None
    owner_type: Literal["User", "Group", "Unknown"] | None = None


class PutLabel(msgspec.Struct, rename="camel"):
    label_name: str
    label_type: Literal["User", "AutoAssigned"] = "User"


class PutProperties(msgspec.Struct, rename="camel"):
    """What PUT stores; read-only properties of an earlier GET are ignored."""

    title: str
    severity: Severity
    status: Status
    description: str | None = None
    owner: PutOwner | None = None
    labels: list[PutLabel] | None = None
    classification: Classification | None = None
    classification_reason: Reason | None = None
    classification_comment: str | None = None
    first_activity_time_utc: datetime | None = None
    last_activity_time_utc: datetime | None = None


class PutIncident(msgspec.Struct):
    properties: PutProperties
    etag: str | None = None


class PutCommentProperties(msgspec.Struct):
    message: str


class PutComment(msgspec.Struct):
    properties: PutCommentProperties


def check_incident(properties: PutProperties) -> None:
    """ArmError 400 for a description too long or a classification without its proper reason."""
    if len(properties.description or "") > _LONGEST_DESCRIPTION:
        raise bad_request(f"description is longer than {_LONGEST_DESCRIPTION} characters")
    classification, reason = properties.classification, properties.classification_reason
    if classification is None:
        if reason is not None:
            raise bad_request("classificationReason needs a classification.")
        return
    allowed = _REASONS[classification]
    if allowed and reason is None:
        raise bad_request(f"classification '{classification}' must have classificationReason.")
    if reason is not None and reason not in allowed:
        raise bad_request(
            f"classificationReason '{reason}' does not go with classification '{classification}'."
        )


def bad_request(message: str) -> ArmError:
    return ArmError(400, "BadRequest", message)


def incident_json(incident: SentinelIncident, workspace: str, tenant: str) -> dict[str, object]:
    """`workspace` is the ARM id of the workspace. Properties without a value are left out."""
    resource = f"{workspace}/providers/Microsoft.SecurityInsights"
    path = f"{resource}/Incidents/{incident.id}"
    onboarded = incident.graph_id is not None
    properties: dict[str, object | None] = {
        "title": incident.title,
        "description": None if onboarded else incident.description,
        "severity": incident.severity,
        "status": incident.status,
        "classification": incident.classification,
        "classificationReason": incident.classification_reason,
        "classificationComment": incident.classification_comment,
        "firstActivityTimeUtc": stamp_or_none(incident.first_activity),
        "lastActivityTimeUtc": stamp_or_none(incident.last_activity),
        "lastModifiedTimeUtc": stamp(incident.modified),
        "createdTimeUtc": stamp(incident.created),
        "owner": owner_json(incident.owner),
        "labels": [
            {"labelName": name, "labelType": kind} for name, kind in incident.labels.items()
        ],
        "incidentNumber": incident.number,
        "incidentUrl": (
            "https://portal.azure.com/#asset/Microsoft_Azure_Security_Insights/Incident" + path
        ),
        "providerName": incident.provider_name,
        "providerIncidentId": incident.provider_incident_id,
        "relatedAnalyticRuleIds": [f"{resource}/alertRules/{rule}" for rule in incident.rule_ids],
        "additionalData": _additional(incident, tenant),
    }
    return {
        "id": path,
        "name": incident.id,
        "etag": incident.etag,
        "type": "Microsoft.SecurityInsights/Incidents",
        "properties": {key: value for key, value in properties.items() if value is not None},
    }


def owner_json(owner: Owner | None) -> dict[str, str | None]:
    """An unassigned incident has an owner whose parts are null."""
    shown = owner or Owner()
    answer = {
        "objectId": shown.object_id,
        "email": shown.email,
        "assignedTo": shown.assigned_to,
        "userPrincipalName": shown.user_principal_name,
    }
    return answer if shown.owner_type is None else {**answer, "ownerType": shown.owner_type}


def alert_json(alert: SecurityAlert, workspace: str, workspace_id: str) -> dict[str, object]:
    moment = stamp(alert.generated)
    return {
        "id": f"{workspace}/providers/Microsoft.SecurityInsights/Entities/{alert.system_alert_id}",
        "name": alert.system_alert_id,
        "type": "Microsoft.SecurityInsights/Entities",
        "kind": "SecurityAlert",
        "properties": {
            "systemAlertId": alert.system_alert_id,
            "tactics": list(alert.tactics),
            "alertDisplayName": alert.title,
            "friendlyName": alert.title,
            "description": alert.description,
            "confidenceLevel": "Unknown",
            "severity": alert.severity,
            "vendorName": "Microsoft",
            "productName": alert.product_name,
            "alertType": alert.title,
            "status": alert.status,
            "startTimeUtc": moment,
            "endTimeUtc": moment,
            "processingEndTime": moment,
            "timeGenerated": moment,
            "resourceIdentifiers": [{"type": "LogAnalytics", "workspaceId": workspace_id}],
            "additionalData": {"ProcessedBySentinel": "True"},
        },
    }


def entity_json(entity: Entity, workspace: str) -> dict[str, object]:
    return {
        "id": f"{workspace}/providers/Microsoft.SecurityInsights/Entities/{entity.id}",
        "name": entity.id,
        "type": "Microsoft.SecurityInsights/Entities",
        "kind": entity.kind,
        "properties": dict(entity.properties),
    }


def comment_json(comment: SentinelComment, incident_path: str) -> dict[str, object]:
    """`incident_path` is the ARM id of the incident."""
    author = comment.author
    return {
        "id": f"{incident_path}/Comments/{comment.id}",
        "name": comment.id,
        "type": "Microsoft.SecurityInsights/Incidents/Comments",
        "etag": comment.etag,
        "properties": {
            "message": comment.message,
            "createdTimeUtc": stamp(comment.created),
            "lastModifiedTimeUtc": stamp(comment.modified),
            "author": {
                "objectId": author.object_id,
                "email": author.email,
                "userPrincipalName": author.user_principal_name,
                "name": author.assigned_to,
            },
        },
    }


def _additional(incident: SentinelIncident, tenant: str) -> dict[str, object]:
    products = sorted({alert.product_name for alert in incident.alerts})
    tactics = sorted({tactic for alert in incident.alerts for tactic in alert.tactics})
    counts: dict[str, object] = {
        "alertsCount": len(incident.alerts),
        "bookmarksCount": 0,
        "commentsCount": len(incident.comments),
        "alertProductNames": products,
        "tactics": tactics,
    }
    if incident.graph_id is not None:
        counts["providerIncidentUrl"] = (
            f"https://security.microsoft.com/incidents/{incident.graph_id}?tid={tenant}"
        )
    return counts
