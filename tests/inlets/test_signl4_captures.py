"""Requests of real SIGNL4 senders, exactly as they sent them."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from inline_snapshot import snapshot

from tocsin.core.event import Answer, Event, Ignored
from tocsin.core.kinds import Mode
from tocsin.inlets.signl4 import Signl4Inlet
from tocsin.ports import Request, Unreadable
from tocsin.testing.inlets import check_said

SENDERS = (
    "alertmanager-signl4-mapping",
    "apprise-signl4",
    "checkmk-signl4",
    "curl-signl4",
    "curl-signl4-api",
    "github-action-signl4",
    "nagios-signl4",
    "uptime-kuma-signl4",
)


def replayed(folder: Path) -> dict[str, Any]:
    """By file: what the request says, in short."""
    return {path.stem: _said(path) for path in sorted(folder.glob("*.json"))}


def _said(path: Path) -> object:
    capture: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    target = urlsplit(str(capture["target"]))
    result = Signl4Inlet.parse(
        Request(
            method=capture["method"],
            path=target.path,
            query=parse_qsl(target.query),
            headers={name.lower(): value for name, value in capture["headers"]},
            body=base64.b64decode(capture["body_base64"] or ""),
        ),
        {},
    )
    check_said(result)
    if isinstance(result, Unreadable):
        return result.status
    (only,) = result
    match only:
        case Event():
            return _told(only)
        case Answer():
            return (only.kind.value, only.external_id, only.by, only.comment)
        case Ignored():
            return only.reason
        case _:
            return only


def _told(event: Event) -> Mapping[str, object]:
    """Only what the sender said; of details the names."""
    values = {name: getattr(event, name) for name in Event.__dataclass_fields__}
    told = {name: value for name, value in values.items() if value}
    return told | ({"details": list(event.details)} if event.details else {})


def test_alertmanager_with_query_mapping(shared: Path) -> None:
    assert replayed(shared / "captures/alertmanager-signl4-mapping") == snapshot(
        {
            "01-firing": {
                "title": "receiver: soc",
                "external_id": '{}:{alertname="HighCpu_demox22a"}',
                "details": [
                    "receiver",
                    "status",
                    "alerts",
                    "groupLabels",
                    "commonLabels",
                    "commonAnnotations",
                    "externalURL",
                    "version",
                    "groupKey",
                    "truncatedAlerts",
                ],
            },
            "02-resolved": ("close", '{}:{alertname="HighCpu_demox22a"}', None, None),
        }
    )


def test_apprise(shared: Path) -> None:
    assert replayed(shared / "captures/apprise-signl4") == snapshot(
        {
            "01-trigger": {
                "title": "DB down demox00a",
                "text": "db1 is down",
                "external_id": "app-demox00a",
                "mode": Mode.SINGLE,
                "category": "IT",
                "source_name": "Apprise",
                "details": ["X-S4-Location"],
            },
            "02-acknowledge": ("acknowledge", "app-demox00a", "Apprise", "db1 is down"),
            "03-trigger-2": {
                "title": "DB down demox00b",
                "text": "db1 is down",
                "external_id": "app-demox00b",
                "mode": Mode.MULTI,
                "category": "IT",
                "source_name": "Apprise",
                "details": ["X-S4-Location"],
            },
            "04-resolve": ("close", "app-demox00b", "Apprise", "db1 is down"),
            "05-map-failure": {
                "title": "DB down demox00m",
                "text": "db1 is down",
                "external_id": "924d026a637e382302f426ea23537aea6315b8333580ee5179d94c913f126128",
                "source_name": "Apprise",
            },
            "06-map-success": (
                "close",
                "924d026a637e382302f426ea23537aea6315b8333580ee5179d94c913f126128",
                "Apprise",
                "db1 is down",
            ),
            "07-trigger-without-external-id": {
                "title": "DB down demox00d – Größe",  # noqa: RUF001 - the sender's text
                "text": "db1 is down",
                "source_name": "Apprise",
            },
        }
    )


def test_checkmk(shared: Path) -> None:
    assert replayed(shared / "captures/checkmk-signl4") == snapshot(
        {
            "01-service-problem": {
                "title": "PROBLEM on db1-demox01a (CPU load)",
                "external_id": "Checkmk: db1-demox01a-7-42:ServiceDesc:Q1BVIGxvYWQ=",
                "source_name": "Checkmk",
                "details": [
                    "HostName",
                    "NotificationType",
                    "ServiceState",
                    "ServiceDescription",
                    "ServiceOutput",
                    "ContactName",
                    "ContactAlias",
                    "ContactEmail",
                    "HostProblemId",
                    "ServiceProblemId",
                    "DateTime",
                ],
            },
            "02-service-recovery": (
                "close",
                "Checkmk: db1-demox01a-7-42:ServiceDesc:Q1BVIGxvYWQ=",
                "Checkmk",
                "RECOVERY on db1-demox01a (CPU load)",
            ),
            "03-host-problem": {
                "title": "PROBLEM on db2-demox01b (DOWN)",
                "external_id": "Checkmk: db2-demox01b-7-",
                "source_name": "Checkmk",
                "details": [
                    "HostName",
                    "NotificationType",
                    "HostState",
                    "ContactName",
                    "ContactAlias",
                    "ContactEmail",
                    "HostProblemId",
                    "DateTime",
                ],
            },
        }
    )


def test_curl_with_every_format(shared: Path) -> None:
    assert replayed(shared / "captures/curl-signl4") == snapshot(
        {
            "01-json-new": {
                "title": "Temp demox09a",
                "text": "too high",
                "external_id": "s-demox09a",
                "mode": Mode.SINGLE,
                "category": "Temperature",
                "details": ["Temperature", "X-S4-Location", "X-S4-Filtering"],
            },
            "02-json-acknowledged": ("acknowledge", "s-demox09a", None, None),
            "03-json-new-2": {
                "title": "Temp demox09b",
                "external_id": "s-demox09b",
                "mode": Mode.MULTI,
                "details": ["nested"],
            },
            "04-json-resolved": ("close", "s-demox09b", None, None),
            "05-text-plain": {"title": "Hello world demox09c"},
            "06-text-key-value": {
                "title": "Search Guard demox09d",
                "text": "too many logins",
                "external_id": "kv-demox09d",
            },
            "07-text-key-value-resolved": ("close", "kv-demox09d", None, None),
            "08-no-content-type": {"title": "Hello nobody demox09e"},
            "09-xml": 415,
            "10-form": {
                "title": "Fire alert demox09g",
                "text": "Halle 3: Größe & Ort",
                "external_id": "f-demox09g",
                "details": ["Param1"],
            },
            "11-multipart-attachment": 415,
            "12-query-mapping-new": {
                "title": "Sensor demox09i",
                "external_id": "q-demox09i",
                "details": ["Id", "Status"],
            },
            "13-query-mapping-acknowledged": ("acknowledge", "q-demox09i", None, "Sensor demox09i"),
            "14-query-mapping-new-2": {
                "title": "Sensor demox09j",
                "external_id": "q-demox09j",
                "details": ["Id", "Status"],
            },
            "15-query-mapping-resolved": ("close", "q-demox09j", None, "Sensor demox09j"),
            "16-trailing-slash-chunked": {"title": "Chunk demox09k", "external_id": "c-demox09k"},
            "17-unknown-status": 'status "bogus" has no meaning here',
        }
    )


def test_curl_to_the_api_address(shared: Path) -> None:
    assert replayed(shared / "captures/curl-signl4-api") == snapshot(
        {
            "01-new": {"title": "REST demox10a", "external_id": "api-demox10a"},
            "02-resolved": ("close", "api-demox10a", None, None),
        }
    )


def test_the_github_action(shared: Path) -> None:
    assert replayed(shared / "captures/github-action-signl4") == snapshot(
        {
            "01-new": {
                "title": "Build demox05a",
                "text": "Build failed",
                "external_id": "gh-demox05a",
                "source_name": "GitHubActions",
            },
            "02-resolved": ("close", "gh-demox05a", "GitHubActions", "Build failed"),
            "03-empty-status": {
                "title": "Build demox05b",
                "text": "Build failed",
                "source_name": "GitHubActions",
            },
        }
    )


def test_nagios(shared: Path) -> None:
    assert replayed(shared / "captures/nagios-signl4") == snapshot(
        {
            "01-host-problem": {
                "title": "PROBLEM HOST-db1-demox03a DOWN",
                "external_id": "HOST-db1-demox03a",
                "source_name": "Nagios",
                "details": ["Host", "IP", "State", "Additional Info", "Nagios notification"],
            },
            "02-host-acknowledgement": (
                "acknowledge",
                "HOST-db1-demox03a",
                "Nagios",
                "ACKNOWLEDGEMENT HOST-db1-demox03a DOWN",
            ),
            "03-host-problem-2": {
                "title": "PROBLEM HOST-db1-demox03b DOWN",
                "external_id": "HOST-db1-demox03b",
                "source_name": "Nagios",
                "details": ["Host", "IP", "State", "Additional Info", "Nagios notification"],
            },
            "04-host-recovery": (
                "close",
                "HOST-db1-demox03b",
                "Nagios",
                "RECOVERY HOST-db1-demox03b UP",
            ),
            "05-service-problem": {
                "title": "PROBLEM SVC-db1-demox03s-HTTP",
                "external_id": "SVC-db1-demox03s-HTTP",
                "source_name": "Nagios",
                "details": [
                    "Host",
                    "IP",
                    "Service",
                    "State",
                    "Additional Info",
                    "Nagios notification",
                ],
            },
            "06-service-recovery": (
                "close",
                "SVC-db1-demox03s-HTTP",
                "Nagios",
                "RECOVERY SVC-db1-demox03s-HTTP",
            ),
        }
    )


def test_uptime_kuma(shared: Path) -> None:
    assert replayed(shared / "captures/uptime-kuma-signl4") == snapshot(
        {
            "01-down": {
                "title": "Uptime Kuma Monitor 🔴 Down",
                "external_id": "UptimeKuma-uk-demox08a",
                "source_name": "UptimeKuma",
                "details": ["heartbeat", "monitor", "msg", "monitorUrl"],
            },
            "02-up": ("close", "UptimeKuma-uk-demox08a", "UptimeKuma", "Uptime Kuma Monitor ✅ Up"),
            "03-down-2": {
                "title": "Uptime Kuma Monitor 🔴 Down",
                "external_id": "UptimeKuma-uk-demox08b",
                "source_name": "UptimeKuma",
                "details": ["heartbeat", "monitor", "msg", "monitorUrl"],
            },
        }
    )


@pytest.mark.parametrize("sender", SENDERS)
def test_titles_keys_and_sources_are_those_that_the_sender_expects(
    shared: Path, sender: str
) -> None:
    texts: dict[str, Any] = json.loads((shared / "captures/EXPECTED.json").read_text("utf-8"))
    said: list[Any] = list(replayed(shared / "captures" / sender).values())
    for alert in texts[sender]:
        later = alert["token"] in {"demox09f", "demox09h"}  # XML and multipart
        found: list[dict[str, Any]] = [
            each for each in said if alert["token"] in str(each) and isinstance(each, dict)
        ]
        assert bool(found) is not (alert["count"] == 0 or later)
        names = {"title": "title", "external_id": "external_id", "source": "source_name"}
        for name in names.keys() & alert.keys() if found else ():
            assert found[0][names[name]] == alert[name]
