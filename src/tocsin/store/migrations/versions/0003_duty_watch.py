"""The watch over duty finds the alerts that it has not looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_alert_duty",
        "alert",
        ["team_id", "policy", sa.text("coalesce(duty_at, '-infinity'::timestamptz)")],
        postgresql_where=sa.text("status <> 'closed' AND step IS NOT NULL AND suppressed IS NULL"),
    )
