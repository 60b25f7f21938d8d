"""How soon `serve` is ready, how much memory it keeps, how soon the command line helps."""

import asyncio
import statistics
import subprocess
import time

from bench.configuration import CLOUD, configuration
from bench.figures import Figure
from bench.stage import TOCSIN, Stage, home
from tocsin.clock import SystemClock
from tocsin.demo.cloud import Cloud, CloudServer

_HELPS = 5
_STARTS = 3


async def start(stage: Stage) -> list[Figure]:
    """With the private PostgreSQL: the first start makes its data folder, later ones find it."""
    with home() as folder:
        async with stage.serve(None, home=folder) as served:
            first = served.started
        later: list[float] = []
        for _ in range(_STARTS):
            async with stage.serve(None, home=folder) as served:
                later.append(served.started)
    note = f"median of {_STARTS}"
    return [
        Figure(name="serve is ready, first start with initdb", value=first, unit="s", limit=10),
        Figure(
            name="serve is ready, later start",
            value=statistics.median(later),
            unit="s",
            limit=3,
            note=note,
        ),
    ]


async def memory(stage: Stage) -> list[Figure]:
    """Resident memory while idle, with a connector that has read the simulated cloud."""
    dsn = await stage.database()
    cloud = Cloud(SystemClock().now, client_secret="bench", **CLOUD)
    async with CloudServer(cloud, stage.folder) as server:
        await stage.apply(dsn, configuration(9, server.settings_block()))
        async with stage.serve(dsn) as served:
            polled = await _polled(cloud)
            resident = served.resident()
            spent = served.cpu()
            await asyncio.sleep(3)
            share = (served.cpu() - spent) / 3
    return [
        Figure(
            name="resident memory of serve, idle, one connector",
            value=resident,
            unit="MB",
            limit=170,
            note=f"{100 * share:.1f} % of a core while idle, polling every second",
            wrong="" if resident and polled else "not told by this system, or nothing was polled",
        )
    ]


async def helping(stage: Stage) -> list[Figure]:
    """`tocsin --help`."""
    took: list[float] = []
    for _ in range(_HELPS):
        begun = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            TOCSIN, "--help", env=stage.environment(None, None), stdout=subprocess.DEVNULL
        )
        await process.wait()
        took.append(time.monotonic() - begun)
    return [
        Figure(
            name="tocsin --help",
            value=statistics.median(took),
            unit="s",
            limit=0.6,
            note=f"median of {_HELPS}",
        )
    ]


async def _polled(cloud: Cloud, polls: int = 3) -> bool:
    """Wait until the connector has read the incidents a few times."""
    for _ in range(300):
        if len(cloud.requests.of("GET", "/incidents")) >= polls:
            return True
        await asyncio.sleep(0.1)
    return False
