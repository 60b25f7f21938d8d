"""Entra's part of the simulated cloud: who may sign in, and what tokens stand for."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tocsin.demo.cloud.directory import Directory
from tocsin.demo.cloud.errors import EntraError

Audience = Literal["graph", "arm", "logs", "monitor"]
Refusal = Literal["missing", "unknown", "audience", "expired"]

GRAPH_ROLES = ("SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All")
AZURE_ROLES = ("Microsoft Sentinel Responder",)


class TokenError(Exception):
    """The caller showed no token, or one that does not open this service."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why: Refusal = why


@dataclass(frozen=True, slots=True)
class Token:
    """What an opaque bearer token stands for; Graph's roles are those granted when it was made."""

    audience: Audience
    client_id: str
    expires: datetime
    roles: frozenset[str]


class Identity:
    """The tenant's directory as far as one daemon application needs it.

    `graph_roles` and `azure_roles` are what is granted now and may be changed at any time: a Graph
    token carries the roles of the moment it was issued, Azure looks its role assignments up at
    each request. `secret_expires` None is a secret without end.
    """

    def __init__(
        self, now: Callable[[], datetime], *, tenant_id: str, client_id: str, client_secret: str
    ) -> None:
        self._now = now
        self.tenant_id = tenant_id
        self.client_id = client_id
        self.client_secret = client_secret
        self.secret_expires: datetime | None = None
        self.display_name = "Tocsin"
        self.token_lifetime = timedelta(hours=1)
        self.graph_roles: set[str] = set(GRAPH_ROLES)
        self.azure_roles: set[str] = set(AZURE_ROLES)
        self.directory = Directory(now)
        self._tokens: dict[str, Token] = {}

    def grant_client(self, tenant: str, form: dict[str, str]) -> tuple[str, timedelta]:
        """Client credentials become a token with its lifetime; EntraError otherwise."""
        self.check_tenant(tenant)
        if form.get("grant_type") != "client_credentials":
            raise EntraError(
                400, "unsupported_grant_type", 70003, "Only client_credentials is offered."
            )
        self._check_client(form.get("client_id", ""), form)
        audience = _audience(form.get("scope", ""))
        token = f"simulated.{secrets.token_urlsafe(48)}"
        client_id = form.get("client_id", "")
        roles = self._graph_roles(client_id) if audience == "graph" else frozenset[str]()
        ends = self._now() + self.token_lifetime
        self._tokens[token] = Token(audience, client_id, ends, roles)
        return token, self.token_lifetime

    def check_tenant(self, tenant: str) -> None:
        """EntraError 90002 for a tenant that is not this one."""
        if tenant.lower() != self.tenant_id.lower():
            raise EntraError(400, "invalid_request", 90002, f"There is no tenant '{tenant}'.")

    def admit(self, authorization: str | None, audience: Audience) -> Token:
        """The token behind an Authorization header; TokenError unless it opens `audience`."""
        scheme, _, credential = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise TokenError("missing")
        token = self._tokens.get(credential.strip())
        if token is None:
            raise TokenError("unknown")
        if token.audience != audience:
            raise TokenError("audience")
        if token.expires <= self._now():
            raise TokenError("expired")
        return token

    def forget_tokens(self) -> None:
        """Every token issued so far is refused from now on."""
        self._tokens.clear()

    def is_own(self, client_id: str) -> bool:
        """Whether this is the application that the tenant begins with."""
        return client_id.lower() == self.client_id.lower()

    def _graph_roles(self, client_id: str) -> frozenset[str]:
        if self.is_own(client_id):
            return frozenset(self.graph_roles)
        return self.directory.graph_roles(client_id)

    def _check_client(self, client_id: str, form: dict[str, str]) -> None:
        client_secret = form.get("client_secret", "")
        if not self.is_own(client_id):
            self.directory.check_client(client_id, form)
            return
        if not secrets.compare_digest(client_secret.encode(), self.client_secret.encode()):
            raise EntraError(
                401,
                "invalid_client",
                7000215,
                f"The secret given for application '{client_id}' is not valid.",
            )
        if self.secret_expires is not None and self.secret_expires <= self._now():
            raise EntraError(
                401,
                "invalid_client",
                7000222,
                f"The secret of application '{client_id}' has expired.",
            )


_RESOURCES: dict[str, Audience] = {
    "https://graph.microsoft.com": "graph",
    "https://graph.microsoft.us": "graph",
    "https://microsoftgraph.chinacloudapi.cn": "graph",
    "https://management.azure.com": "arm",
    "https://management.core.windows.net": "arm",
    "https://management.usgovcloudapi.net": "arm",
    "https://management.chinacloudapi.cn": "arm",
    "https://api.loganalytics.io": "logs",
    "https://api.loganalytics.azure.com": "logs",
    "https://api.loganalytics.us": "logs",
    "https://api.loganalytics.azure.cn": "logs",
    "https://monitor.azure.com": "monitor",
    "https://monitor.azure.us": "monitor",
    "https://monitor.azure.cn": "monitor",
}


def _audience(scope: str) -> Audience:
    """`<resource>/.default`; one more slash before the dot is tolerated, as Entra does."""
    resource, separator, rest = scope.partition("/.default")
    if not separator or rest:
        raise EntraError(
            400, "invalid_scope", 70011, f"The scope '{scope}' does not end in /.default."
        )
    audience = _RESOURCES.get(resource.rstrip("/").lower())
    if audience is None:
        raise EntraError(
            400, "invalid_resource", 500011, f"The tenant knows no resource '{resource}'."
        )
    return audience
