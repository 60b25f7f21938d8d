"""Where rows of the custom table are sent: the `table` block of a connector, checked."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast
from urllib.parse import urlsplit

from tocsin.microsoft.clouds import Api, Cloud
from tocsin.microsoft.table import USUAL_TABLE, checked_name, stream

_KEYS = ("name", "rule", "stream", "endpoint")
_RULE = re.compile(r"dcr-[0-9A-Za-z-]{1,64}")
_STREAM = re.compile(r"Custom-[A-Za-z0-9_]{1,80}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A stream of a data collection rule: `rule` is its immutable id, `endpoint` its host."""

    table: str
    rule: str
    stream: str
    endpoint: str

    @property
    def url(self) -> str:
        """The address that rows are posted to."""
        path = f"dataCollectionRules/{self.rule}/streams/{self.stream}"
        return f"{self.endpoint}/{path}?api-version=2023-01-01"


def read_destination(value: object, cloud: Cloud) -> Destination | None:
    """What `table:` says; None where no rows are wanted. Raises ValueError."""
    if value is None or value is False:
        return None
    if not isinstance(value, dict):
        raise ValueError("table: give rule and endpoint, as `tocsin azure setup` prints them")  # noqa: TRY004 - a fault of the file, shown as such
    block = cast("dict[str, object]", value)
    for key in block:
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), _KEYS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"table.{key} is not known{hint}")
    name = checked_name(str(block.get("name", USUAL_TABLE)))
    return Destination(
        table=name,
        rule=_matching(block, "rule", _RULE, "the immutable id of the rule, as in dcr-0a1b…"),
        stream=_matching({"stream": stream(name), **block}, "stream", _STREAM, "Custom-… as there"),
        endpoint=_endpoint(block.get("endpoint"), cloud),
    )


def reaching(cloud: Cloud, destination: Destination | None) -> Cloud:
    """The cloud with the rule's host, which each rule has for itself."""
    if destination is None:
        return cloud
    return replace(cloud, bases={**cloud.bases, Api.INGESTION: destination.endpoint})


def _matching(block: Mapping[str, object], key: str, pattern: re.Pattern[str], example: str) -> str:
    value = block.get(key)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        fault = "is missing" if value is None else f"{value!r} cannot be one"
        raise ValueError(f"table.{key}: {fault}; give {example}")
    return value


def _endpoint(value: object, cloud: Cloud) -> str:
    """Tokens go with the rows, so the host has to be one of this cloud."""
    own = cloud.bases.get(Api.INGESTION)
    if value is None and own is not None:
        return own
    audience = urlsplit(cloud.scopes[Api.INGESTION]).hostname or ""
    wanted = own or f"https://….ingest.{audience}"
    given = str(value or "").strip().rstrip("/").casefold()
    if own is not None:
        fits = given == own
    else:
        host = rf"https://[a-z0-9-]+(\.[a-z0-9-]+)*\.ingest\.{re.escape(audience)}"
        fits = re.fullmatch(host, given) is not None
    if not fits:
        fault = "is missing" if value is None else f"{value!r} is no host of this cloud"
        raise ValueError(f"table.endpoint: {fault}; give the rule's endpoint, {wanted}")
    return given
