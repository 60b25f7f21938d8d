"""A connector block is accepted as documented; each fault is told with its key."""

from datetime import timedelta
from typing import Any

import pytest

from tests.microsoft.skies import connector_block
from tocsin.core.kinds import Severity
from tocsin.core.reconcile import RemoteStatus
from tocsin.microsoft.clouds import Api, read_cloud
from tocsin.microsoft.connector import MicrosoftSource
from tocsin.microsoft.settings import Mode, read_settings

HOSTS = {
    "authority": "https://sim.example:8443",
    "graph": "sim.example:8443",
    "arm": "https://sim.example:8443/",
    "logs": "https://SIM.example:8443",
}


def block(**changes: object) -> dict[str, Any]:
    changed = connector_block({}, **{"cloud": "public", **changes})
    return {key: value for key, value in changed.items() if value is not None}


def test_the_example_of_the_documentation_is_accepted() -> None:
    settings = read_settings(block())
    assert settings.mode is Mode.SENTINEL
    assert settings.poll_every == timedelta(seconds=30)
    assert settings.first_run == timedelta(hours=24)
    assert settings.severities == {Severity.HIGH, Severity.MEDIUM}
    assert settings.states == {RemoteStatus.NEW, RemoteStatus.ACTIVE}
    assert settings.max_rows == 20
    assert MicrosoftSource.check_settings(block()) is None


@pytest.mark.parametrize(
    ("changes", "mode"),
    [
        ({}, Mode.SENTINEL),
        ({"subscription_id": None}, Mode.GRAPH),
        ({"resource_group": None}, Mode.GRAPH),
        ({"unit": "alert"}, Mode.GRAPH),
        ({"mode": "graph"}, Mode.GRAPH),
        ({"mode": "sentinel", "cloud": "china"}, Mode.SENTINEL),
    ],
)
def test_auto_is_sentinel_where_a_workspace_is_configured(
    changes: dict[str, object], mode: Mode
) -> None:
    assert read_settings(block(**changes)).mode is mode


@pytest.mark.parametrize(
    "credential",
    [
        {"secret_env": "X_SECRET"},
        {"stored": "sentinel"},
        {"certificate_file": "/etc/tocsin/app.pem"},
        {"certificate_file": "/etc/tocsin/app.pfx", "password": {"secret_env": "X_PASSWORD"}},
        {"managed_identity": True},
        {"federated_token_file": "/run/token"},
    ],
)
def test_each_kind_of_credential_is_accepted(credential: dict[str, object]) -> None:
    assert MicrosoftSource.check_settings(block(credential=credential)) is None


def test_a_managed_identity_needs_neither_tenant_nor_client() -> None:
    changes = {"credential": {"managed_identity": True}, "tenant_id": None, "client_id": None}
    assert MicrosoftSource.check_settings(block(**changes)) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "both"}, "mode: 'both' is not one of auto, sentinel, graph"),
        ({"mode": "sentinel", "workspace_name": None}, "workspace_name is missing"),
        ({"mode": "sentinel", "unit": "alert"}, "unit: alert needs mode graph"),
        ({"mode": "graph", "cloud": "china"}, "not offered in the China cloud"),
        ({"unit": "entity"}, "unit: 'entity'"),
        ({"tenant_id": None}, "tenant_id: is missing"),
        ({"tenant_id": "a/b"}, "tenant_id: 'a/b' cannot be one"),
        ({"client_id": "me"}, "client_id: 'me' is not a GUID"),
        ({"subscription_id": "s"}, "subscription_id: 's' is not a GUID"),
        ({"resource_group": "../x"}, "resource_group"),
        ({"workspace_name": "law/../x"}, "workspace_name"),
        ({"workspace_id": "law-soc"}, "workspace_id: 'law-soc' is not a GUID"),
        ({"credential": None}, "credential: give one of"),
        ({"credential": "secret"}, "credential: give one of"),
        ({"credential": {}}, "exactly one of"),
        ({"credential": {"secret_env": "A", "managed_identity": True}}, "exactly one of"),
        ({"credential": {"secret_env": "A", "password": "b"}}, "credential.password does not go"),
        ({"credential": {"certificate_file": 7}}, "credential.certificate_file"),
        ({"cloud": "mars"}, "cloud: 'mars' is not one of public, usgov, china"),
        ({"cloud": 7}, "cloud: give"),
        ({"cloud": {"graph": "g.example"}}, "cloud.authority is missing"),
        ({"cloud": {"authority": "a.example"}}, "cloud.arm is not set"),
        ({"cloud": {**HOSTS, "arm": "http://a.example"}}, "cloud.arm: only https"),
        ({"cloud": {**HOSTS, "arm": "https://a.example/v1"}}, "cloud.arm: give only the host"),
        ({"cloud": {**HOSTS, "arm": "https://me@a.example"}}, "cloud.arm: give only the host"),
        ({"cloud": {**HOSTS, "arm": "https://a.example?x=1"}}, "cloud.arm: give only the host"),
        ({"cloud": {**HOSTS, "arm": ""}}, "cloud.arm: give a host"),
        ({"cloud": {**HOSTS, "time_scale": 0}}, "cloud.time_scale"),
        ({"cloud": {**HOSTS, "ca_file": 3}}, "cloud.ca_file"),
        ({"cloud": {**HOSTS, "grpah": "x"}}, "cloud.grpah is not known"),
        ({"poll_every": "often"}, "poll_every: 'often' is not a duration"),
        ({"poll_every": "500ms"}, "poll_every: '500ms' is out of range"),
        ({"first_run": True}, "first_run"),
        ({"severities": ["urgent"]}, "severities: 'urgent' is not one of Microsoft's"),
        ({"severities": []}, "severities: give a list"),
        ({"states": ["closed"]}, "states: 'closed' is not one of ours"),
        ({"augment": {"max_rows": -1}}, "augment.max_rows"),
        ({"write_back": ["label"]}, "write_back: give"),
        ({"write_back": {"lable": "x"}}, "write_back.lable is not known"),
        ({"write_back": {"label_when": "never"}}, "write_back.label_when"),
        ({"write_back": {"close": {"classification": "meh"}}}, "classification: 'meh'"),
        ({"severity": ["high"]}, "severity is not a key of a Microsoft connector; did you mean"),
    ],
)
def test_each_fault_is_told_with_its_key(changes: dict[str, object], words: str) -> None:
    fault = MicrosoftSource.check_settings(block(**changes))
    assert fault is not None
    assert words in fault


def test_a_described_cloud_keeps_the_audiences_of_the_public_one() -> None:
    cloud = read_cloud(HOSTS)
    assert cloud.base(Api.GRAPH) == cloud.base(Api.ARM) == "https://sim.example:8443"
    assert cloud.scopes[Api.GRAPH] == "https://graph.microsoft.com/.default"
    assert cloud.scopes[Api.ARM] == "https://management.azure.com/.default"
    assert cloud.scopes[Api.LOGS] == "https://api.loganalytics.io/.default"


def test_a_described_cloud_of_microsofts_own_hosts_has_their_audiences() -> None:
    cloud = read_cloud({**HOSTS, "graph": "dod-graph.microsoft.us"})
    assert cloud.scopes[Api.GRAPH] == "https://dod-graph.microsoft.us/.default"


@pytest.mark.parametrize(
    ("name", "graph", "logs"),
    [
        ("public", "graph.microsoft.com", "api.loganalytics.io"),
        ("usgov", "graph.microsoft.us", "api.loganalytics.us"),
        ("china", "microsoftgraph.chinacloudapi.cn", "api.loganalytics.azure.cn"),
    ],
)
def test_each_cloud_has_its_audiences(name: str, graph: str, logs: str) -> None:
    cloud = read_cloud(name)
    assert cloud.scopes[Api.GRAPH] == f"https://{graph}/.default"
    assert cloud.scopes[Api.LOGS] == f"https://{logs}/.default"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://graph.microsoft.com/v1.0/x", True),
        ("https://GRAPH.microsoft.com/v1.0/x", True),
        ("https://graph.microsoft.com:443/v1.0/x", True),
        ("https://graph.microsoft.com:444/v1.0/x", False),
        ("http://graph.microsoft.com/v1.0/x", False),
        ("https://graph.microsoft.com", False),
        ("https://graph.microsoft.com.evil.example/", False),
        ("https://graph.microsoft.com@evil.example/", False),
        ("https://graph.microsoft.com\\@evil.example/", False),
        ("https://graph.microsoft.com/a b", False),
        ("https://graph.microsoft.com/\r\nHost: evil", False),
        ("https://management.azure.com/x", False),
        ("", False),
    ],
)
def test_only_the_configured_host_is_allowed(url: str, *, allowed: bool) -> None:
    assert read_cloud("public").allows(url, Api.GRAPH) is allowed


def test_what_the_cloud_does_not_name_is_never_called() -> None:
    cloud = read_cloud({"authority": "a.example", "arm": "b.example"})
    assert not cloud.allows("https://api.loganalytics.azure.com/v1", Api.LOGS)
    assert read_settings(block(cloud={"authority": "a.example", "arm": "b.example"})).max_rows == 0
