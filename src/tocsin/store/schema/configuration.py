"""Tables of what people configure."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tocsin.store.schema.columns import (
    EMPTY,
    body,
    instant,
    metadata,
    provenance,
    row_number,
    team_key,
)

# Owned by no team: looked up before a team is known.

user = Table(
    "app_user",  # `user` is a reserved word in SQL
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False, server_default="user"),
    Column("email", Text),
    Column("entra", Text),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    body(),
    *provenance(),
)

contact_method = Table(
    "contact_method",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("disabled", Text),  # the reason why it is not used
    Column("sealed_key", LargeBinary),  # what the method signs with, sealed
    body(),
    *provenance(),
    UniqueConstraint("user_id", "name"),
)

notification_rule = Table(
    "notification_rule",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False),
    Column("urgency", Text, nullable=False),
    Column("position", Integer, nullable=False),
    body(),
    *provenance(),
    UniqueConstraint("user_id", "urgency", "position", deferrable=True),
)

team = Table(
    "team",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("time_zone", Text, nullable=False),
    Column("next_number", Integer, nullable=False, server_default="1"),
    # Grows with every change of the team's configuration, so that processes know a stale copy.
    Column("version", Integer, nullable=False, server_default="1"),
    body(),
    *provenance(),
)

membership = Table(
    "membership",
    metadata,
    Column("user_id", Integer, ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True),
    Column("team_id", Integer, ForeignKey("team.id", ondelete="CASCADE"), primary_key=True),
    Column("role", Text),  # None: the user's own
    Column("position", Integer, nullable=False, server_default="0"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("scope", Text, nullable=False),
    instant("created_at"),
    instant("expires_at", required=False),
    instant("used_at", required=False),
)

address = Table(
    "address",  # the directory of what senders may post to, by keyed hash
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("team_id", Integer, ForeignKey("team.id", ondelete="CASCADE"), nullable=False),
    Column("row_id", Integer, nullable=False),
)

setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True),
    body(),
    *provenance(),
)

installation = Table(
    "installation",  # one row: which key file this database belongs to
    metadata,
    Column("key_fingerprint", LargeBinary, primary_key=True),
    instant("since"),
)

# Owned by a team.

schedule = Table(
    "schedule",
    metadata,
    team_key(),
    row_number(),
    Column("name", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("kept", JSONB),  # what an edit keeps until the running shifts end
    body(),
    *provenance(),
    UniqueConstraint("team_id", "name"),
)

holiday = Table(
    "holiday",  # those that are not in the team's body: its country's, an imported calendar's
    metadata,
    team_key(),
    Column("day", Date, primary_key=True),
    Column("origin", Text, primary_key=True),
    Column("name", Text, nullable=False),
)

override = Table(
    "schedule_override",  # `override` would read as a verb in SQL
    metadata,
    team_key(),
    row_number(),
    Column("schedule_id", Integer, nullable=False),
    Column("position", Integer, nullable=False, server_default="0"),
    body(),
    *provenance(),
    Index("ix_schedule_override_schedule", "team_id", "schedule_id"),
)

escalation_policy = Table(
    "escalation_policy",
    metadata,
    team_key(),
    row_number(),
    Column("name", Text, nullable=False),
    body(),
    *provenance(),
    UniqueConstraint("team_id", "name"),
)

category = Table(
    "category",
    metadata,
    team_key(),
    row_number(),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False, server_default="0"),
    body(),
    *provenance(),
    UniqueConstraint("team_id", "name"),
)

integration = Table(
    "integration",
    metadata,
    team_key(),
    row_number(),
    Column("name", Text, nullable=False),
    Column("inlet", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    body(),
    *provenance(),
    UniqueConstraint("team_id", "name"),
)

connector = Table(
    "connector",
    metadata,
    team_key(),
    row_number(),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("sealed_secret", LargeBinary),
    body(),
    *provenance(),
    UniqueConstraint("team_id", "name"),
)

maintenance_window = Table(
    "maintenance_window",  # of one team, or of all
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("team_id", Integer, ForeignKey("team.id", ondelete="CASCADE")),
    body(),
    *provenance(),
)

# What this version stores, names in a warning, and does not act on yet.
stored = Table(
    "stored",
    metadata,
    Column("path", Text, primary_key=True),
    Column("body", JSONB, nullable=False, server_default=EMPTY),
)
