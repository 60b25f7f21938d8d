"""The simulated cloud on a loopback port, over HTTPS with a certificate authority of its own."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tocsin.demo.cloud.application import build_application
from tocsin.demo.cloud.state import CloudState


def settings_block(base_url: str, ca_file: Path, time_scale: int = 1) -> dict[str, object]:
    """The connector's `cloud` object for a cloud that serves everything at one address."""
    return {
        "authority": base_url,
        "graph": base_url,
        "arm": base_url,
        "logs": base_url,
        "ingestion": base_url,
        "ca_file": str(ca_file),
        "time_scale": time_scale,
    }


class CloudServer:
    """Serves a cloud while it is entered; leaving cuts what is still connected.

    `folder` gets the authority's certificate as `cloud-ca.pem`; `port` 0 takes a free one. OSError
    when the port is taken.
    """

    def __init__(self, cloud: CloudState, folder: Path, port: int = 0) -> None:
        self._cloud = cloud
        self._port = port
        self.ca_file = folder / "cloud-ca.pem"
        self._server: _QuietServer | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self._port}"

    def settings_block(self, time_scale: int = 1) -> dict[str, object]:
        """The connector's `cloud` object for this server."""
        return settings_block(self.base_url, self.ca_file, time_scale)

    async def __aenter__(self) -> Self:
        listener = _listen(self._port)
        self._port = listener.getsockname()[1]
        context = self._tls()
        config = uvicorn.Config(
            build_application(self._cloud, self._drop),
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            ssl_context_factory=lambda _config, _default: context,
        )
        self._server = _QuietServer(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listening.wait()
        if not self._server.started:
            await self._task  # raises what kept it from starting
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        assert self._task is not None
        self._server.leaving.set()
        await self._task

    def _tls(self) -> ssl.SSLContext:
        authority = trustme.CA(organization_name="Tocsin simulated cloud")
        authority.cert_pem.write_to_path(str(self.ca_file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        leaf = authority.issue_cert("localhost", "127.0.0.1")
        with leaf.private_key_and_cert_chain_pem.tempfile() as path:
            context.load_cert_chain(path)
        return context

    def _drop(self, client: tuple[str, int]) -> None:
        assert self._server is not None
        self._server.cut(client)


class _QuietServer(uvicorn.Server):
    """Says when it listens, ends without delay, and leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.leaving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.listening.set()

    async def main_loop(self) -> None:
        await self.leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cuts instead of waiting for clients; the sockets belong to the servers by now."""
        del sockets
        for server in self.servers:
            server.close()
        self.cut(None)
        async with asyncio.timeout(5):
            while (  # noqa: ASYNC110 - uvicorn has no event for the end of its connections
                self.server_state.connections or self.server_state.tasks
            ):
                await asyncio.sleep(0)

    def cut(self, client: tuple[str, int] | None) -> None:
        """Ends the connection of the client with this address, or all."""
        for connection in tuple(self.server_state.connections):
            if isinstance(connection, HttpToolsProtocol) and client in (None, connection.client):
                connection.transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _listen(port: int) -> socket.socket:
    # Named as TCP, because asyncio sends small answers at once (TCP_NODELAY) only then.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
