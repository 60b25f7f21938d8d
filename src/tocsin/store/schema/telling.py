"""Tables of what others are told: events for the sinks of connectors."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from tocsin.store.schema.columns import EMPTY, hot_team_key, instant, metadata

publication = Table(
    "publication",  # written with what happened; deleted when the sink has it
    metadata,
    hot_team_key(),
    Column("connector_id", Integer, primary_key=True),
    Column("id", UUID(as_uuid=True), primary_key=True),  # the event's: the same for every sink
    Column("alert_id", UUID(as_uuid=True), nullable=False),
    instant("at"),
    Column("kind", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("severity", Text, nullable=False),  # of the alert, as it was afterwards
    Column("status", Text, nullable=False),
    Column("data", JSONB, nullable=False, server_default=EMPTY),
    Column("notification_id", UUID(as_uuid=True)),  # the message of which it tells
    Column("channel", Text),
    Column("delivery", Text),
    Column("attempt", Integer),
    instant("next_try_at"),
    Column("tries", Integer, nullable=False, server_default="0"),
    instant("lease_until", required=False),
    Column("lease_number", BigInteger, nullable=False, server_default="0"),
    Column("detail", Text),
    Index("ix_publication_next_try_at", "next_try_at"),
    Index("ix_publication_connector", "team_id", "connector_id", "at"),
)
