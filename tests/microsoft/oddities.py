"""A server that gives tokens, and to everything else the bytes that a test wants."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

_TOKEN = b'{"token_type":"Bearer","expires_in":3600,"access_token":"a token"}'


@dataclass
class Odd:
    """Answers `answer` (head and body); None is silence. `asked` are the request lines."""

    base_url: str = ""
    ca_file: Path = Path()
    answer: bytes | None = None
    asked: list[str] = field(default_factory=list[str])

    def says(self, body: bytes, kind: str = "application/json", status: str = "200 OK") -> None:
        """An answer with this body."""
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        self.answer = f"{head}x-ms-request-id: request-77\r\n\r\n".encode() + body

    @property
    def block(self) -> dict[str, object]:
        """The connector's `cloud` object."""
        hosts = ("authority", "graph", "arm", "logs")
        return {**dict.fromkeys(hosts, self.base_url), "ca_file": str(self.ca_file)}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = next(
                    (
                        int(line.split(":")[1])
                        for line in head.lower().splitlines()
                        if line.startswith("content-length:")
                    ),
                    0,
                )
                await reader.readexactly(length)
                line = head.splitlines()[0]
                if "oauth2" in line:
                    size = f"Content-Type: application/json\r\nContent-Length: {len(_TOKEN)}"
                    writer.write(f"HTTP/1.1 200 OK\r\n{size}\r\n\r\n".encode() + _TOKEN)
                else:
                    self.asked.append(line)
                    writer.write(self.answer or b"")
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.transport.abort()


@asynccontextmanager
async def odd_server(folder: Path) -> AsyncGenerator[Odd]:
    """Serves as long as the block lasts."""
    authority = trustme.CA()
    odd = Odd(ca_file=folder / "odd-ca.pem")
    authority.cert_pem.write_to_path(str(odd.ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with authority.issue_cert("localhost").private_key_and_cert_chain_pem.tempfile() as path:
        context.load_cert_chain(path)
    server = await asyncio.start_server(odd.serve, "127.0.0.1", 0, ssl=context)
    odd.base_url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    try:
        yield odd
    finally:
        server.close()
