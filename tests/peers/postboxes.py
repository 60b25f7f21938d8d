"""A mail relay that keeps what it takes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session


class Postbox:
    """The subjects of all mails, in the order in which they came."""

    def __init__(self) -> None:
        self.subjects: list[str] = []
        self.port = 0

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        mail = message_from_bytes(cast("bytes", envelope.content), policy=default)
        self.subjects.append(str(mail["Subject"]))
        return "250 2.0.0 taken"


@asynccontextmanager
async def postbox() -> AsyncGenerator[Postbox]:
    """The relay on a free loopback port, for as long as the block runs."""
    made = Postbox()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(made, hostname="relay.example"), "127.0.0.1", 0
    )
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        await asyncio.sleep(0)
