"""The only reader of time."""

import asyncio
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The clock of this machine, as `ports.Clock` wants it."""

    __slots__ = ()

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that the ban leaves

    async def sleep(self, duration: timedelta) -> None:
        """Return when `duration` has passed; at once, after other tasks had a turn, if <= 0."""
        await asyncio.sleep(max(0.0, duration.total_seconds()))
