"""Rows that a newer version wrote: passed over by this process for a while, not touched."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import structlog

log = structlog.get_logger()

FOR = timedelta(minutes=1)
"""How long a row is passed over before it is looked at again."""


class Unread:
    """Alerts that could not be read lately, until when each is passed over."""

    def __init__(self) -> None:
        self._until: dict[UUID, datetime] = {}

    def passed_over(self, now: datetime) -> list[UUID]:
        """Those that are not to be claimed now."""
        self._until = {alert: until for alert, until in self._until.items() if until > now}
        return list(self._until)

    def note(self, found: Iterable[tuple[int, UUID]], now: datetime) -> None:
        """Pass these (team, id) over from now on; somebody else may be able to read them."""
        for _, alert in found:
            self._until[alert] = now + FOR
            log.error("an alert cannot be read by this version; passed over", alert=str(alert))
