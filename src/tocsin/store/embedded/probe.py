"""The question whether a server answers at a socket."""

import asyncio
import contextlib
import struct
from enum import Enum
from pathlib import Path

from tocsin.store.embedded.cluster import DATABASE, ROLE

_PATIENCE = 5.0  # seconds; a server that says nothing for so long is busy, not gone
_PROTOCOL = 3 << 16  # version 3.0, in the start-up message of PostgreSQL's protocol
_NOT_YET = b"C57P03\x00"  # SQLSTATE cannot_connect_now: starting, recovering or stopping


class Answer(Enum):
    """What came back from the socket."""

    NONE = "nobody listens"
    NOT_YET = "a server is there, and takes no connections now"
    READY = "a server takes connections"


async def ask(socket: Path) -> Answer:
    """Knocks with a start-up message and leaves without logging in, like PostgreSQL's PQping."""
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                return await _knock(reader, writer)
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except TimeoutError:
        return Answer.NOT_YET
    except (OSError, asyncio.IncompleteReadError):
        return Answer.NONE


async def _knock(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
    words = f"user\0{ROLE}\0database\0{DATABASE}\0\0".encode()
    writer.write(struct.pack("!II", 8 + len(words), _PROTOCOL) + words)
    head = await reader.readexactly(5)
    body = await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
    # "R" asks for the password; any error but "not now" (too many clients) shows a live server.
    return Answer.NOT_YET if head[:1] == b"E" and _NOT_YET in body else Answer.READY
