"""The installation's key, held against the database that it belongs to."""

from datetime import datetime
from pathlib import Path

from tocsin.keys import KeyFileError, Keys, load, load_or_create
from tocsin.store import installation
from tocsin.store.db import Database


async def fitting_keys(database: Database, path: Path, now: datetime) -> Keys:
    """The keys in the file at `path`; it is made only where the database has had no key yet.

    Raises `KeyFileError` for a file that is missing, cannot be used, or is not this database's.
    """
    async with database.transaction() as connection:
        await installation.lock(connection)
        known = await installation.fingerprint(connection)
        if known is None:
            keys = load_or_create(path)
            await installation.keep(connection, keys.fingerprint, now)
            return keys
    keys = load(path)
    if keys.fingerprint != known:
        raise KeyFileError(
            f"key file {path} does not belong to this database: senders' addresses, tokens and "
            "stored secrets in it were made with another key. Restore the key file that was used "
            "with this database, or name it with TOCSIN_SECRET_KEY_FILE; or use this key's "
            "database (TOCSIN_HOME, TOCSIN_DATABASE_URL)"
        )
    return keys
