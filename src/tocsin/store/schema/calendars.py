"""Tables of calendars that are imported, and of feeds that are handed out."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSTZRANGE

from tocsin.store.schema.columns import EMPTY, instant, metadata, row_number, team_key

calendar = Table(
    "calendar",  # a calendar of others, read again and again; or what files of shifts said
    metadata,
    team_key(),
    row_number(),
    Column("name", Text, nullable=False),
    Column("purpose", Text, nullable=False),  # shifts, time_off, holidays
    Column("origin", Text, nullable=False),  # api, configuration, file
    Column("schedule_id", BigInteger),  # whose shifts they are
    Column("sealed_address", LargeBinary),  # None: nothing to read, the entries came in a file
    Column("host", Text),
    Column("people", JSONB, nullable=False, server_default=EMPTY),  # what entries say → user
    Column("made_by", Text, nullable=False),
    instant("made_at"),
    Column("content", LargeBinary),  # the last good copy, compressed
    Column("etag", Text),
    Column("modified", Text),
    instant("run_at", required=False),  # when to read it again; None: never
    instant("lease_until", required=False),
    instant("claimed_at", required=False),  # when it was leased last: teams take turns
    Column("lease_number", BigInteger, nullable=False, server_default="0"),
    instant("succeeded_at", required=False),
    instant("worked_out_at", required=False),  # for which moment the entries were worked out
    Column("error", Text),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("notes", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    UniqueConstraint("team_id", "name"),
    ForeignKeyConstraint(
        ["team_id", "schedule_id"], ["schedule.team_id", "schedule.id"], ondelete="CASCADE"
    ),
    Index("ix_calendar_run_at", "run_at", postgresql_where=text("run_at IS NOT NULL")),
)

calendar_entry = Table(
    "calendar_entry",  # what a calendar says, whoever it may mean
    metadata,
    team_key(),
    row_number(),
    Column("calendar_id", BigInteger, nullable=False),
    Column("uid", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("people", ARRAY(Text), nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    Column("first_day", Date, nullable=False),  # the local days that it touches
    Column("last_day", Date, nullable=False),
    ForeignKeyConstraint(
        ["team_id", "calendar_id"], ["calendar.team_id", "calendar.id"], ondelete="CASCADE"
    ),
    Index("ix_calendar_entry_calendar", "team_id", "calendar_id"),
)

feed = Table(
    "feed",  # found by the hash of its address, before a team is known
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # user, schedule, team
    Column("owner_id", Integer, ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False),
    Column("team_id", Integer, ForeignKey("team.id", ondelete="CASCADE")),
    Column("schedule_id", BigInteger),
    instant("made_at"),
    ForeignKeyConstraint(
        ["team_id", "schedule_id"], ["schedule.team_id", "schedule.id"], ondelete="CASCADE"
    ),
    Index("ix_feed_owner", "owner_id"),
)
