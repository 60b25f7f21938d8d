"""Every object that a deployment consists of, in the order in which they are made."""

from tocsin.microsoft.deploy.model import Kind, Known, Wanted
from tocsin.microsoft.deploy.placed import placed
from tocsin.microsoft.deploy.wish import Door, Proof, Wish

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
INSIGHTS_APP_ID = "98785600-1bb7-4fb9-b9fa-19afe2c8a360"

_APPLICATIONS = "Application Administrator or Cloud Application Administrator in Entra"
_CONSENT = "Privileged Role Administrator or Global Administrator in Entra"


def wanted(wish: Wish, known: Known) -> tuple[Wanted, ...]:
    """The same objects in the same order, whatever is known."""
    return (
        _application(wish, known),
        _credential(wish),
        _principal(wish, known),
        *(_grant(name, known) for name in permissions(wish)),
        *(placed(wish, known) if wish.workspace else ()),
    )


def permissions(wish: Wish) -> tuple[str, ...]:
    """Graph's application permissions that the mode needs, and no more."""
    if wish.door is Door.SENTINEL:
        return ()
    return ("SecurityAlert.ReadWrite.All" if wish.per_alert else "SecurityIncident.ReadWrite.All",)


def _application(wish: Wish, known: Known) -> Wanted:
    roles = [
        {"id": known.app_roles[name], "type": "Role"}
        for name in permissions(wish)
        if name in known.app_roles
    ]
    access = [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": roles}] if roles else []
    return Wanted(
        kind=Kind.APPLICATION,
        title=f"application registration {wish.name}",
        why="it is whom Tocsin signs in as; nobody else uses it",
        needs=_APPLICATIONS,
        path=f"/v1.0/applications(uniqueName='{wish.name}')",
        body={
            "displayName": wish.name,
            "signInAudience": "AzureADMyOrg",
            "tags": [wish.mark],
            "requiredResourceAccess": access,
        },
        mark=("tags",),
        learns={"application_id": ("id",), "client_id": ("appId",)},
    )


def _credential(wish: Wish) -> Wanted:
    days = wish.valid.days
    if wish.proof is Proof.CERTIFICATE:
        title = f"certificate (RSA, self-signed, {days} days) in {wish.store}"
        why = "Tocsin proves with it who it is; its private key never leaves this machine"
    else:
        title = f"client secret ({days} days) in {wish.store}, as {wish.env_name}"
        why = "Tocsin proves with it who it is"
    return Wanted(kind=Kind.CREDENTIAL, title=title, why=why, needs=_APPLICATIONS)


def _principal(wish: Wish, known: Known) -> Wanted:
    path = f"/v1.0/servicePrincipals(appId='{known.client_id}')" if known.client_id else ""
    return Wanted(
        kind=Kind.PRINCIPAL,
        title=f"service principal of {wish.name}",
        why="permissions and roles are given to it, not to the registration",
        needs=_APPLICATIONS,
        path=path,
        body={"appId": known.client_id, "tags": [wish.mark]},
        mark=("tags",),
        learns={"principal_id": ("id",)},
    )


def _grant(name: str, known: Known) -> Wanted:
    path = f"/v1.0/servicePrincipals/{known.principal_id}/appRoleAssignments"
    what = "alerts" if name.startswith("SecurityAlert") else "incidents"
    return Wanted(
        kind=Kind.GRANT,
        title=f"application permission {name} with admin consent",
        why=f"to read {what} of Defender and to write what was done about them",
        needs=_CONSENT,
        path=path if known.principal_id else "",
        body={
            "principalId": known.principal_id,
            "resourceId": known.graph_id,
            "appRoleId": known.app_roles.get(name, ""),
        },
    )
