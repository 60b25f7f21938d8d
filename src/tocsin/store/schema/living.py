"""Tables of living with duty: offers of shifts, alerts of leavers, what people were told ahead."""

from sqlalchemy import Column, DateTime, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, UUID

from tocsin.store.schema.columns import hot_team_key, instant, metadata, row_number

shift_offer = Table(
    "shift_offer",  # a swap, or a request for cover; has no effect until it is accepted
    metadata,
    hot_team_key(),
    row_number(),
    Column("kind", Text, nullable=False),
    Column("schedule_id", Integer, nullable=False),
    Column("user_id", Integer, nullable=False),  # whose shift it is
    Column("during", TSTZRANGE, nullable=False),
    Column("taker_id", Integer),  # a swap's other side; of a cover request, who took it
    Column("back_schedule_id", Integer),  # what the other side gives for it
    Column("back_during", TSTZRANGE),
    Column("comment", Text),
    Column("state", Text, nullable=False, server_default="open"),
    Column("made_by", Text, nullable=False),
    instant("made_at"),
    instant("begins_at"),  # when the earlier of the shifts begins: the offer ends then
    Column("answered_by", Text),
    instant("answered_at", required=False),
    Index("ix_shift_offer_made", "team_id", text("made_at DESC")),
    Index("ix_shift_offer_open", "begins_at", postgresql_where=text("state = 'open'")),
)

told = Table(
    "told",  # what people were told of duty, written with the notices: each thing once
    metadata,
    hot_team_key(),
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("begins_at", DateTime(timezone=True), primary_key=True),
    instant("ends_at"),
    instant("told_at"),
    Index("ix_told_ends_at", "ends_at"),
)

left_alert = Table(
    "left_alert",  # alerts whose owner went off duty, until somebody else takes them
    metadata,
    hot_team_key(),
    Column("alert_id", UUID(as_uuid=True), primary_key=True),
    Column("owner_id", Integer, primary_key=True),
    Column("left_at", DateTime(timezone=True), primary_key=True),
    instant("tell_at", required=False),  # when the manager is told; None: that is over
    Index("ix_left_alert_left_at", "left_at"),
    Index("ix_left_alert_tell_at", "tell_at", postgresql_where=text("tell_at IS NOT NULL")),
)
