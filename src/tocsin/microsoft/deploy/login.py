"""The operator's own sign-in, by which a deployment is made."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.identity import AzureCliCredential, DeviceCodeCredential, InteractiveBrowserCredential

from tocsin.microsoft.clouds import Api, Cloud
from tocsin.microsoft.faults import misconfigured

_LONGEST = timedelta(minutes=15)


class Login(StrEnum):
    """How an operator signs in; `client-secret` is for pipelines and simulators."""

    CLI = "cli"
    DEVICE_CODE = "device-code"
    BROWSER = "browser"
    CLIENT_SECRET = "client-secret"  # noqa: S105 - a word, not a secret


class PersonalTokens:
    """`client.Bearers` for a person; tokens are kept in memory by the library, on no disk."""

    def __init__(
        self, login: Login, cloud: Cloud, tenant_id: str, tell: Callable[[str], None]
    ) -> None:
        self._scopes = cloud.scopes
        self._credential = _credential(login, cloud, tenant_id, tell)

    async def bearer(self, api: Api, within: timedelta) -> str:
        """A token for `api`; a person may take longer than a machine. Raises `CallError`."""
        del within
        scope = self._scopes[api]
        try:
            async with asyncio.timeout(_LONGEST.total_seconds()):
                token = await asyncio.to_thread(self._credential.get_token, scope)
        except TimeoutError:
            raise misconfigured("sign in", "nobody signed in within 15 minutes") from None
        except (AzureError, ValueError) as error:
            said = " ".join(str(error).split())[:300]
            raise misconfigured("sign in", f"{said}: sign in again, or use another --login") from (
                None
            )
        return token.token

    def forget(self, api: Api, token: str) -> None:
        """The library renews by itself."""


def _credential(
    login: Login, cloud: Cloud, tenant_id: str, tell: Callable[[str], None]
) -> TokenCredential:
    authority = urlsplit(cloud.authority).netloc
    match login:
        case Login.CLI:
            return AzureCliCredential(tenant_id=tenant_id)
        case Login.DEVICE_CODE:

            def prompt(address: str, code: str, ends: datetime) -> None:
                del ends
                tell(f"Open {address} in a browser and enter the code {code}.")

            return DeviceCodeCredential(
                tenant_id=tenant_id, authority=authority, prompt_callback=prompt
            )
        case Login.BROWSER:
            return InteractiveBrowserCredential(tenant_id=tenant_id, authority=authority)
        case Login.CLIENT_SECRET:
            raise ValueError("client-secret is no sign-in of a person")
