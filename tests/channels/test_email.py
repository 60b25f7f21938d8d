"""The mail channel against a real SMTP server."""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tocsin.channels.email import EmailChannel
from tocsin.core.kinds import Urgency
from tocsin.ports import Address, Channel, Failed, FailureKind, MessageKind, Outgoing, Sent
from tocsin.testing.channels import (
    check_declarations,
    check_failures,
    context,
    hostile_messages,
    message,
)

TO = Address(value="mara@example.org")
FROM = "Tocsin Wache <tocsin@example.org>"
SECRETS = {"SMTP_PASSWORD": "right-pass"}


class Post:
    """Keeps what is delivered; refuses or hangs as told, by stage."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.say: dict[str, str] = {}
        self.hang = ""
        self.port = 0

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self._answer("MAIL")

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.recipients.append(address)
        envelope.rcpt_tos.append(address)
        return await self._answer("RCPT")

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.raw.append(cast("bytes", envelope.content))
        mail = message_from_bytes(self.raw[-1], policy=default)
        self.mails.append(mail)
        return await self._answer("DATA")

    async def _answer(self, stage: str) -> str:
        if self.hang == stage:
            await asyncio.sleep(60)
        return self.say.get(stage, "250 2.0.0 queued as 4711")


def authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
) -> AuthResult:
    """One user, one password."""
    assert isinstance(data, LoginPassword)
    right = (data.login, data.password) == (b"tocsin", b"right-pass")
    return AuthResult(success=right, handled=False)


class Server(SMTP):
    """Tells which connections it has, so that they can be ended with the test."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        OPEN.append(transport)
        super().connection_made(transport)


OPEN: list[asyncio.BaseTransport] = []


@asynccontextmanager
async def relay(
    tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, *, auth: bool = False
) -> AsyncGenerator[Post]:
    post = Post()

    def make() -> SMTP:
        return Server(
            post,
            hostname="relay.example",
            tls_context=starttls,
            auth_required=auth,
            authenticator=authenticate if auth else None,
        )

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(make, "127.0.0.1", 0, ssl=tls)
    post.port = listening.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        listening.close()
        while OPEN:
            OPEN.pop().close()
        await asyncio.sleep(0)


def channel(post: Post, **settings: object) -> EmailChannel:
    usual = {"host": "127.0.0.1", "port": post.port, "security": "none", "from": FROM, "timeout": 5}
    return EmailChannel(context(usual | settings, secrets=SECRETS))


async def failure(post: Post, **settings: object) -> Failed:
    result = await channel(post, **settings).send(message(), TO)
    assert isinstance(result, Failed)
    return result


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return cast("str", body.get_content())


def test_the_declarations_hold() -> None:
    check_declarations(EmailChannel)
    assert EmailChannel.media == ("email",)
    assert not EmailChannel.capabilities.machine


async def test_it_bears_what_every_channel_must() -> None:
    def make(port: int) -> tuple[Channel, Address]:
        post = Post()
        post.port = port
        return channel(post, timeout=0.5), TO

    await check_failures(make)


async def test_a_page_arrives_as_text_and_html_with_the_page_link_only() -> None:
    page = replace(message(), body="Größe <b>&\nTeam: SOC", subject="HIGH #17 Größe")
    async with relay() as post:
        result = await channel(post).send(page, TO)
    assert result == Sent(detail="250 2.0.0 queued as 4711")
    mail = post.mails[0]
    assert (mail["To"], mail["From"], mail["Subject"]) == (TO.value, FROM, "HIGH #17 Größe")
    assert mail["Date"] == "Tue, 24 Nov 2026 03:00:00 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Importance"] == "high"
    link = page.links["page"]
    text, html = part(mail, "plain"), part(mail, "html")
    assert text.replace("\r", "").startswith("Größe <b>&\nTeam: SOC\n\n")
    assert link in text
    assert f'<a href="{link}">' in html
    assert "Größe &lt;b&gt;&amp;<br>" in html
    assert "reply-secret" not in text + html
    assert post.raw[0].isascii()


async def test_a_retry_carries_the_same_id_and_mails_of_one_alert_are_one_thread() -> None:
    first, other = message(), replace(message(), id="n-0002", urgency=Urgency.NORMAL)
    async with relay() as post:
        for page in (first, replace(first, attempt=2), other, message(MessageKind.NOTICE)):
            await channel(post).send(page, TO)
    ids = [mail["Message-ID"] for mail in post.mails]
    assert ids[:3] == ["<n-n-0001@example.org>"] * 2 + ["<n-n-0002@example.org>"]
    threads = [mail["References"] for mail in post.mails]
    assert threads == ["<alert-a-17@example.org>"] * 3 + [None]
    assert post.mails[2]["Importance"] is None


async def test_an_id_that_no_header_can_hold_becomes_its_hash() -> None:
    async with relay() as post:
        await channel(post).send(replace(message(), id="a@b> <\r\nc:d" * 20), TO)
    assert re.fullmatch(r"<n-[0-9a-f]{64}@example\.org>", post.mails[0]["Message-ID"])


@pytest.mark.parametrize("page", hostile_messages(), ids=range(len(hostile_messages())))
async def test_nothing_in_a_message_becomes_a_header_a_command_or_markup(page: Outgoing) -> None:
    async with relay() as post:
        assert isinstance(await channel(post).send(page, TO), Sent)
    assert post.recipients == [TO.value]
    assert post.mails[0]["Bcc"] is None
    assert post.mails[0]["Subject"]
    assert "<script>" not in part(post.mails[0], "html")
    assert max(map(len, post.raw[0].split(b"\r\n"))) <= 998


async def test_text_that_no_encoding_can_write_is_still_sent() -> None:
    odd = replace(message(), subject="a\ud800\0b", body="c\udfffd\0", text="")
    async with relay() as post:
        assert isinstance(await channel(post).send(odd, TO), Sent)
    assert post.mails[0]["Subject"] == "a?b"


@pytest.mark.parametrize(
    ("stage", "answer", "kind"),
    [
        ("RCPT", "451 4.7.1 greylisted, try again", FailureKind.TEMPORARY),
        ("RCPT", "550 5.1.1 no such user", FailureKind.PERMANENT),
        ("RCPT", "551 5.1.6 moved", FailureKind.PERMANENT),
        ("RCPT", "553 5.1.3 not an address", FailureKind.PERMANENT),
        ("RCPT", "554 5.7.1 relay access denied", FailureKind.CONFIGURATION),
        ("RCPT", "530 5.7.0 authentication required", FailureKind.CONFIGURATION),
        ("MAIL", "450 4.1.8 try again", FailureKind.TEMPORARY),
        ("MAIL", "550 5.1.8 not your address", FailureKind.CONFIGURATION),
        ("DATA", "452 4.2.2 mailbox full", FailureKind.TEMPORARY),
        ("DATA", "554 5.6.0 we do not like it", FailureKind.PERMANENT),
    ],
)
async def test_each_refusal_says_who_has_to_do_something(
    stage: str, answer: str, kind: FailureKind
) -> None:
    async with relay() as post:
        post.say[stage] = answer
        result = await failure(post)
    assert (result.kind, result.maybe_applied) == (kind, False)
    assert answer in result.reason


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
async def test_a_relay_that_hangs_is_left_in_time_and_only_the_text_may_be_applied(
    stage: str,
) -> None:
    async with relay() as post:
        post.hang = stage
        result = await failure(post, timeout=0.3)
    assert result.kind is FailureKind.TEMPORARY
    assert "no answer within 0.3 s" in result.reason
    assert result.maybe_applied is (stage == "DATA")


@dataclass(frozen=True)
class Trust:
    """A certificate for `localhost`, and the file with the authority that signed it."""

    served: ssl.SSLContext
    ca_file: str

    @property
    def settings(self) -> dict[str, object]:
        return {"host": "localhost", "ca_file": self.ca_file, "security": "starttls"}


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(served)  # pyright: ignore[reportUnknownMemberType] - half typed
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    return Trust(served, str(ca_file))


async def test_a_wrong_password_waits_for_an_administrator(trust: Trust) -> None:
    password = {"secret_env": "SMTP_PASSWORD"}
    known = trust.settings | {"username": "tocsin", "password": password}
    async with relay(starttls=trust.served, auth=True) as post:
        assert isinstance(await channel(post, **known).send(message(), TO), Sent)
        wrong = await failure(post, **known | {"username": "nobody"})
        unnamed = await failure(post, **trust.settings)
        absent = await failure(post, **known | {"password": {"secret_env": "NO_PASSWORD"}})
    assert {wrong.kind, unnamed.kind, absent.kind} == {FailureKind.CONFIGURATION}
    assert "535" in wrong.reason
    assert "right-pass" not in wrong.reason
    assert "NO_PASSWORD" in absent.reason
    assert len(post.mails) == 1


async def test_tls_is_required_where_it_is_set_and_verified(trust: Trust) -> None:
    async with relay(starttls=trust.served) as late, relay(tls=trust.served) as early:
        for post, security in ((late, "starttls"), (early, "tls")):
            known = trust.settings | {"security": security}
            result = await channel(post, **known).send(message(), TO)
            assert isinstance(result, Sent), result
            for strange in (known | {"ca_file": None}, known | {"host": "127.0.0.1"}):
                distrusted = await failure(post, **strange)
                assert distrusted.kind is FailureKind.CONFIGURATION, distrusted
                assert "certificate" in distrusted.reason
    assert (len(late.mails), len(early.mails)) == (1, 1)
    async with relay() as plain:
        without = await failure(plain, **trust.settings)
    assert without.kind is FailureKind.CONFIGURATION
    assert plain.mails == []


async def test_a_storm_of_mails_uses_few_sessions_and_all_arrive() -> None:
    async with relay() as post:
        many = channel(post)
        pages = [replace(message(), id=f"n-{number}") for number in range(40)]
        results = await asyncio.gather(*(many.send(page, TO) for page in pages))
    assert {type(result) for result in results} == {Sent}
    assert len({mail["Message-ID"] for mail in post.mails}) == 40


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"from": "a@b.example"}, "host"),
        ({"host": "h"}, "from"),
        ({"host": "h", "from": "nobody"}, "from"),
        ({"host": "h", "from": "a@b", "port": 0}, "port"),
        ({"host": "h", "from": "a@b", "port": True}, "port"),
        ({"host": "h", "from": "a@b", "security": "ssl"}, "security"),
        ({"host": "h", "from": "a@b", "security": ["tls"]}, "security"),
        ({"host": "h", "from": "a@b", "timeout": 0}, "timeout"),
        ({"host": "h", "from": "a@b", "username": "u"}, "password"),
        ({"host": "h", "from": "a@b", "username": "u", "password": "p"}, "secret_env"),
        ({"host": "h", "from": "a@b", "security": "none", "username": "u", "password": {}}, "TLS"),
        ({"host": "h", "from": "a@b", "hots": "h"}, "hots"),
    ],
)
def test_each_fault_in_the_settings_is_named(settings: dict[str, Any], word: str) -> None:
    assert word in (EmailChannel.check_settings(settings) or "")


def test_the_settings_of_the_example_are_taken() -> None:
    example = {"host": "127.0.0.1", "port": 2525, "security": "none", "from": "tocsin@example.org"}
    assert EmailChannel.check_settings(example) is None


@pytest.mark.parametrize(
    "address", ["mara@example.org", "o'neil+oncall@mail.example", "a@localhost"]
)
def test_addresses_that_people_enter_are_taken(address: str) -> None:
    assert EmailChannel.check_address(address) is None


@pytest.mark.parametrize(
    "address", ["mara", "@example.org", "mara@", "a b@c", "a@b@c", "<a@b>", "a@.b", "müller@b.de"]
)
def test_addresses_that_lead_nowhere_are_refused(address: str) -> None:
    assert EmailChannel.check_address(address)
