"""An installation is opened: its key and its database belong together, and are its own."""

from pathlib import Path

import asyncpg
import pytest

from tocsin.app import DatabaseUnreachableError, opened
from tocsin.clock import SystemClock
from tocsin.demo.data import claim
from tocsin.keys import KeyFileError
from tocsin.settings import Settings


def _silent(_: str) -> None:
    """Nobody reads it."""


async def _open(settings: Settings) -> bytes:
    """The fingerprint of the key that is used."""
    async with opened(settings, log=_silent) as world:
        return world.keys.fingerprint


async def _sql(dsn: str, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


async def test_a_fresh_installation_makes_its_key_file_and_keeps_to_it(
    database: str, tmp_path: Path
) -> None:
    file = tmp_path / "elsewhere.key"
    settings = Settings(home=tmp_path, database_url=database, secret_key_file=file)
    first = await _open(settings)
    assert file.exists()
    assert await _open(settings) == first
    assert not (tmp_path / "secret.key").exists()


@pytest.mark.parametrize("named", [True, False])
async def test_a_missing_key_file_is_never_made_anew(
    database: str, tmp_path: Path, named: bool
) -> None:
    file = tmp_path / "named.key" if named else None
    settings = Settings(home=tmp_path, database_url=database, secret_key_file=file)
    key = await _open(settings)
    kept = settings.key_file.rename(tmp_path / "kept")
    with pytest.raises(KeyFileError, match=r"does not exist.*restore the file from the backup"):
        await _open(settings)
    assert not settings.key_file.exists()
    kept.rename(settings.key_file)
    assert await _open(settings) == key


async def test_another_key_is_refused_with_the_remedy(database: str, tmp_path: Path) -> None:
    await _open(Settings(home=tmp_path / "one", database_url=database))
    other = Settings(home=tmp_path / "two", database_url=database)
    with pytest.raises(KeyFileError, match=r"two/secret\.key does not exist"):
        await _open(other)
    other.key_file.write_bytes(b"tocsin-key-1:" + b"A" * 43 + b"=")
    other.key_file.chmod(0o600)
    with pytest.raises(KeyFileError, match=r"does not belong to this database.*Restore the key"):
        await _open(other)


async def test_a_database_of_the_demo_goes_along_with_another_home(
    empty_database: str, tmp_path: Path
) -> None:
    for home in (tmp_path / "one", tmp_path / "two"):
        settings = Settings(home=home, database_url=empty_database)
        await claim(empty_database, SystemClock().now())
        await _open(settings)
        assert settings.key_file.exists()


async def test_a_database_of_somebody_else_is_refused_untouched(
    empty_database: str, tmp_path: Path
) -> None:
    await _sql(empty_database, "CREATE TABLE invoice (id int)")
    await _sql(empty_database, "CREATE TABLE alembic_version (version_num text)")
    settings = Settings(home=tmp_path / "home", database_url=empty_database)
    with pytest.raises(DatabaseUnreachableError, match=r"neither empty nor Tocsin's \(it has"):
        await _open(settings)
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    assert [row[0] for row in await _sql(empty_database, tables)] == ["alembic_version", "invoice"]
    assert not settings.home.exists()


async def test_a_database_of_a_newer_version_is_refused(database: str, tmp_path: Path) -> None:
    await _sql(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnreachableError, match=r"newer version of Tocsin .*9999"):
        await _open(Settings(home=tmp_path, database_url=database))


async def test_a_table_beside_ours_is_no_reason_to_refuse(database: str, tmp_path: Path) -> None:
    await _sql(database, "CREATE TABLE report (id int)")
    assert await _open(Settings(home=tmp_path, database_url=database))


async def test_an_address_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    for wrong in ("postgresql://127.0.0.1:port/x", "postgresql://127.0.0.1/x?sslmode=maybe"):
        with pytest.raises(DatabaseUnreachableError, match="check TOCSIN_DATABASE_URL") as refused:
            await _open(Settings(home=tmp_path, database_url=wrong))
        assert "\n" not in str(refused.value)
