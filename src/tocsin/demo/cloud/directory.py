"""What the simulated tenant's directory holds: applications, service principals, grants."""

import base64
import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tocsin.demo.cloud.assertions import signed_by
from tocsin.demo.cloud.errors import EntraError

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
INSIGHTS_APP_ID = "98785600-1bb7-4fb9-b9fa-19afe2c8a360"
DIRECTORY_ROLES = ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All")
_GRAPH_ROLES = (
    *("SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All"),
    *("SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All"),
    *DIRECTORY_ROLES,
)


class KeyCredential(msgspec.Struct, rename="camel"):
    """A certificate of an application; the key is shown only to those who ask for it by name."""

    key: str | None = None
    type: str = "AsymmetricX509Cert"
    usage: str = "Verify"
    display_name: str | None = None
    key_id: str = ""
    custom_key_identifier: str | None = None
    start_date_time: str | None = None
    end_date_time: str | None = None


class PasswordCredential(msgspec.Struct, rename="camel"):
    """A secret of an application; its text is shown once."""

    key_id: str
    display_name: str | None
    end_date_time: datetime
    secret_text: str | None = None


class Application(msgspec.Struct, rename="camel"):
    """An application registration."""

    id: str
    app_id: str
    unique_name: str | None
    display_name: str
    sign_in_audience: str = "AzureADMultipleOrgs"
    tags: list[str] = msgspec.field(default_factory=list[str])
    required_resource_access: list[object] = msgspec.field(default_factory=list[object])
    key_credentials: list[KeyCredential] = msgspec.field(default_factory=list[KeyCredential])
    password_credentials: list[PasswordCredential] = msgspec.field(
        default_factory=list[PasswordCredential]
    )


class AppRole(msgspec.Struct):
    """A permission that a service offers to applications."""

    id: str
    value: str


class ServicePrincipal(msgspec.Struct, rename="camel"):
    """What stands for an application in the tenant."""

    id: str
    app_id: str
    display_name: str
    tags: list[str] = msgspec.field(default_factory=list[str])
    app_roles: list[AppRole] = msgspec.field(default_factory=list[AppRole])


class Grant(msgspec.Struct, rename="camel"):
    """An application permission that was granted."""

    id: str
    principal_id: str
    resource_id: str
    app_role_id: str


class Assignment(msgspec.Struct):
    """A role of Azure on a scope; `role` is the GUID of its definition, in lower case."""

    principal_id: str
    role: str
    scope: str
    made: datetime


class Directory:
    """New objects are seen by others after `lag`; what is granted counts after `propagation`."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.lag = timedelta()
        self.propagation = timedelta()
        self.applications: dict[str, Application] = {}
        self.principals: dict[str, ServicePrincipal] = {}
        self.grants: dict[str, Grant] = {}
        self.assignments: dict[str, Assignment] = {}
        self.custom_roles: dict[str, tuple[str, ...]] = {}
        self._born: dict[str, datetime] = {}
        roles = [AppRole(str(uuid.uuid4()), value) for value in _GRAPH_ROLES]
        self.graph = self.add_principal(GRAPH_APP_ID, "Microsoft Graph")
        self.graph.app_roles = roles
        self.insights = self.add_principal(INSIGHTS_APP_ID, "Azure Security Insights")

    def add_operator(self, client_id: str, secret: str) -> ServicePrincipal:
        """Somebody who may make applications and consent; Azure roles are assigned beside it."""
        application = self.add_application(None, "An operator", client_id)
        self.new_password(application, "operator", self.now() + timedelta(days=3650), secret)
        principal = self.add_principal(client_id, "An operator")
        for role in self.graph.app_roles:
            if role.value in DIRECTORY_ROLES:
                self.add_grant(principal.id, role.id)
        return principal

    def add_application(
        self, unique_name: str | None, display_name: str, client_id: str | None = None
    ) -> Application:
        """A new registration, stored."""
        made = Application(
            str(uuid.uuid4()), client_id or str(uuid.uuid4()), unique_name, display_name
        )
        self.applications[made.id] = made
        self._born[made.id] = self.now()
        return made

    def add_principal(self, app_id: str, display_name: str) -> ServicePrincipal:
        """A new service principal, stored."""
        made = ServicePrincipal(str(uuid.uuid4()), app_id, display_name)
        self.principals[made.id] = made
        self._born[made.id] = self.now()
        return made

    def add_grant(self, principal_id: str, role_id: str) -> Grant:
        """A new grant of one of Graph's roles, stored."""
        made = Grant(secrets.token_urlsafe(16), principal_id, self.graph.id, role_id)
        self.grants[made.id] = made
        self._born[made.id] = self.now()
        return made

    def assign(self, principal_id: str, role: str, scope: str) -> None:
        """A role of Azure by its GUID, as if somebody had assigned it long ago."""
        address = f"{scope}/providers/microsoft.authorization/roleassignments/{uuid.uuid4()}"
        held = Assignment(principal_id, role, scope, datetime.min.replace(tzinfo=UTC))
        self.assignments[address.lower()] = held

    def new_password(
        self,
        application: Application,
        display_name: str | None,
        ends: datetime,
        secret: str | None = None,
    ) -> PasswordCredential:
        """A new secret of the application, whose text the answer alone carries."""
        held = secret or f"~{secrets.token_urlsafe(30)}"
        made = PasswordCredential(str(uuid.uuid4()), display_name, ends, held)
        application.password_credentials.append(made)
        return made

    def seen(self, object_id: str) -> bool:
        """Whether the object has reached the rest of the directory."""
        return object_id in self._born and self._born[object_id] + self.lag <= self.now()

    def application(self, object_id: str) -> Application | None:
        """By its object id, once it is seen."""
        return self.applications.get(object_id) if self.seen(object_id) else None

    def named(self, unique_name: str) -> Application | None:
        """By its unique name, seen or not."""
        return next(
            (found for found in self.applications.values() if found.unique_name == unique_name),
            None,
        )

    def principal_of(self, app_id: str) -> ServicePrincipal | None:
        """The service principal of an application, seen or not."""
        folded = app_id.lower()
        return next((p for p in self.principals.values() if p.app_id.lower() == folded), None)

    def remove_application(self, application: Application) -> None:
        """Its service principal, with all grants, goes too."""
        del self.applications[application.id]
        principal = self.principal_of(application.app_id)
        if principal is not None:
            self.remove_principal(principal)

    def remove_principal(self, principal: ServicePrincipal) -> None:
        """Its grants go too; Azure's role assignments stay behind, as they do."""
        del self.principals[principal.id]
        self.grants = {k: g for k, g in self.grants.items() if g.principal_id != principal.id}

    def graph_roles(self, client_id: str) -> frozenset[str]:
        """The values of Graph's roles that count by now."""
        principal = self.principal_of(client_id)
        names = {role.id: role.value for role in self.graph.app_roles}
        return frozenset(
            names[grant.app_role_id]
            for grant in self.grants.values()
            if principal is not None
            and grant.principal_id == principal.id
            and self._born[grant.id] + self.propagation <= self.now()
        )

    def azure_roles(self, client_id: str, scope: str) -> frozenset[str]:
        """The GUIDs of the roles that the application has by now on the scope or above it."""
        principal = self.principal_of(client_id)
        inside = f"{scope.lower().rstrip('/')}/"
        return frozenset(
            a.role
            for a in self.assignments.values()
            if principal is not None
            and a.principal_id == principal.id
            and inside.startswith(f"{a.scope.lower().rstrip('/')}/")
            and a.made + self.propagation <= self.now()
        )

    def check_client(self, client_id: str, form: dict[str, str]) -> None:
        """EntraError unless the application exists and shows a secret or certificate of its own."""
        folded = client_id.lower()
        application = next(
            (a for a in self.applications.values() if a.app_id.lower() == folded), None
        )
        if application is None or self.principal_of(client_id) is None:
            raise EntraError(
                400,
                "unauthorized_client",
                700016,
                f"The tenant knows no application with the identifier '{client_id}'.",
            )
        if assertion := form.get("client_assertion"):
            self._check_assertion(application, assertion)
        else:
            self._check_secret(application, form.get("client_secret", ""))

    def _check_assertion(self, application: Application, assertion: str) -> None:
        keys = [key.key for key in application.key_credentials if key.key]
        if not any(signed_by(assertion, base64.b64decode(key)) for key in keys):
            raise EntraError(
                401,
                "invalid_client",
                700027,
                "The certificate of the client assertion is not registered on the application.",
            )

    def _check_secret(self, application: Application, secret: str) -> None:
        held = next(
            (
                password
                for password in application.password_credentials
                if secrets.compare_digest((password.secret_text or "").encode(), secret.encode())
            ),
            None,
        )
        if held is None:
            said = f"The secret given for application '{application.app_id}' is not valid."
            raise EntraError(401, "invalid_client", 7000215, said)
        if held.end_date_time <= self.now():
            said = f"The secret of application '{application.app_id}' has expired."
            raise EntraError(401, "invalid_client", 7000222, said)


def complete(key: KeyCredential) -> KeyCredential:
    """A certificate as the directory keeps it: with its id, thumbprint and dates."""
    certificate = x509.load_der_x509_certificate(base64.b64decode(key.key or ""))
    thumbprint = certificate.fingerprint(hashes.SHA1())  # noqa: S303 - Entra names certificates so
    key.key_id = key.key_id or str(uuid.uuid4())
    key.custom_key_identifier = base64.b64encode(thumbprint).decode()
    key.start_date_time = certificate.not_valid_before_utc.isoformat()
    key.end_date_time = certificate.not_valid_after_utc.isoformat()
    return key
