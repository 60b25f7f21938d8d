"""Incidents or alerts of Defender, by Microsoft Graph security.

Source of facts: Graph v1.0 reference of security incident, alerts_v2, and the CSDL metadata.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from tocsin.core.reconcile import Comment, Remote, RemoteStatus, Wanted
from tocsin.microsoft import paging, words
from tocsin.microsoft.client import Answer, Call, Client, Errand
from tocsin.microsoft.clouds import Api
from tocsin.microsoft.digest import graph_digest
from tocsin.microsoft.faults import Asked, temporary
from tocsin.microsoft.fields import Record, distinct, instant, items, records, strings, text
from tocsin.microsoft.rewrite import Found, comment_guid, rewrite
from tocsin.microsoft.settings import Settings, Unit
from tocsin.ports import Failed, Wrote

# Without it the members that were added later, microsoftSentinel among them, come as unknown.
PREFER = {"Prefer": "include-unknown-enum-members"}
LONGEST_COMMENT = 1_000  # Microsoft names no limit; longer ones are hard to read in the portal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_HERE = "Graph security is not found: check cloud, and that the tenant has Defender XDR"
_UNDECIDED = frozenset({"", "unknown", "unknownfuturevalue"})


class Graph:
    """Reads, writes, comments the objects of one unit."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self._client = client
        self._unit = settings.unit
        base = f"{settings.cloud.base(Api.GRAPH)}/v1.0/security"
        if settings.unit is Unit.ALERT:
            self._url, self._expand = f"{base}/alerts_v2", ""
            self._kind, self._role = "graph-alerts", "SecurityAlert.ReadWrite.All"
            self._first_page = "$top=100"
            self._parse = alert
        else:
            self._url, self._expand = f"{base}/incidents", "?$expand=alerts"
            self._kind, self._role = "graph-incidents", "SecurityIncident.ReadWrite.All"
            self._first_page = "$expand=alerts&$top=50"
            self._parse = incident

    async def pages(self, since: datetime, errand: Errand) -> AsyncIterator[tuple[Remote, ...]]:
        """What changed since `since`; the service has no $orderby, its order is newest first."""
        bound = since.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        chosen = quote(f"lastUpdateDateTime ge {bound}", safe="")
        call = Call(
            method="GET",
            url=f"{self._url}?$filter={chosen}&{self._first_page}",
            asked=self._asked(f"read the {self._unit}s", missing=_NOT_HERE),
            kind=self._kind,
            headers=PREFER,
        )
        parse = partial(self._parse, fallback=since)
        async for answer in paging.pages(self._client, call, errand):
            yield paging.parsed(answer, parse, f"an {self._unit}")

    async def details(self, key: str, errand: Errand) -> Mapping[str, object]:
        """The alerts of an incident, or the one alert, with what they tell of."""
        found = await self._fetch(key, self._expand, errand, self._kind)
        single = self._unit is Unit.ALERT
        return graph_digest((found.raw,) if single else records(found.raw.get("alerts")))

    async def write(
        self, key: str, decide: Callable[[Remote], Wanted], errand: Errand
    ) -> Wrote | Failed:
        """As `Source.write` promises; a write to a merged incident goes to its target."""
        return await rewrite(self, self._client, key, decide, errand)

    @property
    def writing(self) -> str:
        """The budget of writes, with the reads that they begin with."""
        return f"{self._kind}-write"

    async def fetch(self, key: str, errand: Errand) -> Found:
        """The object as it is now."""
        return await self._fetch(key, "", errand, self.writing)

    async def change(self, found: Found, wanted: Wanted, errand: Errand) -> Found | None:
        """A PATCH of only what differs. Graph has no version to check: the last write wins."""
        body = self._edits(found, wanted)
        if not body:
            return None
        key = found.remote.key
        asked = self._asked(f"write {self._unit} {key}", writes=True)
        call = Call(
            method="PATCH",
            url=self._one(key),
            asked=asked,
            kind=self.writing,
            body=body,
            headers=PREFER,
        )
        answer = await self._client.send(call, errand)
        if not text(answer.body, "id"):
            return await self.fetch(key, errand)
        return self._found(answer, asked)

    async def comment(self, found: Found, comment: Comment, errand: Errand) -> bool:
        """Graph makes a comment of every POST, so ours end in a mark that is looked for first."""
        key = found.remote.key
        mark = f"[Tocsin {comment_guid(key, comment).hex[:12]}]"
        present = (text(entry, "comment") for entry in records(found.raw.get("comments")))
        if any(mark in entry for entry in present):
            return False
        room = LONGEST_COMMENT - len(mark) - 2
        message = comment.text if len(comment.text) <= room else comment.text[:room] + "…"
        kind = "alertComment"
        call = Call(
            method="POST",
            url=f"{self._one(key)}/comments",
            asked=self._asked(f"comment {self._unit} {key}", writes=True),
            kind=self.writing,
            body={
                "@odata.type": f"microsoft.graph.security.{kind}",
                "comment": f"{message} {mark}",
            },
            headers=PREFER,
        )
        await self._client.send(call, errand)
        return True

    async def _fetch(self, key: str, rest: str, errand: Errand, kind: str) -> Found:
        asked = self._asked(f"read {self._unit} {key}")
        url = f"{self._one(key)}{rest}"
        call = Call(method="GET", url=url, asked=asked, kind=kind, headers=PREFER)
        return self._found(await self._client.send(call, errand), asked)

    def _found(self, answer: Answer, asked: Asked) -> Found:
        remote = self._parse(answer.body, _EPOCH)
        if remote is None:
            raise temporary(asked, "Microsoft answered no id", maybe_applied=asked.writes)
        return Found(answer.body, remote)

    def _edits(self, found: Found, wanted: Wanted) -> dict[str, object]:
        remote = found.remote
        family: words.Family = "alert" if self._unit is Unit.ALERT else "incident"
        edits: dict[str, object] = {}
        if wanted.status is not None and wanted.status is not remote.status:
            edits["status"] = words.written_status(wanted.status, family)
        if wanted.status is RemoteStatus.CLOSED:
            edits |= _closing(found.raw, wanted)
        if wanted.owner is not None and wanted.owner.casefold() != (remote.owner or "").casefold():
            edits["assignedTo"] = wanted.owner
        # Alerts have no tags of their own; customTags is replaced as a whole.
        if self._unit is Unit.INCIDENT and wanted.label and wanted.label not in remote.labels:
            edits["customTags"] = [*items(found.raw.get("customTags")), wanted.label]
        return edits

    def _one(self, key: str) -> str:
        return f"{self._url}/{quote(key, safe='')}"

    def _asked(self, doing: str, *, missing: str = "", writes: bool = False) -> Asked:
        return Asked(
            api=Api.GRAPH,
            doing=doing,
            writes=writes,
            role=self._role,
            missing=missing or f"the {self._unit} is gone",
            gone=not missing,
        )


def incident(raw: Record, fallback: datetime = _EPOCH) -> Remote | None:
    """An incident in our words, None when it has no id; `fallback` stands for missing times.

    A merged one (`redirected`) is closed for us and names its target.
    """
    key = text(raw, "id")
    if not key:
        return None
    alerts = records(raw.get("alerts"))
    target = text(raw, "redirectIncidentId")
    details: dict[str, object] = {
        "incident_number": key,
        "products": list(distinct(text(one, "productName", "serviceSource") for one in alerts)),
        "tactics": list(distinct(tactic for one in alerts for tactic in _tactics(one))),
        "techniques": list(
            distinct(name for one in alerts for name in strings(one.get("mitreTechniques")))
        ),
        "alerts": [text(one, "title") for one in alerts[:20]],
        "alerts_count": len(alerts),
    }
    return _remote(
        raw,
        family="incident",
        fallback=fallback,
        title=text(raw, "displayName") or f"Defender incident {key}",
        url=text(raw, "incidentWebUrl"),
        labels=strings(raw.get("customTags")),
        details=details,
        merged_into=target if target and target != key else None,
    )


def alert(raw: Record, fallback: datetime = _EPOCH) -> Remote | None:
    """An alert in our words, None when it has no id; `fallback` stands for missing times."""
    if not text(raw, "id"):
        return None
    details: dict[str, object] = {
        "incident_number": text(raw, "incidentId"),
        "provider_alert_id": text(raw, "providerAlertId"),
        "products": list(distinct((text(raw, "productName", "serviceSource"),))),
        "detection_source": text(raw, "detectionSource"),
        "tactics": list(_tactics(raw)),
        "techniques": list(strings(raw.get("mitreTechniques"))),
    }
    return _remote(
        raw,
        family="alert",
        fallback=fallback,
        title=text(raw, "title") or f"Defender alert {text(raw, 'id')}",
        url=text(raw, "alertWebUrl", "incidentWebUrl"),
        labels=(),
        details=details,
        merged_into=None,
    )


def _remote(
    raw: Record,
    *,
    family: words.Family,
    fallback: datetime,
    title: str,
    url: str,
    labels: tuple[str, ...],
    details: Mapping[str, object],
    merged_into: str | None,
) -> Remote:
    modified = instant(raw, "lastUpdateDateTime", "createdDateTime") or fallback
    status = words.status(text(raw, "status"), family)
    return Remote(
        key=text(raw, "id"),
        title=title[:1000],
        text=text(raw, "description", "summary"),
        status=RemoteStatus.CLOSED if merged_into else status,
        severity=words.severity(text(raw, "severity")),
        created_at=instant(raw, "createdDateTime") or modified,
        modified_at=modified,
        owner=text(raw, "assignedTo") or None,
        labels=labels,
        classification=words.classification(text(raw, "classification")),
        url=url or None,
        details={name: value for name, value in details.items() if value},
        merged_into=merged_into,
    )


def _closing(raw: Record, wanted: Wanted) -> dict[str, object]:
    """Classification and, while nothing is determined, the determination that fits them all."""
    found = words.verdict(wanted.classification)
    if found is None or found is words.UNDETERMINED:
        return {}
    edits: dict[str, object] = {}
    if words.squeezed(text(raw, "classification")) != words.squeezed(found.graph):
        edits["classification"] = found.graph
    if words.squeezed(text(raw, "determination")) in _UNDECIDED:
        edits["determination"] = "other"
    return edits


def _tactics(raw: Record) -> tuple[str, ...]:
    return distinct((*strings(raw.get("categories")), text(raw, "category")))
