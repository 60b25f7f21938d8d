"""Tables of work to be done: remote objects, writes, polls, jobs, budgets."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from tocsin.store.schema.columns import (
    hot_team_key,
    instant,
    metadata,
    row_uuid,
)

remote_object = Table(
    "remote_object",
    metadata,
    hot_team_key(),
    Column("connector_id", Integer, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("alert_id", UUID(as_uuid=True)),
    Column("seen", JSONB, nullable=False),
    instant("modified_at"),
    Column("details_due", Boolean, nullable=False, server_default=text("false")),
    instant("details_at", required=False),  # when to try them again; None: at once
    Column("details_tries", Integer, nullable=False, server_default="0"),
    Index("ix_remote_object_alert", "team_id", "alert_id"),
    Index(
        "ix_remote_object_details",
        "team_id",
        "connector_id",
        "modified_at",
        postgresql_where=text("details_due"),
    ),
)

remote_write = Table(
    "remote_write",
    metadata,
    hot_team_key(),
    row_uuid(),
    Column("connector_id", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("alert_id", UUID(as_uuid=True), nullable=False),
    Column("intent", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    instant("planned_at"),
    instant("next_try_at", required=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    instant("lease_until", required=False),
    Column("lease_number", BigInteger, nullable=False, server_default="0"),
    instant("settled_at", required=False),
    Column("detail", Text),
    Index(
        "ix_remote_write_next_try_at",
        "next_try_at",
        postgresql_where=text("next_try_at IS NOT NULL"),
    ),
    Index("ix_remote_write_object", "team_id", "connector_id", "key"),
    Index(
        "ix_remote_write_pending",
        "team_id",
        "connector_id",
        postgresql_where=text("state = 'pending'"),
    ),
)

poll = Table(
    "poll",  # how far a connector has been read, and the lease of whoever reads it
    metadata,
    hot_team_key(),
    Column("connector_id", Integer, primary_key=True),
    instant("run_at"),
    Column("wanted", Boolean, nullable=False, server_default=text("false")),  # asked for: at once
    instant("lease_until", required=False),
    Column("lease_number", BigInteger, nullable=False, server_default="0"),
    instant("watermark", required=False),
    instant("deep_at", required=False),
    instant("started_at", required=False),
    instant("succeeded_at", required=False),
    Column("error", Text),
    Column("failures", Integer, nullable=False, server_default="0"),
)

job = Table(
    "job",  # periodic work that no team owns
    metadata,
    Column("name", Text, primary_key=True),
    instant("run_at"),
    instant("lease_until", required=False),
    Column("lease_number", BigInteger, nullable=False, server_default="0"),
)

budget = Table(
    "budget",
    metadata,
    Column("name", Text, primary_key=True),
    Column("window_start", BigInteger, primary_key=True),
    Column("taken", Integer, nullable=False),
)

traffic = Table(
    "traffic",  # how much one contact method was sent lately, shared by all processes
    metadata,
    Column("method_id", Integer, primary_key=True, autoincrement=False),
    instant("last_at"),
    Column("recent", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("storm", JSONB),  # None: no storm
    instant("calm_at", required=False),  # when a storm is over if nothing more comes
    Index("ix_traffic_calm_at", "calm_at", postgresql_where=text("calm_at IS NOT NULL")),
)
