"""Two processes that share one private PostgreSQL."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.embedded_homes import (
    Homes,
    ask,
    eventually,
    open_homes,
    open_stopped,
    postmaster,
    supervises,
    workers,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the helpers read /proc")


@pytest.fixture(scope="module")
def stopped() -> Iterator[Path]:
    yield from open_stopped()


@pytest.fixture
def homes() -> Iterator[Homes]:
    yield from open_homes()


def test_a_second_process_finds_and_uses_the_running_server(homes: Homes, stopped: Path) -> None:
    home = homes.copy(stopped)
    first = homes.use(home)
    dsn = first.ready()
    running = postmaster(home)
    second = homes.use(home)
    assert second.ready() == dsn
    assert postmaster(home) == running
    assert supervises(first, home)
    assert not supervises(second, home)


def test_two_first_starts_at_once_make_one_data_folder(homes: Homes) -> None:
    home = homes.make()
    users = [homes.use(home) for _ in range(3)]
    assert len({user.ready() for user in users}) == 1
    made = [line for user in users for line in user.said if "first start" in line]
    assert len(made) == 1
    assert len(list(home.glob("pg*"))) == 1


def test_when_the_supervising_process_is_killed_another_takes_over(
    homes: Homes, stopped: Path
) -> None:
    home = homes.copy(stopped)
    first = homes.use(home)
    dsn = first.ready()
    second = homes.use(home)
    second.ready()
    running = postmaster(home)
    first.kill()
    eventually(lambda: supervises(second, home), within=2)
    assert ask(dsn, "SELECT 1") == 1
    assert postmaster(home) == running
    _kill_and_see_it_return(home_of=dsn, pid=running)


def test_when_supervisor_and_postmaster_die_together_another_starts_it(
    homes: Homes, stopped: Path
) -> None:
    home = homes.copy(stopped)
    first = homes.use(home)
    dsn = first.ready()
    homes.use(home).ready()
    ask(dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    os.kill(first.process.pid, signal.SIGKILL)
    _kill_and_see_it_return(home_of=dsn, pid=postmaster(home))
    assert ask(dsn, "SELECT n FROM kept") == 7


def test_a_clean_stop_of_the_supervising_process_leaves_the_other_working(
    homes: Homes, stopped: Path
) -> None:
    home = homes.copy(stopped)
    first = homes.use(home)
    dsn = first.ready()
    second = homes.use(home)
    second.ready()
    running = postmaster(home)
    first.leave()
    assert ask(dsn, "SELECT 1") == 1
    assert postmaster(home) == running
    eventually(lambda: supervises(second, home), within=2)
    _kill_and_see_it_return(home_of=dsn, pid=running)
    second.leave()
    assert workers(home) == []


def test_a_clean_stop_of_the_other_process_leaves_the_supervising_one_working(
    homes: Homes, stopped: Path
) -> None:
    home = homes.copy(stopped)
    first = homes.use(home)
    dsn = first.ready()
    second = homes.use(home)
    second.ready()
    running = postmaster(home)
    second.leave()
    assert ask(dsn, "SELECT 1") == 1
    assert postmaster(home) == running
    _kill_and_see_it_return(home_of=dsn, pid=running)
    first.leave()
    assert workers(home) == []


def test_processes_that_come_and_go_at_once_never_lose_the_server(
    homes: Homes, stopped: Path
) -> None:
    home = homes.copy(stopped)
    leaving = [homes.use(home), homes.use(home)]
    for user in leaving:
        user.ready()
    for user in leaving:
        assert user.process.stdin is not None
        user.process.stdin.write("leave\n")
        user.process.stdin.flush()
    coming = homes.use(home)
    assert ask(coming.ready(), "SELECT 1") == 1
    for user in (*leaving, coming):
        user.leave()
    assert workers(home) == []


def _kill_and_see_it_return(*, home_of: str, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    assert ask(home_of, "SELECT 1") == 1
    assert time.monotonic() - began < 20
