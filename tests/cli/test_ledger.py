"""`tocsin ledger verify` as people type it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nights.night import night
from tests.nights.test_nights import START
from tocsin.store.db import run

TOCSIN = Path(sys.executable).with_name("tocsin")


def verified(home: Path, database: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOCSIN, "ledger", "verify", *options],
        env={
            "PATH": os.environ["PATH"],
            "TOCSIN_HOME": str(home),
            "TOCSIN_DATABASE_URL": database,
            "LANG": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_empty_ledger_is_clean(tmp_path: Path, database: str) -> None:
    done = verified(tmp_path / "home", database)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("0 alerts with 0 notifications since ")
    assert done.stdout.endswith(": no broken promises, 0 kept late\n")


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01"])
def test_a_since_that_is_no_time_is_refused(tmp_path: Path, database: str, since: str) -> None:
    done = verified(tmp_path / "home", database, "--since", since)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--since: " in done.stderr
    assert "12h" in done.stderr


async def test_a_broken_promise_is_named_and_exits_1(tmp_path: Path, database: str) -> None:
    async with night(database, START) as n:
        await n.raise_alert("Pump down", "p1")
        async with n.world.database.transaction() as connection:
            await run(connection, "DELETE FROM notification")
        done = verified(tmp_path / "home", database, "--since", "2026-11-24T02:00Z")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    said = "soc #1: page to mara, due Tue 2026-11-24 03:58:00 CET, is missing (step 1 of round 1)"
    assert said in lines
    assert "broken promise" in lines[-1]
