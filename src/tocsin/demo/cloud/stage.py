"""The simulated cloud as demo and tests direct it: incidents appear, analysts edit them."""

import uuid
from datetime import datetime
from typing import TypedDict, Unpack

from tocsin.demo.cloud import mirror, story
from tocsin.demo.cloud.records import (
    Entity,
    GraphAlert,
    GraphIncident,
    SecurityAlert,
    SentinelIncident,
)
from tocsin.demo.cloud.stamps import stamp
from tocsin.demo.cloud.state import CloudState


class SentinelEdit(TypedDict, total=False):
    """What an analyst can change in Sentinel's portal; `owner` is an account name or None."""

    title: str
    description: str
    severity: str
    status: str
    owner: str | None
    labels: list[str]
    classification: str | None
    classification_reason: str | None
    classification_comment: str | None


class GraphEdit(TypedDict, total=False):
    """What an analyst can change of an incident in the Defender portal."""

    title: str
    description: str
    severity: str
    status: str
    classification: str
    determination: str
    assigned_to: str | None
    custom_tags: list[str]


class GraphAlertEdit(TypedDict, total=False):
    """What an analyst can change of an alert in the Defender portal."""

    title: str
    severity: str
    status: str
    classification: str
    determination: str
    assigned_to: str | None


class Cloud(CloudState):
    """The state with the verbs of a story. Times not given are `now`; ids are made here."""

    def add_sentinel_incident(
        self,
        *,
        title: str,
        severity: str = "High",
        description: str = "",
        alerts: int = 1,
        created: datetime | None = None,
        status: str = "New",
        owner: str | None = None,
        onboarded: bool = False,
    ) -> SentinelIncident:
        """An incident in the workspace; onboarded, it is the copy of a new Defender incident."""
        if onboarded:
            source = self.add_graph_incident(
                title=title,
                severity=mirror.severity_in_graph(severity),
                description=description,
                alerts=alerts,
                created=created,
                status=mirror.status_in_graph(status),
                service_source="microsoftSentinel",
            )
            source.assigned_to = owner
            return self._copy_into_workspace(source)
        moment = created or self.now()
        incident = self.new_sentinel_incident(str(uuid.uuid4()), title, severity, status, moment)
        incident.description = description
        incident.owner = self.person(owner)
        incident.rule_ids = [str(uuid.uuid4())]
        incident.alerts = [_security_alert(n, severity, moment) for n in range(alerts)]
        incident.entities = _entities()
        return incident

    def add_graph_incident(
        self,
        *,
        title: str,
        severity: str = "high",
        description: str = "",
        alerts: int = 1,
        created: datetime | None = None,
        status: str = "active",
        service_source: str = "microsoftDefenderForEndpoint",
        in_sentinel: bool = False,
    ) -> GraphIncident:
        """An incident in Defender; `in_sentinel` puts its copy into an onboarded workspace."""
        moment = created or self.now()
        incident = self.new_graph_incident(title, severity, status, moment)
        incident.description = description
        for number in range(alerts):
            self.add_graph_alert(
                title=story.scene(number).title,
                severity=severity,
                service_source=service_source,
                created=moment,
                incident=incident,
                number=number,
            )
        if in_sentinel:
            self._copy_into_workspace(incident)
        return incident

    def add_graph_alert(
        self,
        *,
        title: str,
        severity: str = "high",
        status: str = "new",
        description: str | None = None,
        service_source: str = "microsoftDefenderForEndpoint",
        created: datetime | None = None,
        incident: GraphIncident | None = None,
        number: int = 0,
    ) -> GraphAlert:
        """An alert of `incident`, else of a new one with its title; `number` chooses the scene."""
        moment = created or self.now()
        if incident is None:
            incident = self.new_graph_incident(title, severity, "active", moment)
        scene = story.scene(number)
        from_sentinel = service_source == "microsoftSentinel"
        provider_id = str(uuid.uuid4())
        alert = GraphAlert(
            id=f"sn{provider_id}" if from_sentinel else f"da{provider_id.replace('-', '_')}",
            provider_alert_id=provider_id,
            incident_id=incident.id,
            title=title,
            description=scene.description if description is None else description,
            severity=severity,
            status=status,
            service_source=service_source,
            detection_source="scheduledAlerts" if from_sentinel else "customDetection",
            category=scene.category,
            created=moment,
            updated=moment,
            techniques=[scene.technique],
            evidence=story.evidence(stamp(moment)),
        )
        self.graph_alerts[alert.id] = alert
        incident.alert_ids.append(alert.id)
        return alert

    def analyst_changes_sentinel(
        self, incident_id: str, **fields: Unpack[SentinelEdit]
    ) -> SentinelIncident:
        """An edit in Sentinel's portal: a new etag and a later lastModifiedTimeUtc."""
        incident = self.sentinel_incidents[incident_id.lower()]
        if "owner" in fields:
            incident.owner = self.person(fields["owner"])
        if "labels" in fields:
            incident.labels = {tag: incident.labels.get(tag, "User") for tag in fields["labels"]}
        for name, value in fields.items():
            if name not in {"owner", "labels"}:
                setattr(incident, name, value)
        self.touched_sentinel(incident)
        return incident

    def analyst_changes_graph(self, incident_id: str, **fields: Unpack[GraphEdit]) -> GraphIncident:
        """An edit of an incident in the Defender portal."""
        incident = self.graph_incidents[incident_id]
        for name, value in fields.items():
            setattr(incident, name, value)
        self.touched_graph(incident, "an analyst")
        return incident

    def analyst_changes_alert(self, alert_id: str, **fields: Unpack[GraphAlertEdit]) -> GraphAlert:
        """An edit of an alert in the Defender portal."""
        alert = self.graph_alerts[alert_id]
        for name, value in fields.items():
            setattr(alert, name, value)
        self.touched_alert(alert)
        return alert

    def analyst_comments(self, incident_id: str, message: str, account: str) -> None:
        """A comment on a Sentinel incident (GUID) or a Graph incident (number)."""
        author = self.person(account) or self.application()
        if incident_id in self.graph_incidents:
            self.comment_graph(self.graph_incidents[incident_id], message, author)
        else:
            incident = self.sentinel_incidents[incident_id.lower()]
            self.comment_sentinel(incident, str(uuid.uuid4()), message, author)

    def _copy_into_workspace(self, source: GraphIncident) -> SentinelIncident:
        """Defender's incident as the workspace shows it: another provider, no description."""
        copy = self.new_sentinel_incident(
            str(uuid.uuid4()), source.title, "High", "New", source.created
        )
        copy.provider_name = "Microsoft XDR"
        copy.provider_incident_id = source.id
        copy.alerts = [_seen_in_sentinel(alert) for alert in self.alerts_of(source)]
        copy.entities = _entities()
        mirror.graph_to_sentinel(source, copy, self.person(source.assigned_to), source.updated)
        copy.graph_id = source.id
        source.sentinel_id = copy.id
        return copy


def _security_alert(number: int, severity: str, moment: datetime) -> SecurityAlert:
    scene = story.scene(number)
    return SecurityAlert(
        system_alert_id=str(uuid.uuid4()),
        title=scene.title,
        description=scene.description,
        severity=severity,
        product_name="Azure Sentinel",
        tactics=(scene.category,),
        generated=moment,
    )


def _seen_in_sentinel(alert: GraphAlert) -> SecurityAlert:
    return SecurityAlert(
        system_alert_id=alert.provider_alert_id,
        title=alert.title,
        description=alert.description,
        severity=mirror.severity_in_sentinel(alert.severity),
        product_name=alert.service_source,
        tactics=(alert.category,),
        generated=alert.created,
    )


def _entities() -> list[Entity]:
    return [
        Entity(str(uuid.uuid4()), "Account", dict(story.ACCOUNT)),
        Entity(str(uuid.uuid4()), "Host", dict(story.HOST)),
    ]
