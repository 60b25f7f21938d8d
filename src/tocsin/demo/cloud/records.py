"""What the simulated cloud remembers of incidents, alerts, comments and people."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a Sentinel incident is assigned to; every part may be unknown."""

    object_id: str | None = None
    email: str | None = None
    assigned_to: str | None = None
    user_principal_name: str | None = None
    owner_type: str | None = None


@dataclass(slots=True)
class SentinelComment:
    id: str
    message: str
    author: Owner
    created: datetime
    modified: datetime
    etag: str


@dataclass(slots=True)
class SecurityAlert:
    """An alert as Sentinel's API shows it below an incident."""

    system_alert_id: str
    title: str
    description: str
    severity: str
    product_name: str
    tactics: tuple[str, ...]
    generated: datetime
    status: str = "New"


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that an incident is about, such as an account or a host."""

    id: str
    kind: str
    properties: dict[str, str]


@dataclass(slots=True)
class SentinelIncident:
    """Statuses, severities and classifications in Sentinel's words; labels map name to type."""

    id: str
    number: int
    title: str
    description: str
    severity: str
    status: str
    created: datetime
    modified: datetime
    etag: str
    provider_name: str
    provider_incident_id: str
    owner: Owner | None = None
    labels: dict[str, str] = field(default_factory=dict[str, str])
    classification: str | None = None
    classification_reason: str | None = None
    classification_comment: str | None = None
    first_activity: datetime | None = None
    last_activity: datetime | None = None
    rule_ids: list[str] = field(default_factory=list[str])
    alerts: list[SecurityAlert] = field(default_factory=list[SecurityAlert])
    entities: list[Entity] = field(default_factory=list[Entity])
    comments: list[SentinelComment] = field(default_factory=list[SentinelComment])
    graph_id: str | None = None


@dataclass(frozen=True, slots=True)
class GraphComment:
    comment: str
    author: str
    created: datetime


@dataclass(slots=True)
class GraphAlert:
    """An alert as Graph's alerts_v2 shows it."""

    id: str
    provider_alert_id: str
    incident_id: str
    title: str
    description: str
    severity: str
    status: str
    service_source: str
    detection_source: str
    category: str
    created: datetime
    updated: datetime
    classification: str = "unknown"
    determination: str = "unknown"
    assigned_to: str | None = None
    resolved: datetime | None = None
    techniques: list[str] = field(default_factory=list[str])
    evidence: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    comments: list[GraphComment] = field(default_factory=list[GraphComment])
    system_tags: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class GraphIncident:
    """An incident as Graph shows it; `sentinel_id` names its copy in the workspace, if any."""

    id: str
    title: str
    description: str
    severity: str
    status: str
    created: datetime
    updated: datetime
    classification: str = "unknown"
    determination: str = "unknown"
    assigned_to: str | None = None
    custom_tags: list[str] = field(default_factory=list[str])
    system_tags: list[str] = field(default_factory=list[str])
    comments: list[GraphComment] = field(default_factory=list[GraphComment])
    alert_ids: list[str] = field(default_factory=list[str])
    last_modified_by: str | None = None
    redirect_id: str | None = None
    sentinel_id: str | None = None
