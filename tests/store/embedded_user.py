"""A process that uses the private PostgreSQL: `python embedded_user.py HOME [PLACE...]`.

It prints "ready ADDRESS" or "refused REASON", and "log TEXT" for what is reported in between; a
line on standard input, or its end, makes it leave cleanly.
"""

import asyncio
import sys
from pathlib import Path

from tocsin.store.embedded import EmbeddedError, EmbeddedPostgres


def say(text: str) -> None:
    """Prints one line at once."""
    print(" ".join(text.split()), flush=True)  # noqa: T201 - this is how it answers


async def main(home: str, *places: str) -> None:
    """Uses the server until told to leave."""
    where = [Path(place) for place in places] or None
    try:
        async with EmbeddedPostgres(
            Path(home), log=lambda text: say(f"log {text}"), places=where
        ) as postgres:
            say(f"ready {postgres.dsn}")
            await asyncio.to_thread(sys.stdin.readline)
    except EmbeddedError as error:
        say(f"refused {error}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
