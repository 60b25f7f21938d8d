"""The demo as people start it: the story at both ends, twice on the same data, and by hand."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tocsin.demo.play import stage
from tocsin.demo.steps import Teller
from tocsin.demo.story import Story
from tocsin.settings import Settings

STEPS = 8


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that the account of PostgreSQL can enter too."""
    folder = Path(tempfile.mkdtemp(prefix="toc-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@asynccontextmanager
async def _demo(home: Path, *arguments: str, **settings: str) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from tocsin.cli import main; main()", "demo", "--port", "0"),
        *arguments,
        env={**os.environ, "TOCSIN_HOME": str(home), **settings},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()


async def _line(process: Process, beginning: str) -> str:
    """The next line that begins so."""
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        if line.startswith(beginning):
            return line.removeprefix(beginning).strip()
    assert process.stderr is not None
    raise AssertionError((await process.stderr.read()).decode())


async def _card(client: httpx.AsyncClient, status: str) -> dict[str, Any]:
    """The phone's first card, once its alert stands so."""
    async with asyncio.timeout(20):
        while True:
            alerts: list[dict[str, Any]] = (await client.get("/api/rings")).json()["alerts"]
            if alerts and alerts[0]["status"] == status:
                return alerts[0]
            await asyncio.sleep(0.1)


async def test_the_story_comes_true_twice_in_the_same_database(
    empty_database: str, tmp_path: Path
) -> None:
    for _ in range(2):
        async with _demo(tmp_path, "--once", TOCSIN_DATABASE_URL=empty_database) as process:
            told, complained = (output.decode() for output in await process.communicate())
        assert process.returncode == 0, told + complained
        assert (told.count("✓"), told.count("✗")) == (STEPS, 0)
        assert "TruePositive" in told
        assert complained == ""


async def test_after_the_story_the_phone_is_ours_until_ctrl_c_which_exits_0(home: Path) -> None:
    async with _demo(home) as process:
        tocsin = await _line(process, "Tocsin           ")
        phone = await _line(process, "Simulated phone  ")
        token = (await _line(process, "Token            ")).split()[0]
        await _line(process, "Ctrl-C")
        async with httpx.AsyncClient(base_url=phone, trust_env=False) as client:
            await client.post("/api/incident", json={})
            card = await _card(client, "open")
            pressed = {"ring": card["ring"], "action": "close", "comment": "False alarm."}
            answer = await client.post("/api/answer", json=pressed)
            assert answer.json()["message"].startswith("Closed by mara")
            assert (await _card(client, "closed"))["buttons"] == []
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=tocsin, headers=headers, trust_env=False) as client:
            alerts = (await client.get("/api/v1/alerts")).json()["items"]
            assert [alert["status"] for alert in alerts] == ["closed", "closed"]
        process.send_signal(signal.SIGINT)
        _, complained = await process.communicate()
        assert (process.returncode, complained.decode()) == (0, "")


async def test_a_story_that_breaks_off_tells_what_it_saw(
    empty_database: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, database_url=empty_database)
    lines: list[str] = []
    async with stage(settings, port=0, tell=lines.append) as ready:
        ready.cloud.identity.forget_tokens()
        ready.cloud.identity.client_secret = "another"
        teller = Teller(ready.serving.world.clock, lines.append)
        within = timedelta(seconds=2)
        story = Story(ready.cloud, ready.phone, ready.view, teller, within)
        assert not await story.play()
    told = "\n".join(lines)
    assert "expected: an open alert of severity high" in told
    assert "no alert; the last poll failed: " in told
