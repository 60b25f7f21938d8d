"""Paging: duty in mid-step, maintenance windows, storms, receipts, heartbeats."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alert", sa.Column("policy_name", sa.Text()))
    op.add_column("alert", sa.Column("close_after", sa.Integer()))
    op.add_column("alert", sa.Column("suppressed_until", sa.DateTime(timezone=True)))
    op.add_column("alert", sa.Column("duty_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_alert_close_after",
        "alert",
        ["updated_at"],
        postgresql_where=sa.text("status <> 'closed' AND close_after IS NOT NULL"),
    )
    op.create_index(
        "ix_alert_key",
        "alert",
        ["team_id", "external_id", "created_at"],
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.alter_column("notification", "user_id", nullable=True)
    op.alter_column("notification", "method_id", nullable=True)
    op.add_column("notification", sa.Column("webhook", sa.Text()))
    op.add_column("notification", sa.Column("carrier_id", postgresql.UUID(as_uuid=True)))
    op.add_column("notification", sa.Column("receipt_due_at", sa.DateTime(timezone=True)))
    op.add_column("notification", sa.Column("answer", postgresql.JSONB()))
    op.create_index(
        "ix_notification_receipt_due_at",
        "notification",
        ["receipt_due_at"],
        postgresql_where=sa.text("receipt_due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_notification_carrier",
        "notification",
        ["team_id", "carrier_id"],
        postgresql_where=sa.text("carrier_id IS NOT NULL"),
    )
    _tables()
    op.execute(_WINDOWS)
    op.execute("DELETE FROM stored WHERE path LIKE 'maintenance_windows/%'")
    for statement in _APPEND_ONLY:
        op.execute(statement)


def _tables() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "turn",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "policy", "step", name="pk_turn"),
    )
    op.create_table(
        "duty_seen",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("team_id", name="pk_duty_seen"),
    )
    op.create_table(
        "heartbeat",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("integration_id", sa.Integer(), nullable=False),
        sa.Column("heard_at", instant),
        sa.Column("due_at", instant),
        sa.Column("missed", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.PrimaryKeyConstraint("team_id", "integration_id", name="pk_heartbeat"),
    )
    op.create_index(
        "ix_heartbeat_due_at",
        "heartbeat",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "maintenance_window",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Integer()),
        sa.Column(
            "body", postgresql.JSONB(), nullable=False, server_default=sa.text("'{}'::jsonb")
        ),
        sa.Column("file_body", postgresql.JSONB()),
        sa.Column("changed_by", sa.Text()),
        sa.Column("changed_at", instant),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["team.id"],
            name="fk_maintenance_window_team_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_window"),
        sa.UniqueConstraint("name", name="uq_maintenance_window_name"),
    )
    op.create_table(
        "traffic",
        sa.Column("method_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("last_at", instant, nullable=False),
        sa.Column(
            "recent", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb")
        ),
        sa.Column("storm", postgresql.JSONB()),
        sa.Column("calm_at", instant),
        sa.PrimaryKeyConstraint("method_id", name="pk_traffic"),
    )
    op.create_index(
        "ix_traffic_calm_at",
        "traffic",
        ["calm_at"],
        postgresql_where=sa.text("calm_at IS NOT NULL"),
    )


# Windows that an earlier version only stored work from now on.
_WINDOWS = """
INSERT INTO maintenance_window (name, team_id, body, file_body)
SELECT substr(s.path, length('maintenance_windows/') + 1), t.id, s.body, s.body
FROM stored s LEFT JOIN team t ON t.name = s.body->>'team'
WHERE s.path LIKE 'maintenance_windows/%'
"""

# What became of a page is never rewritten: not by us, and not by mistake.
_APPEND_ONLY = (
    """
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only';
END $$
""",
    """
CREATE TRIGGER ledger_append_only BEFORE UPDATE ON ledger
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
""",
)
