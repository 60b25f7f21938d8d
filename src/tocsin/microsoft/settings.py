"""The connector block of the configuration file, checked."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from tocsin.core.kinds import Severity
from tocsin.core.reconcile import RemoteStatus
from tocsin.microsoft import words
from tocsin.microsoft.clouds import Api, Cloud, read_cloud
from tocsin.microsoft.destination import Destination, reaching, read_destination


class Mode(StrEnum):
    """Through which of Microsoft's two doors incidents are read."""

    SENTINEL = "sentinel"
    GRAPH = "graph"


class Unit(StrEnum):
    """What people are paged for."""

    INCIDENT = "incident"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A connector block that can work. `credential` holds references, never a secret.

    `mode` is what `auto` comes to: Sentinel when a workspace is configured, else Graph.
    `max_rows` 0 leaves out the events behind alerts, `table` None the rows of what happened.
    """

    mode: Mode
    unit: Unit
    tenant_id: str
    client_id: str
    credential: Mapping[str, Any]
    cloud: Cloud
    subscription_id: str = ""
    resource_group: str = ""
    workspace_name: str = ""
    workspace_id: str = ""
    poll_every: timedelta = timedelta(seconds=60)
    first_run: timedelta = timedelta(hours=24)
    severities: frozenset[Severity] = frozenset(Severity)
    states: frozenset[RemoteStatus] = frozenset({RemoteStatus.NEW, RemoteStatus.ACTIVE})
    max_rows: int = 0
    table: Destination | None = None


_OWN_KEYS = {
    *("mode", "unit", "tenant_id", "client_id", "credential", "cloud", "subscription_id"),
    *("resource_group", "workspace_name", "workspace_id", "poll_every", "first_run"),
    *("severities", "states", "augment", "write_back", "table"),
}
# Written in the same block, but read by the rooms above.
_COMMON_KEYS = {"source", "enabled", "policy", "category", "urgency", "team", "name", "customer"}
_CREDENTIALS = (
    "secret_env",
    "stored",
    "certificate_file",
    "managed_identity",
    "federated_token_file",
)
_WORKSPACE = ("subscription_id", "resource_group", "workspace_name")
_WRITE_BACK = {"label", "label_when", "assign_owner", "comments", "close"}
_USUAL_ROWS, _MOST_ROWS = 20, 500
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,253}")
_GROUP = re.compile(r"[\w().-]{1,90}(?<!\.)")
_WORKSPACE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]")


def read_settings(block: Mapping[str, Any]) -> Settings:
    """The block as values. Raises ValueError that names the key and the remedy."""
    _known_keys(block)
    cloud = read_cloud(block.get("cloud"))
    unit = _choice(block, "unit", Unit, Unit.INCIDENT)
    mode = _mode(block, unit)
    _mode_fits(block, mode, unit, cloud)
    credential = _credential(block.get("credential"))
    managed = "managed_identity" in credential
    _write_back(block.get("write_back"))
    workspace_id = _guid(block, "workspace_id")
    table = read_destination(block.get("table"), cloud)
    logs = bool(workspace_id) and cloud.bases.get(Api.LOGS) is not None
    return Settings(
        mode=mode,
        unit=unit,
        tenant_id=_matching(block, "tenant_id", _TENANT, needed=not managed),
        client_id=_guid(block, "client_id", needed=not managed),
        credential=credential,
        cloud=reaching(cloud, table),
        subscription_id=_guid(block, "subscription_id", needed=mode is Mode.SENTINEL),
        resource_group=_matching(block, "resource_group", _GROUP),
        workspace_name=_matching(block, "workspace_name", _WORKSPACE_NAME),
        workspace_id=workspace_id,
        poll_every=_span(block, "poll_every", timedelta(seconds=60), least=timedelta(seconds=1)),
        first_run=_span(block, "first_run", timedelta(hours=24), least=timedelta()),
        severities=_severities(block.get("severities")),
        states=_states(block.get("states")),
        max_rows=_rows(block.get("augment")) if logs else 0,
        table=table,
    )


def _known_keys(block: Mapping[str, Any]) -> None:
    known = _OWN_KEYS | _COMMON_KEYS
    for key in block:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"{key} is not a key of a Microsoft connector{hint}")


def _mode(block: Mapping[str, Any], unit: Unit) -> Mode:
    given = words.squeezed(str(block.get("mode", "auto")))
    if given == "auto":
        configured = all(block.get(key) for key in _WORKSPACE)
        return Mode.SENTINEL if configured and unit is Unit.INCIDENT else Mode.GRAPH
    if given not in set(Mode):
        raise ValueError(f"mode: {block['mode']!r} is not one of auto, sentinel, graph")
    return Mode(given)


def _mode_fits(block: Mapping[str, Any], mode: Mode, unit: Unit, cloud: Cloud) -> None:
    if mode is Mode.SENTINEL:
        if unit is Unit.ALERT:
            raise ValueError("unit: alert needs mode graph; Sentinel's API is read by incident")
        if missing := [key for key in _WORKSPACE if not block.get(key)]:
            raise ValueError(f"{missing[0]} is missing: mode sentinel reads one workspace")
    elif block.get("cloud") == "china":
        raise ValueError(
            "mode: Graph security is not offered in the China cloud; use mode sentinel"
        )
    cloud.base(Api.ARM if mode is Mode.SENTINEL else Api.GRAPH)


def _credential(value: object) -> Mapping[str, Any]:
    one_of = ", ".join(_CREDENTIALS)
    if not isinstance(value, dict):
        raise ValueError(f"credential: give one of {one_of}")  # noqa: TRY004 - a fault of the file, shown as such
    block = cast("dict[str, Any]", value)
    named = [key for key in _CREDENTIALS if block.get(key)]
    if len(named) != 1:
        raise ValueError(f"credential: give exactly one of {one_of}")
    allowed = {named[0], "password"} if named[0] == "certificate_file" else {named[0]}
    if unknown := sorted(set(block) - allowed):
        raise ValueError(f"credential.{unknown[0]} does not go with {named[0]}")
    if named[0] != "managed_identity" and not isinstance(block[named[0]], str):
        raise ValueError(f"credential.{named[0]}: give a name or path as text")
    return block


def _write_back(value: object) -> None:
    """What the rooms above read from `write_back` is only checked here."""
    if value is None or isinstance(value, bool):
        return
    if not isinstance(value, dict):
        raise ValueError("write_back: give label, assign_owner, comments, close")  # noqa: TRY004 - a fault of the file, shown as such
    block = cast("dict[str, object]", value)
    if unknown := sorted(set(block) - _WRITE_BACK):
        raise ValueError(
            f"write_back.{unknown[0]} is not known; known are {', '.join(_WRITE_BACK)}"
        )
    if block.get("label_when", "acknowledged") not in {"acknowledged", "picked_up"}:
        raise ValueError("write_back.label_when: give acknowledged or picked_up")
    close = block.get("close")
    if isinstance(close, dict):
        word = cast("dict[str, object]", close).get("classification")
        if word is not None and words.verdict(str(word)) is None:
            raise ValueError(
                f"write_back.close.classification: {word!r} is not one of truePositive, "
                "falsePositive, informationalExpectedActivity, unknown"
            )


def _severities(value: object) -> frozenset[Severity]:
    if value is None:
        return frozenset(Severity)
    names = _names("severities", value)
    if wrong := [name for name in names if words.squeezed(name) not in words.SEVERITIES]:
        known = ", ".join(words.SEVERITIES)
        raise ValueError(f"severities: {wrong[0]!r} is not one of Microsoft's: {known}")
    return frozenset(words.severity(name) for name in names)


def _states(value: object) -> frozenset[RemoteStatus]:
    usual = (RemoteStatus.NEW, RemoteStatus.ACTIVE)
    names = (
        [words.squeezed(name) for name in _names("states", value)] if value is not None else usual
    )
    if wrong := [name for name in names if name not in usual]:
        raise ValueError(f"states: {wrong[0]!r} is not one of ours: new, active")
    return frozenset(RemoteStatus(name) for name in names)


def _names(key: str, value: object) -> list[str]:
    if not isinstance(value, list | tuple | set | frozenset) or not value:
        raise ValueError(f"{key}: give a list with at least one entry")
    return [str(item) for item in cast("list[object]", value)]


def _rows(value: object) -> int:
    if value is False:
        return 0
    block = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    rows = block.get("max_rows", _USUAL_ROWS)
    if isinstance(rows, bool) or not isinstance(rows, int) or not 0 <= rows <= _MOST_ROWS:
        raise ValueError(f"augment.max_rows: give a whole number from 0 to {_MOST_ROWS}")
    return rows


def _guid(block: Mapping[str, Any], key: str, *, needed: bool = False) -> str:
    value = block.get(key)
    if value is None and not needed:
        return ""
    try:
        return str(UUID(str(value)))
    except ValueError:
        fault = "is missing" if value is None else f"{value!r} is not a GUID"
        raise ValueError(f"{key}: {fault} (as in 11111111-1111-1111-1111-111111111111)") from None


def _matching(
    block: Mapping[str, Any], key: str, pattern: re.Pattern[str], *, needed: bool = False
) -> str:
    value = block.get(key)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        fault = "is missing" if value is None else f"{value!r} cannot be one"
        raise ValueError(f"{key}: {fault}; copy it from the Azure portal")
    return value


def _choice(block: Mapping[str, Any], key: str, kinds: type[Unit], usual: Unit) -> Unit:
    given = str(block.get(key, usual))
    if given not in set(kinds):
        raise ValueError(f"{key}: {given!r} is not one of {', '.join(kinds)}")
    return kinds(given)


def _span(block: Mapping[str, Any], key: str, usual: timedelta, *, least: timedelta) -> timedelta:
    value = block.get(key)
    if value is None:
        return usual
    if isinstance(value, timedelta):
        span = value
    else:
        match = None if isinstance(value, bool) else _DURATION.fullmatch(str(value).strip())
        if match is None:
            raise ValueError(f"{key}: {value!r} is not a duration such as 30s, 5m, 24h")
        span = timedelta(seconds=float(match[1]) * _UNITS[match[2] or "s"])
    if not least <= span <= timedelta(days=366):
        raise ValueError(f"{key}: {value!r} is out of range; the least is {least}")
    return span
