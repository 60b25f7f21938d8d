"""The life of the private PostgreSQL with one process that uses it."""

import asyncio
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from asyncpg.exceptions import InvalidPasswordError
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.store.embedded_homes import (
    Homes,
    ask,
    eventually,
    open_homes,
    open_stopped,
    postmaster,
    socket_of,
    system_python,
    uid_of,
    workers,
)
from tocsin.store.embedded import EmbeddedPostgres
from tocsin.store.embedded.serverlog import ServerLog

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the helpers read /proc")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
NOBODY = 65534


@pytest.fixture(scope="module")
def stopped() -> Iterator[Path]:
    yield from open_stopped()


@pytest.fixture
def homes() -> Iterator[Homes]:
    yield from open_homes()


def test_rows_are_kept_from_the_first_start_to_a_later_one(homes: Homes) -> None:
    home = homes.make()
    first = homes.use(home)
    ask(first.ready(), "CREATE TABLE kept AS SELECT 7 AS n")
    first.leave()
    assert ask(homes.use(home).ready(), "SELECT n FROM kept") == 7


def test_the_server_listens_on_its_own_socket_only_and_asks_for_the_password(homes: Homes) -> None:
    home = homes.make()
    dsn = homes.use(home).ready()
    assert ask(dsn, "SHOW listen_addresses") == ""
    assert ask(dsn, "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate "
                    "FROM pg_database WHERE datname = 'tocsin'") == "UTF8 C.UTF-8"  # fmt: skip
    assert (home / "postgres" / "password").stat().st_mode & 0o777 == 0o600
    assert next(home.glob("pg*")).stat().st_mode & 0o777 == 0o700
    assert socket_of(dsn).stat().st_mode & 0o777 == 0o700
    wrong = dsn.replace("postgresql://tocsin:", "postgresql://tocsin:not-")
    with pytest.raises(InvalidPasswordError):
        asyncio.run(_connect(wrong))


async def test_the_address_serves_sqlalchemy_too(homes: Homes, stopped: Path) -> None:
    async with EmbeddedPostgres(homes.copy(stopped)) as postgres:
        engine = create_async_engine(make_url(postgres.dsn).set(drivername="postgresql+asyncpg"))
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT current_database()"))).scalar() == (
                "tocsin"
            )
        await engine.dispose()


@as_root
def test_as_root_the_server_runs_as_an_existing_account_and_adds_none(homes: Homes) -> None:
    accounts = Path("/etc/passwd").read_text()
    home = homes.make()
    homes.use(home).ready()
    assert pwd.getpwuid(uid_of(postmaster(home))).pw_name == "nobody"
    assert Path("/etc/passwd").read_text() == accounts


def test_a_normal_user_starts_it_under_the_own_account(homes: Homes) -> None:
    home = homes.make()
    if os.geteuid() == 0:
        probe = [system_python(), "-c", "import asyncpg, tocsin.store.embedded"]
        path = os.pathsep.join(each for each in sys.path if each)
        can = subprocess.run(
            probe, check=False, capture_output=True, cwd="/", env={"PYTHONPATH": path},
            user=NOBODY, group=NOBODY, extra_groups=[],
        )  # fmt: skip
        if can.returncode != 0:
            pytest.skip(f"uid {NOBODY} cannot run this code with {system_python()}")
        home.mkdir()
        os.chown(home, NOBODY, NOBODY)
        ask(homes.use_as(NOBODY, home).ready(), "SELECT 1")
        assert uid_of(postmaster(home)) == NOBODY
        assert (home / "postgres" / "password").stat().st_uid == NOBODY
    else:
        ask(homes.use(home).ready(), "SELECT 1")
        assert uid_of(postmaster(home)) == os.geteuid()


@as_root
def test_root_and_the_owner_of_the_home_share_one_server(homes: Homes) -> None:
    home = homes.make()
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    homes.use(home).ready()
    assert uid_of(postmaster(home)) == NOBODY
    for made in (home / "postgres").iterdir():
        assert made.stat().st_uid == NOBODY, made


def test_committed_rows_survive_kill_9_of_the_postmaster(homes: Homes, stopped: Path) -> None:
    home = homes.copy(stopped)
    dsn = homes.use(home).ready()
    ask(dsn, "CREATE TABLE promise (n int)")
    committed: list[int] = []
    writer = threading.Thread(target=lambda: asyncio.run(_write(dsn, committed)))
    writer.start()
    eventually(lambda: len(committed) >= 200)
    os.kill(postmaster(home), signal.SIGKILL)
    writer.join()
    # One commit may have reached the disk whose answer did not reach us.
    assert ask(dsn, "SELECT count(*) FROM promise") in {len(committed), len(committed) + 1}


def test_a_backend_that_goes_on_computing_does_not_hold_up_the_next_server(
    homes: Homes, stopped: Path
) -> None:
    home = homes.copy(stopped)
    dsn = homes.use(home).ready()
    busy = threading.Thread(target=lambda: asyncio.run(_compute(dsn)))
    busy.start()
    eventually(lambda: ask(dsn, "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^DO'") == 1)
    os.kill(postmaster(home), signal.SIGKILL)
    assert ask(dsn, "SELECT 1") == 1
    busy.join()


def test_the_number_of_a_dead_postmaster_may_belong_to_another_process(
    homes: Homes, stopped: Path
) -> None:
    home = homes.copy(stopped)
    user = homes.use(home)
    user.ready()
    user.kill()
    os.kill(postmaster(home), signal.SIGKILL)
    eventually(lambda: not workers(home))
    record = next(home.glob("pg*")) / "postmaster.pid"
    _, *rest = record.read_text().splitlines()
    stranger = subprocess.Popen(["sleep", "60"], user=NOBODY if os.geteuid() == 0 else None)
    try:
        record.write_text("\n".join([str(stranger.pid), *rest]))
        assert ask(homes.use(home).ready(), "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_left_by_a_killed_process_is_found_and_stopped_by_the_next(
    homes: Homes, stopped: Path
) -> None:
    home = homes.copy(stopped)
    killed = homes.use(home)
    killed.ready()
    left = postmaster(home)
    killed.kill()
    following = homes.use(home)
    following.ready()
    assert postmaster(home) == left
    following.leave()
    assert workers(home) == []


def test_the_last_clean_stop_ends_postgresql_and_tells_no_error(
    homes: Homes, stopped: Path
) -> None:
    home = homes.copy(stopped)
    user = homes.use(home)
    user.ready()
    user.leave()
    assert workers(home) == []
    assert not list(home.glob("pg*/postmaster.pid"))
    assert "database system is shut down" in (home / "postgres" / "postgres.log").read_text()


def test_the_log_of_the_server_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "postgres.log"
    log = ServerLog(path)
    with os.fdopen(log.open(), "ab", buffering=0) as server:
        server.write(b"x" * (17 << 20))
        log.limit()
        server.write(b"FATAL: the newest line\n")
        assert log.tail() == "FATAL: the newest line\n"
    assert path.with_name("postgres.log.1").stat().st_size == 17 << 20


def test_kill_9_in_the_middle_of_the_first_start_leaves_nothing_in_the_way(homes: Homes) -> None:
    home = homes.make()
    first = homes.use(home)
    eventually(lambda: any(home.glob(".unfinished-*/data/global")))
    first.kill()
    assert not list(home.glob("pg*"))
    ask(homes.use(home).ready(), "SELECT 1")
    assert not list(home.glob(".unfinished-*"))


def test_a_home_with_a_long_path_has_its_socket_elsewhere(homes: Homes) -> None:
    home = homes.make("a" * 120)
    users = homes.use(home), homes.use(home)
    addresses = {user.ready() for user in users}
    assert len(addresses) == 1
    folder = socket_of(addresses.pop())
    assert len(str(folder)) < 100
    assert not folder.is_relative_to(home)
    assert folder.stat().st_mode & 0o777 == 0o700
    for user in users:
        user.leave()
    assert socket_of(homes.use(home).ready()) == folder


async def _connect(dsn: str) -> None:
    await (await asyncpg.connect(dsn)).close()


async def _write(dsn: str, committed: list[int]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for number in range(1_000_000):
            await connection.execute("INSERT INTO promise VALUES ($1)", number)
            committed.append(number)
    except Exception:  # noqa: BLE001 - a server that dies is told in many ways, some not documented
        connection.terminate()


async def _compute(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("DO $$ BEGIN LOOP NULL; END LOOP; END $$")
    except Exception:  # noqa: BLE001 - a server that dies is told in many ways, some not documented
        connection.terminate()
