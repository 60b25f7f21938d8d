"""What is told to the sinks of connectors, such as a custom table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "publication",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("connector_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("alert_id", sa.UUID(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "data", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("notification_id", sa.UUID()),
        sa.Column("channel", sa.Text()),
        sa.Column("delivery", sa.Text()),
        sa.Column("attempt", sa.Integer()),
        sa.Column("next_try_at", _INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", _INSTANT),
        sa.Column("lease_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("team_id", "connector_id", "id", name="pk_publication"),
    )
    op.create_index("ix_publication_next_try_at", "publication", ["next_try_at"])
    op.create_index(
        "ix_publication_connector", "publication", ["team_id", "connector_id", "at"]
    )
