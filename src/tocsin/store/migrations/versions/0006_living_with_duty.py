"""Living with duty: swaps and requests for cover, alerts of leavers, what people were told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "shift_offer",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("taker_id", sa.Integer()),
        sa.Column("back_schedule_id", sa.Integer()),
        sa.Column("back_during", postgresql.TSTZRANGE()),
        sa.Column("comment", sa.Text()),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("begins_at", _INSTANT, nullable=False),
        sa.Column("answered_by", sa.Text()),
        sa.Column("answered_at", _INSTANT),
        sa.PrimaryKeyConstraint("team_id", "id", name="pk_shift_offer"),
    )
    op.create_index(
        "ix_shift_offer_made", "shift_offer", ["team_id", sa.text("made_at DESC")]
    )
    op.create_index(
        "ix_shift_offer_open",
        "shift_offer",
        ["begins_at"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "told",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("begins_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("told_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("team_id", "kind", "subject", "begins_at", name="pk_told"),
    )
    op.create_index("ix_told_ends_at", "told", ["ends_at"])
    op.create_table(
        "left_alert",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("left_at", _INSTANT, nullable=False),
        sa.Column("tell_at", _INSTANT),
        sa.PrimaryKeyConstraint("team_id", "alert_id", "owner_id", "left_at", name="pk_left_alert"),
    )
    op.create_index(
        "ix_left_alert_tell_at",
        "left_alert",
        ["tell_at"],
        postgresql_where=sa.text("tell_at IS NOT NULL"),
    )
