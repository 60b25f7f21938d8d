"""Columns that several tables share."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

EMPTY = text("'{}'::jsonb")


def instant(name: str, *, required: bool = True) -> Column[Any]:
    """An instant, kept in UTC."""
    return Column(name, DateTime(timezone=True), nullable=not required)


def team_key() -> Column[Any]:
    """`team_id` as the first column of a primary key: the database can be sharded by it."""
    return Column("team_id", Integer, ForeignKey("team.id", ondelete="CASCADE"), primary_key=True)


def hot_team_key() -> Column[Any]:
    """As `team_key`, without the check that would lock the team's row at every insert."""
    return Column("team_id", Integer, primary_key=True)


def row_number() -> Column[Any]:
    """A number within the table, second in the primary key of a team-owned table."""
    return Column("id", BigInteger, Identity(always=False), primary_key=True)


def row_uuid() -> Column[Any]:
    """A time-ordered UUID made by us, second in the primary key of a team-owned table."""
    return Column("id", UUID(as_uuid=True), primary_key=True)


def body() -> Column[Any]:
    """The definition as the configuration file, the API and the export show it."""
    return Column("body", JSONB, nullable=False, server_default=EMPTY)


def provenance() -> tuple[Column[Any], ...]:
    """Who an object belongs to: `file_body` is what the last `apply` made of it, None for nobody's.

    `changed_by` and `changed_at` name the last edit by UI or API.
    """
    return (
        Column("file_body", JSONB),
        Column("changed_by", Text),
        instant("changed_at", required=False),
    )
