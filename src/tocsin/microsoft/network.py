"""The guarded connections of one connector, with the certificate authorities of its cloud."""

import ssl
from datetime import timedelta
from pathlib import Path

import aiohttp

from tocsin.egress import GuardedClient, guarded_connector
from tocsin.microsoft.clouds import Cloud

LARGEST_ANSWER = 32 * 1024 * 1024
LONGEST_CALL = timedelta(seconds=60)

_Stamp = tuple[int, int]


class CaFileError(Exception):
    """The `ca_file` cannot be used; the message says why."""

    def __init__(self, path: str, error: Exception) -> None:
        why = error.strerror if isinstance(error, OSError) else None
        super().__init__(f"cloud.ca_file {path} cannot be used: {why or 'it is no PEM file'}")


class Network:
    """Opens what is needed when it is needed; a `ca_file` that changed is read again.

    Methods raise `CaFileError`.
    """

    def __init__(self, cloud: Cloud, allow_private: tuple[str, ...]) -> None:
        self._ca_file = cloud.ca_file
        self._allow_private = allow_private
        self._stamp: _Stamp | None = None
        self._client: GuardedClient | None = None

    async def client(self) -> GuardedClient:
        """The client for Microsoft's services."""
        stamp = _stamp(self._ca_file)
        if self._client is not None and stamp != self._stamp:
            await self.close()
        if self._client is None:
            self._client = GuardedClient(
                self._allow_private,
                ssl_context=_trust(self._ca_file),
                max_bytes=LARGEST_ANSWER,
                longest=LONGEST_CALL,
            )
            self._stamp = stamp
        return self._client

    def session(self) -> aiohttp.ClientSession:
        """A session of its own for the library that asks for tokens, which closes it."""
        return aiohttp.ClientSession(
            connector=guarded_connector(self._allow_private, _trust(self._ca_file)),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Let go of connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def _stamp(ca_file: str | None) -> _Stamp | None:
    if ca_file is None:
        return None
    try:
        found = Path(ca_file).stat()
    except OSError as error:
        raise CaFileError(ca_file, error) from error
    return found.st_mtime_ns, found.st_size


def _trust(ca_file: str | None) -> ssl.SSLContext | None:
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cadata=Path(ca_file).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise CaFileError(ca_file, error) from error
