"""Entra's addresses in the simulated cloud: OpenID metadata and the token endpoint."""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tocsin.demo.cloud.state import CloudState


class EntraService:
    """Source of the shapes: Microsoft identity platform, client credentials grant."""

    def __init__(self, state: CloudState) -> None:
        self._identity = state.identity

    def routes(self) -> list[Route]:
        metadata = "/{tenant}/v2.0/.well-known/openid-configuration"
        return [
            Route(metadata, self._metadata, methods=["GET"]),
            Route("/{tenant}/oauth2/v2.0/token", self._token, methods=["POST"]),
        ]

    async def _metadata(self, request: Request) -> JSONResponse:
        tenant: str = request.path_params["tenant"]
        self._identity.check_tenant(tenant)
        base = f"https://{request.headers['host']}/{tenant}"
        return JSONResponse(
            {
                "issuer": f"{base}/v2.0",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _token(self, request: Request) -> JSONResponse:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        token, lifetime = self._identity.grant_client(request.path_params["tenant"], form)
        seconds = int(lifetime.total_seconds())
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": token,
            }
        )
