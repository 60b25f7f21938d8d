"""One process that steps: alerts that fall due in the same second are paged."""

import asyncio
import sys
import time

import msgspec

from tocsin.actions.page import page_due, page_on
from tocsin.app import world_of
from tocsin.settings import read


class Stepped(msgspec.Struct, kw_only=True):
    """When it was done (seconds of the epoch), and the seconds it took."""

    ended: float
    cpu: float
    longest: float


async def main(due: float) -> Stepped:
    """From `due` (seconds of the epoch) on page all that is due, as the worker does."""
    settings = read()
    assert settings.database_url is not None
    async with world_of(settings, settings.database_url) as world:
        await page_due(world)  # nothing is due yet: it opens the connection
        await asyncio.sleep(due - world.clock.now().timestamp())
        cpu, longest, begun = time.process_time(), 0.0, time.monotonic()
        more = True
        while more or await page_due(world):
            more = await page_on(world, more=more)
            longest, begun = max(longest, time.monotonic() - begun), time.monotonic()
        return Stepped(
            ended=world.clock.now().timestamp(), cpu=time.process_time() - cpu, longest=longest
        )


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(main(float(sys.argv[1])))).decode(), flush=True)
