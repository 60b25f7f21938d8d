"""Tables of what happens: alerts, pages, events, shifts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSTZRANGE, UUID

from tocsin.store.schema.columns import (
    EMPTY,
    hot_team_key,
    instant,
    metadata,
    row_number,
    row_uuid,
)

plan = Table(
    "plan",  # copies of policies, by digest: what running escalations follow
    metadata,
    hot_team_key(),
    Column("digest", Text, primary_key=True),
    Column("body", JSONB, nullable=False),
)

alert = Table(
    "alert",
    metadata,
    hot_team_key(),
    row_uuid(),
    Column("number", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("category", Text),
    Column("suppressed", Text),
    Column("source_kind", Text, nullable=False),
    Column("source_name", Text),
    Column("source_url", Text),
    Column("integration_id", Integer),
    Column("connector_id", Integer),
    Column("external_id", Text),
    Column("owner_id", Integer),
    Column("policy", Text, nullable=False),
    Column("policy_name", Text),  # what the copied policy was called; None: the team had none
    Column("close_after", Integer),  # seconds without news after which it closes by itself
    Column("episode", Integer, nullable=False),
    Column("round", Integer),
    Column("step", Integer),
    instant("next_step_at", required=False),
    instant("snoozed_until", required=False),
    instant("suppressed_until", required=False),
    instant("duty_at", required=False),  # for which moment its step was last looked at
    Column("seen_count", Integer, nullable=False, server_default="1"),
    instant("created_at"),
    instant("updated_at"),
    # Flags, answers, closure, paged methods and responders: read and written with the alert only.
    Column("state", JSONB, nullable=False, server_default=EMPTY),
    Column("details", JSONB, nullable=False, server_default=EMPTY),
    Column("links", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Index(
        "uq_alert_open_key",
        "team_id",
        "external_id",
        unique=True,
        postgresql_where=text("status <> 'closed' AND external_id IS NOT NULL"),
    ),
    Index(
        "ix_alert_next_step_at",
        "next_step_at",
        postgresql_where=text("next_step_at IS NOT NULL"),
    ),
    Index("ix_alert_created", "team_id", text("created_at DESC"), text("id DESC")),
    Index(
        "ix_alert_open",
        "team_id",
        text("created_at DESC"),
        postgresql_where=text("status <> 'closed'"),
    ),
    Index(
        "ix_alert_close_after",
        "updated_at",
        postgresql_where=text("status <> 'closed' AND close_after IS NOT NULL"),
    ),
    Index(
        "ix_alert_key",  # how often a key came and went lately
        "team_id",
        "external_id",
        "created_at",
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index(
        "ix_alert_duty",  # those whose people may change, by copied policy: the watch over duty
        "team_id",
        "policy",
        text("coalesce(duty_at, '-infinity'::timestamptz)"),
        postgresql_where=text("status <> 'closed' AND step IS NOT NULL AND suppressed IS NULL"),
    ),
    postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.02"},
)

timeline = Table(
    "timeline",
    metadata,
    hot_team_key(),
    row_number(),
    Column("alert_id", UUID(as_uuid=True), nullable=False),
    instant("at"),
    Column("kind", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("by_user", Integer),
    Column("via", Text, nullable=False),
    Column("data", JSONB, nullable=False, server_default=EMPTY),
    # The transaction that wrote the row: live updates follow (xid, id), and read only below the
    # oldest transaction that still runs.
    Column(
        "xid",
        BigInteger,
        nullable=False,
        server_default=text("(pg_current_xact_id()::text::bigint)"),
    ),
    Index("ix_timeline_alert", "team_id", "alert_id", "id"),
    Index("ix_timeline_live", "team_id", "xid", "id"),
)

notification = Table(
    "notification",
    metadata,
    hot_team_key(),
    row_uuid(),
    Column("alert_id", UUID(as_uuid=True)),  # None: a notice
    Column("user_id", Integer),  # None with `webhook`
    Column("method_id", Integer),
    Column("webhook", Text),  # the outgoing webhook that a step names, in place of a person
    Column("purpose", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("episode", Integer, nullable=False, server_default="0"),
    Column("round", Integer, nullable=False, server_default="0"),
    Column("step", Integer, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False, server_default="1"),  # 1, then 2 for the repeat …
    Column("repeat_every", BigInteger),  # microseconds
    Column("state", Text, nullable=False, server_default="planned"),
    instant("planned_at"),
    instant("due_at"),  # what was promised
    instant("next_try_at", required=False),  # the queue: None when nothing is left to do
    Column("tries", Integer, nullable=False, server_default="0"),
    instant("lease_until", required=False),
    Column("lease_number", BigInteger, nullable=False, server_default="0"),
    instant("sent_at", required=False),
    Column("provider_id", Text),
    Column("detail", Text),
    Column("possible_duplicate", Boolean, nullable=False, server_default=text("false")),
    Column("body", JSONB),  # the words of a notice
    Column("carrier_id", UUID(as_uuid=True)),  # bundled: the notification that carried it
    instant("receipt_due_at", required=False),  # when its channel should have reported delivery
    Column("answer", JSONB),  # who answered it, how and when
    Column("page_uses", Integer, nullable=False, server_default="0"),  # spent nonces of its page
    Index(
        "uq_notification_once",
        "team_id",
        "alert_id",
        "method_id",
        "purpose",
        "due_at",
        unique=True,
        postgresql_where=text("state <> 'cancelled'"),
    ),
    Index(
        "ix_notification_next_try_at",
        "next_try_at",
        postgresql_where=text("next_try_at IS NOT NULL"),
    ),
    Index("ix_notification_alert", "team_id", "alert_id"),
    Index(
        "ix_notification_planned",
        "team_id",
        "alert_id",
        postgresql_where=text("state = 'planned'"),
    ),
    Index(
        "ix_notification_first",
        "team_id",
        "alert_id",
        "method_id",
        postgresql_where=text("attempt = 1"),
    ),
    Index(
        "ix_notification_receipt_due_at",
        "receipt_due_at",
        postgresql_where=text("receipt_due_at IS NOT NULL"),
    ),
    Index(
        "ix_notification_carrier",
        "team_id",
        "carrier_id",
        postgresql_where=text("carrier_id IS NOT NULL"),
    ),
    postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.02"},
)

ledger = Table(
    "ledger",  # append-only: what became of each notification, line by line
    metadata,
    hot_team_key(),
    row_number(),
    Column("notification_id", UUID(as_uuid=True), nullable=False),
    instant("at"),
    Column("state", Text, nullable=False),
    Column("detail", Text),
    Column("possible_duplicate", Boolean, nullable=False, server_default=text("false")),
    Index("ix_ledger_notification", "team_id", "notification_id", "id"),
)

event = Table(
    "event",  # raw events by day of arrival; partitions are dropped as they age
    metadata,
    hot_team_key(),
    row_uuid(),
    Column("day", Text, primary_key=True),
    Column("integration_id", Integer),
    instant("received_at"),
    Column("content", LargeBinary, nullable=False),
    Column("media_type", Text),
    Column(
        "alert_ids", ARRAY(UUID(as_uuid=True)), nullable=False, server_default=text("'{}'::uuid[]")
    ),
    postgresql_partition_by="LIST (day)",
)

shift = Table(
    "shift",
    metadata,
    hot_team_key(),
    row_number(),
    Column("schedule_id", Integer, nullable=False),
    Column("tier", Text, nullable=False),
    Column("user_id", Integer, nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    Column("why", Text, nullable=False),
    Index("ix_shift_during", "team_id", "during", postgresql_using="gist"),
    Index("ix_shift_schedule", "team_id", "schedule_id"),
)

punch = Table(
    "punch",  # duty taken by hand
    metadata,
    hot_team_key(),
    row_number(),
    Column("user_id", Integer, nullable=False),
    Column("tier", Text, nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    Column("by_name", Text, nullable=False),
    Index("ix_punch_during", "team_id", "during", postgresql_using="gist"),
)

turn = Table(
    "turn",  # whose turn it is on a step that goes round robin
    metadata,
    hot_team_key(),
    Column("policy", Text, primary_key=True),  # the digest of the copied policy
    Column("step", Integer, primary_key=True),
    Column("taken", BigInteger, nullable=False),
)

duty_seen = Table(
    "duty_seen",  # what the watch over duty saw last; alerts looked at before `changed_at` are due
    metadata,
    hot_team_key(),
    Column("digest", Text, nullable=False),
    instant("changed_at"),
)

heartbeat = Table(
    "heartbeat",  # what an integration of the dialect heartbeat heard last
    metadata,
    hot_team_key(),
    Column("integration_id", Integer, primary_key=True),
    instant("heard_at", required=False),
    instant("due_at", required=False),  # None: not expected, as after its integration was paused
    Column("missed", Boolean, nullable=False, server_default=text("false")),
    Index("ix_heartbeat_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)
