"""Teams take turns when calendars are read; what leavers left is forgotten by its time."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calendar", sa.Column("claimed_at", sa.DateTime(timezone=True)))
    op.create_index("ix_left_alert_left_at", "left_alert", ["left_at"])
