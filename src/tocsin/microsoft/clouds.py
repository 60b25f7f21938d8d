"""The hosts of Microsoft's clouds, or of one that the configuration describes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast
from urllib.parse import urlsplit

PUBLIC = "public"


class Api(StrEnum):
    """Which of Microsoft's services is called; the names are the keys of a `cloud` object."""

    GRAPH = "graph"
    ARM = "arm"
    LOGS = "logs"
    INGESTION = "ingestion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """Where the services of one cloud are. Bases are `https://host[:port]` without a path.

    A service that the configuration does not name has no base and is never called.
    """

    authority: str
    bases: Mapping[Api, str]
    scopes: Mapping[Api, str]
    ca_file: str | None = None
    time_scale: float = 1.0

    def base(self, api: Api) -> str:
        """Where `api` is; raises ValueError when this cloud does not name it."""
        found = self.bases.get(api)
        if found is None:
            raise ValueError(f"cloud.{api} is not set, and it is needed here")
        return found

    def allows(self, url: str, api: Api) -> bool:
        """Whether `url` is on the very scheme, host, port that is configured for `api`.

        Compared as text up to the slash that ends the host, so that no two parsers can differ.
        """
        base = self.bases.get(api)
        if base is None or not url.isascii() or not url.isprintable() or " " in url:
            return False
        given = url.casefold()
        # Azure Resource Manager sometimes spells out the port that https implies.
        return given.startswith((f"{base}/", f"{base}:443/"))


_KNOWN = {
    PUBLIC: (
        "login.microsoftonline.com",
        "graph.microsoft.com",
        "management.azure.com",
        "api.loganalytics.azure.com",
        "monitor.azure.com",
    ),
    "usgov": (
        "login.microsoftonline.us",
        "graph.microsoft.us",
        "management.usgovcloudapi.net",
        "api.loganalytics.us",
        "monitor.azure.us",
    ),
    "china": (
        "login.chinacloudapi.cn",
        "microsoftgraph.chinacloudapi.cn",
        "management.chinacloudapi.cn",
        "api.loganalytics.azure.cn",
        "monitor.azure.cn",
    ),
}

# The audience of Log Analytics in the public cloud keeps the older name of its host.
_AUDIENCES = {"api.loganalytics.azure.com": "api.loganalytics.io"}

_MICROSOFT = re.compile(
    r"(^|\.)(microsoft\.com|microsoft\.us|azure\.com|azure\.us|azure\.cn|usgovcloudapi\.net"
    r"|chinacloudapi\.cn|loganalytics\.io|loganalytics\.us)$"
)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(:[0-9]{1,5})?")
_KEYS = {"authority", *Api, "ca_file", "time_scale"}


def read_cloud(value: object) -> Cloud:
    """The cloud that `cloud:` names or describes. Raises ValueError that says what is wrong."""
    if value is None or isinstance(value, str):
        return _known(value or PUBLIC)
    if not isinstance(value, dict):
        raise ValueError("cloud: give public, usgov, china, or an object with the hosts")  # noqa: TRY004 - a fault of the file
    block = cast("dict[str, object]", value)
    if unknown := sorted(set(block) - _KEYS):
        raise ValueError(f"cloud.{unknown[0]} is not known; known are {', '.join(sorted(_KEYS))}")
    if block.get("authority") is None:
        raise ValueError("cloud.authority is missing: the host that tokens are asked from")
    bases = {api: _base(f"cloud.{api}", block[api]) for api in Api if block.get(api) is not None}
    ca_file = block.get("ca_file")
    if ca_file is not None and not (isinstance(ca_file, str) and ca_file):
        raise ValueError("cloud.ca_file: give the path of a PEM file")
    return Cloud(
        authority=_base("cloud.authority", block["authority"]),
        bases=bases,
        scopes={api: _scope(api, bases.get(api)) for api in Api},
        ca_file=ca_file,
        time_scale=_scale(block.get("time_scale", 1)),
    )


def _known(name: str) -> Cloud:
    if name not in _KNOWN:
        raise ValueError(f"cloud: {name!r} is not one of {', '.join(_KNOWN)} or an object")
    authority, *hosts = _KNOWN[name]
    bases = {api: f"https://{host}" for api, host in zip(Api, hosts, strict=True)}
    # Custom tables are written to the endpoint of a data collection rule, not to a common host.
    del bases[Api.INGESTION]
    scopes = {api: _audience(host) for api, host in zip(Api, hosts, strict=True)}
    return Cloud(authority=f"https://{authority}", bases=bases, scopes=scopes)


def _base(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}: give a host, such as https://graph.example.org")
    given = value.strip().rstrip("/")
    url = urlsplit(given if "://" in given else f"https://{given}")
    if url.scheme != "https":
        raise ValueError(f"{name}: only https is spoken, because tokens travel with each request")
    if not _HOST.fullmatch(url.netloc) or url.path or url.query or url.fragment:
        raise ValueError(
            f"{name}: give only the host and, where needed, the port: no path, no user"
        )
    return f"https://{url.netloc.casefold().removesuffix(':443')}"


def _scope(api: Api, base: str | None) -> str:
    """A host that is not Microsoft's stands in for the public cloud, so its audiences stay."""
    host = urlsplit(base or "").hostname or ""
    if api is not Api.INGESTION and _MICROSOFT.search(host):
        return _audience(host)
    return _audience(dict(zip(Api, _KNOWN[PUBLIC][1:], strict=True))[api])


def _audience(host: str) -> str:
    return f"https://{_AUDIENCES.get(host, host)}/.default"


def _scale(value: object) -> float:
    try:
        scale = float(str(value))
    except ValueError:
        scale = 0.0
    if not 1 <= scale <= 1_000_000:
        raise ValueError("cloud.time_scale: give a number of at least 1 (it is for simulators)")
    return scale
