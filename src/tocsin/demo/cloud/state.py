"""The state of the simulated cloud, whose two views of an incident follow each other."""

import itertools
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tocsin.demo.cloud import mirror
from tocsin.demo.cloud.faults import Faults
from tocsin.demo.cloud.identity import Identity
from tocsin.demo.cloud.records import (
    GraphAlert,
    GraphComment,
    GraphIncident,
    Owner,
    SentinelComment,
    SentinelIncident,
)
from tocsin.demo.cloud.requests import RequestLog
from tocsin.demo.cloud.tables import Tables


class CloudState:
    """One tenant with one subscription and one workspace; no sockets, no clock of its own.

    Whoever changes an incident or alert ends with `touched_sentinel`, `touched_graph` or
    `touched_alert`, which move the server's times, renew the etag and bring the other view along.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        tenant_id: str,
        client_id: str,
        client_secret: str,
        subscription_id: str,
        resource_group: str,
        workspace_name: str,
        workspace_id: str,
    ) -> None:
        self.now = now
        self.subscription_id = subscription_id
        self.resource_group = resource_group
        self.workspace_name = workspace_name
        self.workspace_id = workspace_id
        self.identity = Identity(
            now, tenant_id=tenant_id, client_id=client_id, client_secret=client_secret
        )
        self.faults = Faults()
        self.requests = RequestLog()
        self.tables = Tables()
        self.resources: dict[str, dict[str, Any]] = {}
        self.table_lag = timedelta()
        self.ingested: list[dict[str, Any]] = []
        # Graph's largest pages are not published; these are the sizes that integrations ask for.
        self.page_caps = {"alerts_v2": 100, "incidents": 50}
        self.sentinel_incidents: dict[str, SentinelIncident] = {}
        self.graph_incidents: dict[str, GraphIncident] = {}
        self.graph_alerts: dict[str, GraphAlert] = {}
        self._people: dict[str, Owner] = {}
        # Numbers start at the time of creation, so that two runs of a demo do not share an id.
        self._graph_numbers = itertools.count(int(now().timestamp()))
        self._sentinel_numbers = itertools.count(1001)
        self._etags = itertools.count(1)

    @property
    def workspace_path(self) -> str:
        """The workspace's id in Azure."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.OperationalInsights/workspaces/{self.workspace_name}"
        )

    def add_person(self, account: str, name: str, object_id: str | None = None) -> Owner:
        """Makes an account known, so that an owner given by name or object id is completed."""
        known_as = object_id or str(uuid.uuid4())
        person = Owner(known_as, account, name, account, "User")
        self._people[account.lower()] = person
        self._people[known_as.lower()] = person
        return person

    def person(self, account: str | None) -> Owner | None:
        """The account by name or object id; an unknown one is kept as it was written."""
        if account is None:
            return None
        known = self._people.get(account.lower())
        return known or Owner(assigned_to=account, user_principal_name=account)

    def known_person(self, *names: str | None) -> Owner | None:
        """The first account that the directory knows by one of these names or object ids."""
        found = (self._people.get(name.lower()) for name in names if name)
        return next((person for person in found if person is not None), None)

    def application(self) -> Owner:
        """Who the connector's own writes are signed by."""
        identity = self.identity
        return Owner(object_id=identity.client_id, assigned_to=identity.display_name)

    def new_etag(self) -> str:
        """Unique, and in quotation marks inside the string as Sentinel's are."""
        number = next(self._etags)
        return f'"{number:08x}-0000-0000-0000-{int(self.now().timestamp()):08x}0000"'

    def new_sentinel_incident(
        self, incident_id: str, title: str, severity: str, status: str, moment: datetime
    ) -> SentinelIncident:
        """The bare incident, stored; what PUT to an unknown id makes."""
        number = next(self._sentinel_numbers)
        incident = SentinelIncident(
            id=incident_id,
            number=number,
            title=title,
            description="",
            severity=severity,
            status=status,
            created=moment,
            modified=moment,
            etag=self.new_etag(),
            provider_name="Azure Sentinel",
            provider_incident_id=str(number),
            first_activity=moment,
            last_activity=moment,
        )
        self.sentinel_incidents[incident_id.lower()] = incident
        return incident

    def new_graph_incident(
        self, title: str, severity: str, status: str, moment: datetime
    ) -> GraphIncident:
        """The bare incident, stored."""
        incident = GraphIncident(
            id=str(next(self._graph_numbers)),
            title=title,
            description="",
            severity=severity,
            status=status,
            created=moment,
            updated=moment,
        )
        self.graph_incidents[incident.id] = incident
        return incident

    def alerts_of(self, incident: GraphIncident) -> list[GraphAlert]:
        return [self.graph_alerts[alert_id] for alert_id in incident.alert_ids]

    def touched_sentinel(self, incident: SentinelIncident) -> None:
        incident.modified = self.now()
        incident.etag = self.new_etag()
        if incident.graph_id is None:
            return
        copy = self.graph_incidents[incident.graph_id]
        if mirror.sentinel_to_graph(incident, copy, incident.modified):
            self._resolve_alerts(copy)

    def touched_graph(self, incident: GraphIncident, by: str) -> None:
        incident.updated = self.now()
        incident.last_modified_by = by
        self._resolve_alerts(incident)
        if incident.sentinel_id is None:
            return
        copy = self.sentinel_incidents[incident.sentinel_id.lower()]
        owner = self.person(incident.assigned_to)
        if mirror.graph_to_sentinel(incident, copy, owner, incident.updated):
            copy.etag = self.new_etag()

    def touched_alert(self, alert: GraphAlert) -> None:
        alert.updated = self.now()
        if alert.status != "resolved":
            alert.resolved = None
        elif alert.resolved is None:
            alert.resolved = alert.updated

    def comment_sentinel(
        self, incident: SentinelIncident, comment_id: str, message: str, author: Owner
    ) -> SentinelComment:
        """A new comment, which also shows in Defender and renews the incident's etag."""
        comment = self._sentinel_comment(incident, comment_id, message, author)
        if incident.graph_id is not None:
            copy = self.graph_incidents[incident.graph_id]
            copy.comments.append(GraphComment(message, _name(author), comment.created))
            copy.updated = comment.created
        return comment

    def comment_graph(self, incident: GraphIncident, message: str, author: Owner) -> None:
        """A new comment, which also shows in Sentinel under an id of its own."""
        now = self.now()
        incident.comments.append(GraphComment(message, _name(author), now))
        incident.updated = now
        if incident.sentinel_id is not None:
            copy = self.sentinel_incidents[incident.sentinel_id.lower()]
            self._sentinel_comment(copy, str(uuid.uuid4()), message, author)

    def comment_alert(self, alert: GraphAlert, message: str, author: Owner) -> None:
        now = self.now()
        alert.comments.append(GraphComment(message, _name(author), now))
        alert.updated = now

    def _sentinel_comment(
        self, incident: SentinelIncident, comment_id: str, message: str, author: Owner
    ) -> SentinelComment:
        now = self.now()
        comment = SentinelComment(comment_id, message, author, now, now, self.new_etag())
        incident.comments.append(comment)
        incident.modified = now
        incident.etag = self.new_etag()
        return comment

    def _resolve_alerts(self, incident: GraphIncident) -> None:
        """Defender closes the alerts together with their incident."""
        if incident.status != "resolved":
            return
        for alert in self.alerts_of(incident):
            if alert.status != "resolved":
                alert.status = "resolved"
                alert.classification = incident.classification
                alert.determination = incident.determination
                self.touched_alert(alert)


def _name(author: Owner) -> str:
    return author.user_principal_name or author.assigned_to or ""
