"""A door before a PostgreSQL server that can be shut, as when the server or the way to it fails."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit


@dataclass
class Door:
    """Hands bytes to the server at `dsn` and back, while it is open."""

    dsn: str
    port: int = 0
    _server: asyncio.Server | None = None
    _ways: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> str:
        """The database as it is seen through the door."""
        parts = urlsplit(self.dsn)
        user = f"{parts.username}:{parts.password}" if parts.password else f"{parts.username}"
        return f"postgresql://{user}@127.0.0.1:{self.port}{parts.path}"

    async def open(self) -> None:
        """Let everybody in, at the same port as before."""
        self._server = await asyncio.start_server(self._enter, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._flowing.set()

    def stand_still(self) -> None:
        """Keep every connection and accept new ones, and hand nothing on any more."""
        self._flowing.clear()

    def go_on(self) -> None:
        """Hand on what came meanwhile, and all that follows."""
        self._flowing.set()

    async def shut(self) -> None:
        """Cut every connection, and refuse new ones."""
        assert self._server is not None
        self._server.close()
        for way in tuple(self._ways):
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = asyncio.current_task()
        assert way is not None
        self._ways.add(way)
        far: asyncio.StreamWriter | None = None
        try:
            beyond, far = await self._beyond()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(reader, far))
                group.create_task(self._copy(beyond, writer))
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            self._ways.discard(way)
            writer.transport.abort()
            if far is not None:
                far.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # either end was killed; the other hears of it by the end of the connection
        finally:
            writer.close()

    async def _beyond(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self.dsn)
        port = parts.port or 5432
        (folder,) = parse_qs(parts.query).get("host", [""])
        if folder:
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        return await asyncio.open_connection(parts.hostname, port)


@asynccontextmanager
async def opened_door(dsn: str) -> AsyncGenerator[Door]:
    """An open door before the database `dsn`."""
    door = Door(dsn)
    await door.open()
    try:
        yield door
    finally:
        with contextlib.suppress(OSError):
            await door.shut()
