"""A simulated phone on a loopback port, and pages as Tocsin posts them, for the tests beside it."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

from tocsin.clock import SystemClock
from tocsin.demo.phone import Phone, PhoneServer
from tocsin.keys import new_signing_key

KEY = new_signing_key()


@dataclass
class Desk:
    """A served phone with a client."""

    phone: Phone
    server: PhoneServer
    client: httpx.AsyncClient

    async def post(
        self,
        page: dict[str, Any],
        *,
        user: str = "mara",
        key: str = KEY,
        at: datetime | None = None,
    ) -> httpx.Response:
        """The page, signed by the reference library with `key` at `at` (default: now)."""
        content = json.dumps(page)
        moment = at or SystemClock().now()
        headers = {
            "content-type": "application/json",
            "webhook-id": page["id"],
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(key).sign(page["id"], moment, content),
        }
        return await self.client.post(f"/{user}", content=content, headers=headers)


def a_page(
    number: int = 1, *, kind: str = "alert", reply: str | None = None, **others: object
) -> dict[str, Any]:
    """The page with this number about alert 7."""
    links = {"page": "http://127.0.0.1:1/p/x"} | ({} if reply is None else {"reply": reply})
    return {
        "id": f"page-{number}",
        "kind": kind,
        "user": "mara",
        "contact_method": "phone",
        "urgency": "urgent",
        "step": 1,
        "attempt": number,
        "text": "HIGH #7 Night (soc)",
        "alert": {
            "id": "alert-7",
            "number": 7,
            "team": "soc",
            "title": "Night",
            "severity": "high",
            "status": "open",
            "details": {},
        },
        "links": links,
        **others,
    }


@asynccontextmanager
async def open_phone() -> AsyncGenerator[Desk]:
    """A phone that nothing has rung yet."""
    incidents = 0

    def new_incident() -> str:
        nonlocal incidents
        incidents += 1
        return f"Incident {incidents} is in Sentinel."

    phone = Phone(SystemClock().now, KEY)
    async with (
        PhoneServer(phone, new_incident=new_incident) as server,
        httpx.AsyncClient(base_url=server.url, trust_env=False) as client,
    ):
        yield Desk(phone, server, client)


LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
