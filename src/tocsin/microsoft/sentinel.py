"""Incidents of one Sentinel workspace, by Microsoft.SecurityInsights.

Source of facts: REST reference Microsoft.SecurityInsights 2025-09-01, service limits of Sentinel.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

import structlog

from tocsin.core.reconcile import Comment, Remote, RemoteStatus, Wanted
from tocsin.microsoft import paging, words
from tocsin.microsoft.client import Answer, Call, Client, Errand
from tocsin.microsoft.clouds import Api
from tocsin.microsoft.digest import sentinel_digest
from tocsin.microsoft.faults import Asked, CallError, temporary
from tocsin.microsoft.fields import Record, distinct, instant, record, records, strings, text
from tocsin.microsoft.logs import Logs
from tocsin.microsoft.rewrite import Found, comment_guid, rewrite
from tocsin.microsoft.settings import Settings
from tocsin.ports import Failed, Wrote

API_VERSION = "2025-09-01"
PAGE = 100
LONGEST_COMMENT = 30_000
MOST_COMMENTS = 90  # the service takes 100; the rest is for people

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_WORKSPACE = (
    "the workspace is not found: check subscription_id, resource_group, workspace_name, and that "
    "Sentinel is enabled on it"
)
_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger()


class Sentinel:
    """Reads, writes, comments incidents; reads what belongs to them."""

    def __init__(self, settings: Settings, client: Client, logs: Logs | None) -> None:
        self._client = client
        self._logs = logs
        self._incidents = (
            f"{settings.cloud.base(Api.ARM)}/subscriptions/{settings.subscription_id}"
            f"/resourceGroups/{quote(settings.resource_group)}"
            f"/providers/Microsoft.OperationalInsights/workspaces/{settings.workspace_name}"
            "/providers/Microsoft.SecurityInsights/incidents"
        )

    async def pages(self, since: datetime, errand: Errand) -> AsyncIterator[tuple[Remote, ...]]:
        """What changed since `since`, newest first, without an upper bound."""
        bound = since.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        query = {
            "api-version": API_VERSION,
            "$filter": f"(properties/lastModifiedTimeUtc ge {bound})",
            "$orderby": "properties/lastModifiedTimeUtc desc",
            "$top": str(PAGE),
        }
        call = Call(
            method="GET",
            url=f"{self._incidents}?{_query(query)}",
            asked=_asked("read the incidents of the workspace", missing=_NO_WORKSPACE),
            kind="sentinel-incidents",
        )
        parse = partial(incident, fallback=since)
        async for answer in paging.pages(self._client, call, errand):
            yield paging.parsed(answer, parse, "an incident")

    async def details(self, key: str, errand: Errand) -> Mapping[str, object]:
        """Alerts, entities, the events behind the alerts where Log Analytics is configured."""
        alerts = await self._part(key, "alerts", errand)
        entities = await self._part(key, "entities", errand)
        found = records(alerts.body.get("value"))
        digest = sentinel_digest(found, records(entities.body.get("entities")))
        if self._logs is None:
            return digest
        events = await self._logs.events(found, errand)
        return {**digest, "events": events} if events else digest

    async def write(
        self, key: str, decide: Callable[[Remote], Wanted], errand: Errand
    ) -> Wrote | Failed:
        """As `Source.write` promises."""
        return await rewrite(self, self._client, key, decide, errand)

    @property
    def writing(self) -> str:
        """The budget of writes."""
        return "sentinel-write"

    async def fetch(self, key: str, errand: Errand) -> Found:
        """The incident as it is now."""
        asked = _asked(f"read incident {key}", missing="the incident is gone", gone=True)
        call = Call(method="GET", url=self._url(key), asked=asked, kind="sentinel-reread")
        return _found(await self._client.send(call, errand), asked)

    async def change(self, found: Found, wanted: Wanted, errand: Errand) -> Found | None:
        """A PUT of everything that was read, with only what is wanted exchanged.

        The service drops what a PUT leaves out, and refuses (409) one whose `etag` is stale.
        """
        before = record(found.raw.get("properties"))
        after = {**before, **_edits(before, found.remote, wanted)}
        if after == before:
            return None
        key = found.remote.key
        asked = _asked(
            f"write incident {key}", missing="the incident is gone", gone=True, writes=True
        )
        body: dict[str, object] = {"properties": after}
        if found.remote.version:
            body["etag"] = found.remote.version
        call = Call(method="PUT", url=self._url(key), asked=asked, kind="sentinel-write", body=body)
        return _found(await self._client.send(call, errand), asked)

    async def comment(self, found: Found, comment: Comment, errand: Errand) -> bool:
        """We choose the comment's id, so that a repeated PUT is the same comment."""
        key = found.remote.key
        additional = record(record(found.raw.get("properties")).get("additionalData"))
        if _number(additional.get("commentsCount")) >= MOST_COMMENTS:
            _log.warning(
                "microsoft_comment_left_out",
                reason=f"Incident {key} has {MOST_COMMENTS} comments or more; Sentinel takes 100",
            )
            return False
        url = self._url(key, f"/comments/{comment_guid(key, comment)}")
        asked = _asked(f"comment incident {key}", missing="it is gone", gone=True, writes=True)
        body: Record = {"properties": {"message": _fitted(comment.text)}}
        call = Call(method="PUT", url=url, asked=asked, kind="sentinel-write", body=body)
        try:
            return (await self._client.send(call, errand)).status == 201
        except CallError as error:
            if error.status in {400, 409} and await self._is_there(url, asked, errand):
                return False
            raise

    async def _is_there(self, url: str, asked: Asked, errand: Errand) -> bool:
        """Comments of an onboarded workspace cannot be written again: then one look is enough."""
        try:
            call = Call(method="GET", url=url, asked=asked, kind="sentinel-read")
            await self._client.send(call, errand)
        except CallError:
            return False
        return True

    async def _part(self, key: str, part: str, errand: Errand) -> Answer:
        asked = _asked(f"read the {part} of incident {key}", missing="it is gone", gone=True)
        url = self._url(key, f"/{part}")
        call = Call(method="POST", url=url, asked=asked, kind="sentinel-read", body={})
        return await self._client.send(call, errand)

    def _url(self, key: str, rest: str = "") -> str:
        return f"{self._incidents}/{quote(key, safe='')}{rest}?api-version={API_VERSION}"


def incident(raw: Record, fallback: datetime = _EPOCH) -> Remote | None:
    """An incident in our words, None when it has no id; `fallback` stands for missing times.

    One that Defender mirrors into the workspace keeps Sentinel's id as its key; its id in Defender
    is in `also`.
    """
    key = (text(raw, "name") or text(raw, "id").rpartition("/")[2]).casefold()
    if not key:
        return None
    props = record(raw.get("properties"))
    more = record(props.get("additionalData"))
    modified = instant(props, "lastModifiedTimeUtc", "createdTimeUtc") or fallback
    number = text(props, "incidentNumber")
    provider = text(props, "providerName")
    mirrored = words.squeezed(provider) == "microsoftxdr"
    graph_id = text(props, "providerIncidentId") if mirrored else ""
    details: dict[str, object] = {
        "incident_number": number,
        "provider": provider,
        **_summed_up(more),
    }
    return Remote(
        key=key,
        title=text(props, "title")[:1000] or f"Sentinel incident {number or key}",
        text=text(props, "description"),
        status=words.status(text(props, "status"), "sentinel"),
        severity=words.severity(text(props, "severity")),
        created_at=instant(props, "createdTimeUtc") or modified,
        modified_at=modified,
        owner=text(_owner(props), "userPrincipalName", "email", "assignedTo", "objectId") or None,
        owner_names=_names(_owner(props)),
        labels=tuple(text(label, "labelName") for label in records(props.get("labels"))),
        classification=words.classification(text(props, "classification")),
        url=_link(props, more),
        version=text(raw, "etag") or None,
        details={name: value for name, value in details.items() if value},
        also=(graph_id,) if graph_id else (),
    )


def _summed_up(more: Record) -> dict[str, object]:
    """What the incident tells of its alerts."""
    return {
        "products": list(strings(more.get("alertProductNames"))),
        "tactics": list(strings(more.get("tactics"))),
        "techniques": list(strings(more.get("techniques"))),
        "alerts_count": _number(more.get("alertsCount")),
    }


def _edits(before: Record, remote: Remote, wanted: Wanted) -> dict[str, object]:
    """The properties to exchange; whatever is not named here stays as it was read."""
    edits: dict[str, object] = {}
    if wanted.status is not None and wanted.status is not remote.status:
        edits["status"] = words.written_status(wanted.status, "sentinel")
    if wanted.status is RemoteStatus.CLOSED:
        edits |= _closing(before, wanted)
    if wanted.owner is not None and wanted.owner.casefold() not in remote.accounts:
        edits["owner"] = _account(wanted.owner)
    if wanted.label and wanted.label not in remote.labels:
        label = {"labelName": wanted.label, "labelType": "User"}
        edits["labels"] = [*records(before.get("labels")), label]
    return edits


def _closing(before: Record, wanted: Wanted) -> dict[str, object]:
    """Classification with the reason it must come with; where we have none, the analyst's stays."""
    given = text(before, "classification")
    found = words.verdict(wanted.classification or given) or words.UNDETERMINED
    edits: dict[str, object] = {"classification": found.sentinel}
    if found.sentinel != given or not text(before, "classificationReason"):
        edits["classificationReason"] = found.reason
    if wanted.close_comment:
        edits["classificationComment"] = _fitted(wanted.close_comment)
    return edits


def _account(name: str) -> dict[str, object]:
    """An owner by object id or by user principal name; the service completes the rest."""
    if "@" in name:
        return {"userPrincipalName": name, "email": name, "assignedTo": name}
    return {"objectId": name}


def _owner(props: Record) -> Record:
    return record(props.get("owner"))


def _names(owner: Record) -> tuple[str, ...]:
    """The names by which an account is known; a display name (`assignedTo`) tells nobody apart."""
    return distinct(text(owner, name) for name in ("userPrincipalName", "email", "objectId"))


def _link(props: Record, more: Record) -> str | None:
    """Into the Defender portal where the incident lives there, else into Azure's."""
    return (
        text(more, "providerIncidentUrl")
        or text(props, "providerIncidentUrl", "incidentUrl")
        or None
    )


def _found(answer: Answer, asked: Asked) -> Found:
    remote = incident(answer.body)
    if remote is None:
        raise temporary(asked, "Microsoft answered no incident", maybe_applied=asked.writes)
    return Found(answer.body, remote)


def _asked(doing: str, *, missing: str, gone: bool = False, writes: bool = False) -> Asked:
    return Asked(api=Api.ARM, doing=doing, missing=missing, gone=gone, writes=writes)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _fitted(message: str) -> str:
    return message if len(message) <= LONGEST_COMMENT else message[: LONGEST_COMMENT - 1] + "…"


def _query(parameters: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
