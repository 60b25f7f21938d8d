"""What every test may ask for: a database of its own, the data beside the repository, the loop.

With `TOCSIN_TEST_DATABASE_URL` the databases are made on that server, else on a private one that
lives as long as the run. No other `TOCSIN_…` variable of the caller reaches a test.
"""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import Databases, drop_run
from tests.postgres import Keeper, server_dsn, start_keeper, stop_keeper

settings.register_profile(
    "local", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # both cores are busy: slowness says nothing
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@dataclass(frozen=True)
class Run:
    """What the workers of one test run share; `server` is an address or the keeper's folder."""

    name: str
    server: str


_RUN: pytest.StashKey[Run] = pytest.StashKey()
_KEEPER: pytest.StashKey[Keeper] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Makes the run known to this process: in the one that starts the run, or in a worker."""
    handed = getattr(config, "workerinput", None)
    if handed is not None:
        config.stash[_RUN] = Run(**handed["tocsin_run"])
        return
    server = os.environ.get("TOCSIN_TEST_DATABASE_URL")
    for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
        del os.environ[name]
    if server is None:
        keeper = config.stash[_KEEPER] = start_keeper()
        server = str(keeper.folder)
    config.stash[_RUN] = Run(f"tocsin_test_{secrets.token_hex(4)}", server)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Hands the run to a worker of pytest-xdist."""
    config: pytest.Config = getattr(node, "config")  # noqa: B009 - pytest-xdist is not typed
    getattr(node, "workerinput")["tocsin_run"] = asdict(config.stash[_RUN])  # noqa: B009 - same


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the private server, or removes what the run made on another."""
    keeper = config.stash.get(_KEEPER, None)
    if keeper is not None:
        stop_keeper(keeper)
    elif _RUN in config.stash and not hasattr(config, "workerinput"):
        drop_run(config.stash[_RUN].server, config.stash[_RUN].name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips the tests marked `netns` where the machine does not allow namespaces."""
    marked = [item for item in items if item.get_closest_marker("netns")]
    reason = _why_no_netns() if marked else None
    if reason is not None:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture(scope="session")
def databases(pytestconfig: pytest.Config, worker_id: str) -> Databases:
    """Makes and removes databases, for tests that need more than one."""
    run = pytestconfig.stash[_RUN]
    dsn = server_dsn(Path(run.server)) if run.server.startswith("/") else run.server
    return Databases(dsn, run.name, worker_id)


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """The address of a fresh database with every table and no rows."""
    dsn = databases.migrated()
    yield dsn
    databases.drop(dsn)


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[str]:
    """The address of a fresh database with nothing in it."""
    dsn = databases.empty()
    yield dsn
    databases.drop(dsn)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the repository; the test is skipped without it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("the folder ../shared with the reference data is absent")
    return folder


def _why_no_netns() -> str | None:
    if sys.platform != "linux":
        return "network namespaces are a matter of Linux"
    if os.geteuid() != 0:
        return "making network namespaces needs root"
    unshare = shutil.which("unshare")
    if unshare is None:
        return "the program unshare is not installed"
    allowed = subprocess.run([unshare, "--net", "true"], check=False, capture_output=True)
    return None if allowed.returncode == 0 else "this machine refuses network namespaces"
