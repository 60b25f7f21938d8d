"""Azure's check of a caller: bearer token, then the actions that its roles allow."""

from fnmatch import fnmatchcase

from starlette.requests import Request

from tocsin.demo.cloud.errors import ArmError
from tocsin.demo.cloud.identity import Identity, Refusal, TokenError

# The parts of the built-in roles that matter here (Azure built-in roles, security and monitor).
_ROLES: dict[str, tuple[str, ...]] = {
    "Microsoft Sentinel Reader": (
        "Microsoft.SecurityInsights/*/read",
        "Microsoft.SecurityInsights/incidents/alerts/action",
        "Microsoft.SecurityInsights/incidents/entities/action",
        "Microsoft.OperationalInsights/workspaces/query/*",
    ),
    "Microsoft Sentinel Responder": (
        "Microsoft.SecurityInsights/*/read",
        "Microsoft.SecurityInsights/incidents/*",
        "Microsoft.OperationalInsights/workspaces/query/*",
    ),
    "Microsoft Sentinel Contributor": (
        "Microsoft.SecurityInsights/*",
        "Microsoft.OperationalInsights/workspaces/query/*",
    ),
    "Log Analytics Reader": ("Microsoft.OperationalInsights/workspaces/query/*",),
}

_TOKEN_FAULTS: dict[Refusal, tuple[str, str]] = {
    "missing": ("AuthenticationFailed", "The Authorization header with a bearer token is missing."),
    "unknown": ("InvalidAuthenticationToken", "The access token is not valid."),
    "audience": (
        "InvalidAuthenticationTokenAudience",
        "The access token was issued for another audience than https://management.azure.com.",
    ),
    "expired": ("ExpiredAuthenticationToken", "The access token has expired."),
}


def allows(identity: Identity, action: str) -> bool:
    """Whether a role that is assigned now contains the action; case does not matter."""
    patterns = (p for role in identity.azure_roles for p in _ROLES.get(role, ()))
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def require_action(identity: Identity, request: Request, action: str, scope: str) -> None:
    """ArmError 401 for the token, 403 that names the action no role allows."""
    try:
        identity.admit(request.headers.get("authorization"), "arm")
    except TokenError as refused:
        code, message = _TOKEN_FAULTS[refused.why]
        challenge = 'Bearer error="invalid_token", error_description="see the body"'
        raise ArmError(401, code, message, {"WWW-Authenticate": challenge}) from refused
    if not allows(identity, action):
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{identity.client_id}' is not allowed to perform action '{action}' over "
            f"scope '{scope}'. A role that was assigned just now may need a new token.",
        )
