"""A database as an earlier version of Tocsin left it."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from tests.house import SOURCE

MIGRATIONS = SOURCE / "tocsin/store/migrations"


async def revision(dsn: str, name: str) -> None:
    """Bring the empty database `dsn` to the revision `name`."""

    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, name)

    engine = create_async_engine(dsn.replace("postgresql:", "postgresql+asyncpg:", 1))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(upgrade)
    finally:
        await engine.dispose()
