"""What a deployment consists of: objects that are wanted, ids that are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tocsin.microsoft.fields import NOTHING, Record


class Kind(StrEnum):
    """How an object is read, made and removed."""

    APPLICATION = "application"
    CREDENTIAL = "credential"
    PRINCIPAL = "principal"
    GRANT = "grant"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Ids that Microsoft gives out; empty until the object that has them is there."""

    location: str = ""
    workspace_guid: str = ""
    graph_id: str = ""
    app_roles: Mapping[str, str] = field(default_factory=dict[str, str])
    insights_id: str = ""
    application_id: str = ""
    client_id: str = ""
    principal_id: str = ""
    workflow_identity: str = ""
    endpoint: str = ""
    rule_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One object. `path` is empty while an id that it needs is not known.

    `needs` is the role that the operator needs for it. `mark` leads to the text in the body that
    tells who made it; without one the object ends with the one that it belongs to.
    """

    kind: Kind
    title: str
    why: str
    needs: str
    path: str = ""
    version: str = ""
    body: Record = field(default_factory=lambda: NOTHING)
    mark: tuple[str, ...] = ()
    learns: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
