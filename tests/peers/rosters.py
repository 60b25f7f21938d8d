"""A team whose rotation is configured by the API, asked who is on duty and who is paged."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from tests.web.stage import Stage, stage
from tocsin.store import alerts

at = datetime.fromisoformat  # with Z an instant
BERLIN = ZoneInfo("Europe/Berlin")
DAYS = {
    "name": "days",
    "participants": ["mara", "jonas"],
    "start": "2027-01-04T09:00",  # a Monday, in winter
    "unit": "day",
}


@dataclass
class Roster:
    """The doors, and its team admin."""

    doors: Stage
    ada: httpx.AsyncClient

    async def rotate(self, **rotation: object) -> None:
        """Put one rotation in the place of what there was."""
        await self.patch("schedules/primary", {"rotations": [{**DAYS, **rotation}]})

    async def patch(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change what is configured."""
        return _json(await self.ada.patch(f"/api/v1/{path}", json=body))

    async def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Configure something new."""
        return _json(await self.ada.post(f"/api/v1/{path}", json=body))

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """What the API answers."""
        return _json(await self.ada.get(f"/api/v1/{path}", params=query))

    async def shifts(self, from_: str, to: str) -> list[tuple[str, datetime, datetime]]:
        """The final shifts as the API shows them; there must be no gap."""
        found = await self.get("schedules/primary/shifts", **{"from": from_, "to": to})
        assert found["gaps"] == []
        return [(one["user"], at(one["from"]), at(one["to"])) for one in found["shifts"]]

    async def paged(self, moment: str) -> list[str]:
        """Who is paged by an alarm at this instant."""
        await self.doors.clock.move_to(at(moment))
        alert = await self.doors.alert()
        async with self.doors.world.database.transaction() as connection:
            found = await alerts.notifications(connection, alert.team, alert.id)
        return [row["user_name"] for row in found]


@asynccontextmanager
async def roster(dsn: str, start: str) -> AsyncGenerator[Roster]:
    """The team `soc` in Berlin on the day `start`: its policy pages whoever is on duty."""
    async with stage(dsn) as doors, doors.client("ada") as ada:
        await doors.clock.move_to(at(start))
        made = Roster(doors, ada)
        steps = [{"notify": [{"duty": 1}], "wait": "5m"}]
        await made.patch("escalation-policies/default", {"steps": steps})
        await made.rotate()
        yield made


def wall(instant: datetime, zone: ZoneInfo = BERLIN) -> str:
    """The time of day that a clock on the wall shows then."""
    return f"{instant.astimezone(zone):%H:%M}"


def _json(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found
