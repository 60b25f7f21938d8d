"""Whose database the demo takes, and what it leaves alone."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from tocsin.clock import SystemClock
from tocsin.demo.data import DemoError, alone, claim
from tocsin.demo.play import chosen_port

NOW = SystemClock().now()
TABLES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


async def _tables(dsn: str, *before: str) -> Sequence[str]:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in before:
            await connection.execute(statement)
        return [str(row["relname"]) for row in await connection.fetch(TABLES)]
    finally:
        await connection.close()


async def test_an_empty_database_becomes_the_demos(empty_database: str) -> None:
    await claim(empty_database, NOW)
    assert await _tables(empty_database) == ["tocsin_demo"]


async def test_a_database_that_the_demo_made_is_taken_again(empty_database: str) -> None:
    await claim(empty_database, NOW)
    await _tables(empty_database, "CREATE TABLE alert (id int)")
    await claim(empty_database, NOW)


async def test_a_database_with_a_foreign_table_is_refused_and_unchanged(
    empty_database: str,
) -> None:
    await _tables(empty_database, "CREATE TABLE payroll (id int)")
    with pytest.raises(DemoError, match=r"payroll.*nothing was changed"):
        await claim(empty_database, NOW)
    assert await _tables(empty_database) == ["payroll"]


async def test_a_foreign_table_in_another_schema_counts(empty_database: str) -> None:
    await _tables(empty_database, "CREATE SCHEMA hr", "CREATE TABLE hr.payroll (id int)")
    with pytest.raises(DemoError, match="payroll"):
        await claim(empty_database, NOW)


async def test_the_database_of_a_real_installation_is_refused_by_the_command(
    database: str, tmp_path: Path
) -> None:
    before = await _tables(database)
    asked = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", "from tocsin.cli import main; main()", "demo", "--once"],
        env={**os.environ, "TOCSIN_HOME": str(tmp_path), "TOCSIN_DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert asked.returncode == 1
    assert asked.stderr.startswith("tocsin: this database is neither empty nor made by")
    assert await _tables(database) == before


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    refused = pytest.raises(DemoError, match="another `tocsin demo`")
    with alone(tmp_path), refused, alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_a_port_that_was_asked_for_and_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DemoError, match=f"port {port} is taken"):
            chosen_port(port, print)


def test_the_usual_port_gives_way_to_a_free_one_and_says_so() -> None:
    said: list[str] = []
    try:
        taken = socket.create_server(("127.0.0.1", 8080))
    except OSError:  # taken by somebody else, which serves the test as well
        taken = socket.socket()
    with taken:
        assert chosen_port(None, said.append) == 0
    assert said == ["Port 8080 is taken; a free one is used instead."]
