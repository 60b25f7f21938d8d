"""Azure's check of a caller: bearer token, then the actions that its roles allow."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from starlette.requests import Request

from tocsin.demo.cloud.errors import ArmError
from tocsin.demo.cloud.identity import Identity, Refusal, Token, TokenError

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
    "Owner": ("*",),
    "Microsoft Sentinel Automation Contributor": ("Microsoft.Authorization/*/read",),
    "Monitoring Metrics Publisher": ("Microsoft.Insights/Telemetry/Write",),
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


BUILT_IN = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "8d289c81-5878-46d4-8554-54e1e3d8b5cb": "Microsoft Sentinel Reader",
    "3e150937-b8fe-4cfb-8069-0eaf05ecd056": "Microsoft Sentinel Responder",
    "ab8e14d6-4a74-4a29-9ba8-549422addade": "Microsoft Sentinel Contributor",
    "f4c81013-99ee-4d62-a7ee-b3f1f648599a": "Microsoft Sentinel Automation Contributor",
    "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}


def _patterns(identity: Identity, token: Token, scope: str) -> Iterator[str]:
    if identity.is_own(token.client_id):
        yield from (p for role in identity.azure_roles for p in _ROLES.get(role, ()))
        return
    for role in identity.directory.azure_roles(token.client_id, scope):
        yield from _ROLES.get(BUILT_IN.get(role, ""), ())
        yield from identity.directory.custom_roles.get(role, ())


def allows(identity: Identity, token: Token, action: str, scope: str) -> bool:
    """Whether a role that is assigned now contains the action; case does not matter."""
    patterns = _patterns(identity, token, scope)
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def require_action(identity: Identity, request: Request, action: str, scope: str) -> None:
    """ArmError 401 for the token, 403 that names the action no role allows."""
    try:
        token = identity.admit(request.headers.get("authorization"), "arm")
    except TokenError as refused:
        code, message = _TOKEN_FAULTS[refused.why]
        challenge = 'Bearer error="invalid_token", error_description="see the body"'
        raise ArmError(401, code, message, {"WWW-Authenticate": challenge}) from refused
    if not allows(identity, token, action, scope):
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{token.client_id}' is not allowed to perform action '{action}' over "
            f"scope '{scope}'. A role that was assigned just now may need a new token.",
        )
