"""What an operator asks `tocsin azure` for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from tocsin.microsoft.clouds import Cloud


class Door(StrEnum):
    """Through which of Microsoft's doors the connector will go; `auto` needs both."""

    AUTO = "auto"
    SENTINEL = "sentinel"
    GRAPH = "graph"


class Role(StrEnum):
    """What the application gets on the workspace."""

    RESPONDER = "responder"
    MINIMAL = "minimal"
    QUERY_ONLY = "query-only"


class Proof(StrEnum):
    """What the application signs in with."""

    CERTIFICATE = "certificate"
    SECRET = "secret"  # noqa: S105 - a word, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A deployment, called `name`; `store` is the file of its certificate or secret.

    Without `workspace_name` nothing is made in Azure. `hint_seal` is a fingerprint of the address
    that the push hint goes to, empty without one. `cloud_name` is what stands in the file.
    """

    name: str
    tenant_id: str
    cloud: Cloud
    cloud_name: object = "public"
    door: Door = Door.AUTO
    per_alert: bool = False
    subscription_id: str = ""
    resource_group: str = ""
    workspace_name: str = ""
    role: Role = Role.RESPONDER
    proof: Proof = Proof.CERTIFICATE
    store: Path = Path("tocsin-azure.pem")
    env_name: str = "TOCSIN_SENTINEL_SECRET"
    valid: timedelta = timedelta(days=365)
    table: str = ""
    hint_seal: str = ""
    wait: timedelta = timedelta(minutes=10)

    @property
    def mark(self) -> str:
        """What is written on everything that is made, and looked for before it is removed."""
        return f"made by tocsin azure: {self.name}"

    @property
    def group(self) -> str:
        """The resource group's id in Azure."""
        return f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"

    @property
    def workspace(self) -> str:
        """The workspace's id in Azure; empty without one."""
        if not self.workspace_name:
            return ""
        kind = "Microsoft.OperationalInsights/workspaces"
        return f"{self.group}/providers/{kind}/{self.workspace_name}"


_NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
_TABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,58}_CL")
_ENV = re.compile(r"TOCSIN_[A-Z0-9_]*_SECRET")


def check(wish: Wish, given: Mapping[str, object]) -> None:
    """Raises ValueError that names the option and the remedy."""
    if not _NAME.fullmatch(wish.name):
        raise ValueError("--name: small letters, digits and -, from 3 to 32 of them")
    if wish.table and not _TABLE.fullmatch(wish.table):
        raise ValueError("--table: letters, digits and _, with _CL at the end, as in SIGNL4_CL")
    if not _ENV.fullmatch(wish.env_name):
        raise ValueError("--env-name: a name like TOCSIN_SENTINEL_SECRET, with _SECRET at the end")
    parts = ("subscription_id", "resource_group", "workspace_name")
    missing = [part for part in parts if not given.get(part)]
    option = missing[0].replace("_", "-") if missing else ""
    if missing and (len(missing) < 3 or wish.door is Door.SENTINEL):
        raise ValueError(f"--{option} is missing: a workspace is named by all three")
    if missing and (wish.table or wish.hint_seal):
        raise ValueError(f"--{option} is missing: table and hint need a workspace")
    if wish.per_alert and wish.door is not Door.GRAPH:
        raise ValueError("--unit alert needs --mode graph; Sentinel's API is read by incident")
    if wish.role is Role.QUERY_ONLY and wish.door is not Door.GRAPH:
        raise ValueError(
            "--role query-only goes with --mode graph: incidents of Sentinel could not be written"
        )
    if wish.valid < timedelta(days=60):
        raise ValueError("--valid-days: at least 60, because a credential is renewed at 30")
