"""Tokens for Microsoft's services, by the credential that the connector block names."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity import CredentialUnavailableError
from azure.identity.aio import (
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
)

from tocsin.microsoft.clouds import Api
from tocsin.microsoft.faults import (
    Asked,
    CallError,
    entra_refusal,
    misconfigured,
    retry_after,
    temporary,
)
from tocsin.microsoft.network import CaFileError, Network
from tocsin.microsoft.settings import Settings
from tocsin.ports import Clock, SecretMissingError, Secrets

_Credential = (
    CertificateCredential
    | ClientAssertionCredential
    | ClientSecretCredential
    | ManagedIdentityCredential
)

_MARGIN = timedelta(minutes=5)
_DOING = "get a token from Entra"


@dataclass(frozen=True, slots=True)
class _Held:
    token: str = field(repr=False)
    renew_at: datetime


class Tokens:
    """Tokens are kept in memory until shortly before they expire; secrets are not kept at all.

    The secret, certificate or federated token is read each time a token is asked for, so that a
    new one is used without a restart.
    """

    def __init__(self, settings: Settings, secret: Secrets, network: Network, clock: Clock) -> None:
        self._settings = settings
        self._secret = secret
        self._network = network
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._one_at_a_time = asyncio.Lock()

    async def bearer(self, api: Api, within: timedelta) -> str:
        """A token for `api`. Raises `CallError`; its reason names cause, remedy, never a secret."""
        scope = self._settings.cloud.scopes[api]
        async with self._one_at_a_time:
            held = self._held.get(scope)
            if held is None or held.renew_at <= self._clock.now():
                outcome = await self._asked(scope, within)
                # Raised out here, so that no exception holding the secret is chained to it.
                if isinstance(outcome, CallError):
                    raise outcome
                held = self._held[scope] = self._keep(outcome)
            return held.token

    def forget(self, api: Api, token: str) -> None:
        """`token` was refused: the next call asks for another."""
        scope = self._settings.cloud.scopes[api]
        held = self._held.get(scope)
        if held is not None and held.token == token:
            del self._held[scope]

    def _keep(self, token: AccessTokenInfo) -> _Held:
        now = self._clock.now()
        left = timedelta(seconds=max(0.0, token.expires_on - now.timestamp()))
        return _Held(token.token, now + left - min(_MARGIN, left / 2))

    async def _asked(self, scope: str, within: timedelta) -> AccessTokenInfo | CallError:
        try:
            async with asyncio.timeout(within.total_seconds()), await self._credential() as ready:
                return await ready.get_token_info(scope)
        except SecretMissingError as error:
            return misconfigured(_DOING, str(error))
        except ClientAuthenticationError as error:
            return self._refusal(error)
        except (AzureError, TimeoutError) as error:
            return _unreachable(error)
        except CaFileError as error:
            return misconfigured(_DOING, str(error))
        except OSError as error:
            name = error.filename or "a file"
            return misconfigured(_DOING, f"{name} cannot be read ({error.strerror or 'broken'})")
        except ValueError:
            return misconfigured(_DOING, self._unusable())

    def _refusal(self, error: ClientAuthenticationError) -> CallError:
        status = error.status_code or 0
        if status == 429 or status >= 500:
            return self._overloaded(error)
        if isinstance(error, CredentialUnavailableError):
            return misconfigured(
                _DOING,
                "this machine has no managed identity: assign one, or use another credential",
            )
        return entra_refusal(str(error.message))

    def _overloaded(self, error: HttpResponseError) -> CallError:
        # azure-core types a response by a base class that leaves its headers out.
        answered: Any = error.response
        headers = {str(k).lower(): str(v) for k, v in answered.headers.items()} if answered else {}
        return temporary(
            Asked(api=Api.GRAPH, doing=_DOING),
            f"Entra has a problem ({error.status_code}): it is tried again",
            status=error.status_code,
            retry_after=retry_after(headers, self._clock.now()),
        )

    def _unusable(self) -> str:
        if "certificate_file" in self._settings.credential:
            return (
                "certificate_file holds no usable certificate: it needs a PEM or PKCS#12 file "
                "with certificate, private key (RSA only) and, where it has one, its password"
            )
        return "the credential is empty or not usable: check it"

    async def _credential(self) -> _Credential:
        settings, given = self._settings, self._settings.credential
        if given.get("managed_identity"):
            # Its address comes from the platform, not from the configuration: no guard in between.
            return ManagedIdentityCredential(client_id=settings.client_id or None)
        make = self._maker(given)
        session = self._network.session()
        try:
            return make(
                authority=settings.cloud.authority,
                disable_instance_discovery=True,
                retry_total=0,
                transport=AioHttpTransport(session=session),
            )
        except ValueError:
            await session.close()
            raise

    def _maker(self, given: Mapping[str, Any]) -> Callable[..., _Credential]:
        """What is read from outside is read before a session is opened."""
        who = (self._settings.tenant_id, self._settings.client_id)
        if path := given.get("certificate_file"):
            password = self._secret(given["password"]) if given.get("password") else None
            data = Path(path).read_bytes()
            return partial(CertificateCredential, *who, certificate_data=data, password=password)
        if path := given.get("federated_token_file"):
            assertion = Path(path).read_text(encoding="utf-8").strip()
            return partial(ClientAssertionCredential, *who, lambda: assertion)
        return partial(ClientSecretCredential, *who, self._secret(given))


def _unreachable(error: Exception) -> CallError:
    """Network trouble on the way to Entra, told by its kind only."""
    if isinstance(error, TimeoutError):
        cause = "Entra did not answer in time: it is tried again"
    else:
        cause = f"Entra cannot be reached ({_root(error)}): check cloud, DNS, firewall, ca_file"
    return temporary(Asked(api=Api.GRAPH, doing=_DOING), cause)


def _root(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:200] or type(error).__name__
