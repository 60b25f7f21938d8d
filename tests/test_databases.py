"""The databases that tests are given."""

import asyncpg

from tests.databases import Databases


async def _tables(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        count = await connection.fetchval(query)
        await connection.execute("CREATE TABLE left_behind (id int)")
    finally:
        await connection.close()
    assert isinstance(count, int)
    return count


async def test_two_databases_of_one_template_do_not_see_each_other(databases: Databases) -> None:
    first, second = databases.migrated(), databases.migrated()
    assert await _tables(first) == await _tables(second)
    databases.drop(first)
    databases.drop(second)


async def test_an_empty_database_has_no_tables(empty_database: str) -> None:
    assert await _tables(empty_database) == 0


def test_a_database_with_open_connections_can_be_dropped(databases: Databases) -> None:
    dsn = databases.empty()
    databases.drop(dsn)
    databases.drop(dsn)
