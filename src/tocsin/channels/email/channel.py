"""Talks to the mail relay."""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr
from functools import cache
from typing import Any, ClassVar, Final

import aiosmtplib
from aiosmtplib import SMTP

from tocsin.channels.email.letter import letter
from tocsin.ports import (
    Address,
    Capabilities,
    ChannelContext,
    Failed,
    FailureKind,
    Outgoing,
    SecretMissingError,
    Sent,
)

_PORTS: Final = {"none": 25, "starttls": 587, "tls": 465}
_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))
_DEFAULT_SECURITY: Final = "starttls"
_KEYS: Final = frozenset(
    ("host", "port", "security", "from", "username", "password", "timeout", "ca_file")
)
_WITHIN: Final = 20.0
"""Seconds for one mail, from waiting for a session to the relay's last word."""
_SESSIONS: Final = 8
"""Sessions with the relay at a time: relays answer more than a few dozen with 421."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """The settings block `settings.channels.email`, checked."""

    host: str
    port: int
    security: str
    sender: str
    username: str | None
    password: Mapping[str, Any] | None
    timeout: float
    ca_file: str | None


class EmailChannel:
    """Mail through the relay of `settings.channels.email`.

    The relay is an administrator's choice, so it is not guarded. 4xx and network failures are
    tried again; a refused recipient or text is final; refused log-in, sender, TLS or relaying
    (enhanced status 5.7.x, RFC 3463) waits for an administrator. A retry carries the same
    Message-ID. `maybe_applied` from the moment the text is handed over.
    """

    media: ClassVar[tuple[str, ...]] = ("email",)
    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, context: ChannelContext) -> None:
        self._settings = context.settings
        self._secret = context.secret
        self._clock = context.clock
        self._sessions = asyncio.Semaphore(_SESSIONS)

    @staticmethod
    def check_address(value: str) -> str | None:
        """One plain address, such as ada@example.org."""
        local, at, domain = value.rpartition("@")
        if not value.isascii():
            return "the address has letters beyond ASCII: enter the domain in its xn-- form"
        if any(char <= " " or char in '\x7f@<>()[],;:"\\' for char in local + domain):
            return "the address holds characters that a plain address does not have"
        whole = at and 0 < len(local) <= 64 and domain.strip(".") == domain != ""
        return None if whole and len(value) <= 254 else "the address is not like name@host"

    @staticmethod
    def check_settings(settings: Mapping[str, Any]) -> str | None:
        """`host` and `from` are needed; see `Relay`."""
        try:
            _relay(settings)
        except ValueError as error:
            return str(error)
        return None

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        """Hand the mail to the relay once."""
        try:
            relay = _relay(self._settings)
            password = self._secret(relay.password) if relay.password is not None else None
            session = _session(relay, password)
        except (ValueError, OSError, SecretMissingError) as error:
            return Failed(kind=FailureKind.CONFIGURATION, reason=f"channel email: {error}")
        wrong = self.check_address(address.value)
        if wrong is not None:
            return Failed(kind=FailureKind.PERMANENT, reason=wrong)
        text = letter(message, relay.sender, address.value, self._clock.now())
        return await self._hand_over(session, relay, address.value, text)

    async def close(self) -> None:
        """No session outlives its mail."""

    async def _hand_over(self, smtp: SMTP, relay: Relay, to: str, text: bytes) -> Sent | Failed:
        handed = False
        try:
            async with asyncio.timeout(relay.timeout), self._sessions:
                await smtp.connect()
                await smtp.mail(parseaddr(relay.sender)[1])
                await smtp.rcpt(to)
                handed = True
                answer = await smtp.data(text)
                with suppress(aiosmtplib.SMTPException, OSError):  # accepted is accepted
                    await smtp.quit(timeout=1)
                return Sent(detail=f"{answer.code} {_one_line(answer.message)}")
        except (aiosmtplib.SMTPException, OSError) as error:  # TimeoutError is an OSError
            return _failed(error, relay, handed=handed)
        finally:
            smtp.close()


def _relay(settings: Mapping[str, Any]) -> Relay:
    """Raises `ValueError` that says what is wrong."""
    fault = next(_faults(settings), None)
    if fault is not None:
        raise ValueError(fault)
    security = settings.get("security", _DEFAULT_SECURITY)
    username = settings.get("username")
    return Relay(
        host=settings["host"],
        port=settings.get("port", _PORTS[security]),
        security=security,
        sender=settings["from"],
        username=None if username is None else str(username),
        password=settings.get("password"),
        timeout=float(settings.get("timeout", _WITHIN)),
        ca_file=settings.get("ca_file"),
    )


def _faults(settings: Mapping[str, Any]) -> Iterator[str]:
    unknown = sorted(str(key) for key in settings if key not in _KEYS)
    if unknown:
        yield f"no such setting: {', '.join(unknown)}"
    host, sender = settings.get("host"), settings.get("from")
    if not isinstance(host, str) or not host or any(char <= " " for char in host):
        yield "host is the name or address of the mail relay"
    if not isinstance(sender, str) or EmailChannel.check_address(parseaddr(sender)[1]):
        yield "from is a mail address, with or without a name"
    security = settings.get("security", _DEFAULT_SECURITY)
    if not isinstance(security, str) or security not in _PORTS:
        yield "security is none, starttls or tls"
    port = settings.get("port", 25)
    if type(port) is not int or not 0 < port < 65536:
        yield "port is a number from 1 to 65535"
    timeout = settings.get("timeout", _WITHIN)
    if type(timeout) not in {int, float} or not 0 < timeout <= 300:
        yield "timeout is a number of seconds up to 300"
    if not isinstance(settings.get("ca_file"), str | None):
        yield "ca_file is the path of a file with certificates"
    username: object = settings.get("username")
    password: object = settings.get("password")
    if (username is None) != (password is None):
        yield "username and password belong together"
    if password is not None and not isinstance(password, Mapping):
        yield "password is a reference such as {secret_env: SMTP_PASSWORD}"
    if username is not None and security == "none" and host not in _LOOPBACK:
        yield "a password is not sent without TLS: set security to starttls or tls"


def _session(relay: Relay, password: str | None) -> SMTP:
    """Raises `OSError` when the file with the certificate authority cannot be read."""
    context = None
    if relay.security != "none":
        own = relay.ca_file
        context = _system_trust() if own is None else ssl.create_default_context(cafile=own)
    return SMTP(
        hostname=relay.host,
        port=relay.port,
        username=relay.username,
        password=password,
        # the library would ask the name server for a full name, which may take seconds
        local_hostname=socket.gethostname().encode("ascii", "replace").decode() or "localhost",
        timeout=relay.timeout,
        use_tls=relay.security == "tls",
        start_tls=relay.security == "starttls",
        tls_context=context,
    )


@cache
def _system_trust() -> ssl.SSLContext:
    """Made once: reading the system's authorities takes tens of milliseconds."""
    return ssl.create_default_context()


def _failed(error: Exception, relay: Relay, *, handed: bool) -> Failed:
    where = f"{relay.host}:{relay.port}"
    match error:
        case aiosmtplib.SMTPResponseException():
            said = f"{where} answered {error.code} {_one_line(error.message)}"
            return Failed(kind=_kind(error), reason=said)
        case aiosmtplib.SMTPConnectError() | OSError() if _is_certificate(error):
            reason = f"{where}: the certificate is not trusted: set ca_file or the right host"
            return Failed(kind=FailureKind.CONFIGURATION, reason=reason)
        case TimeoutError():
            reason = f"{where}: no answer within {relay.timeout:g} s"
            return Failed(kind=FailureKind.TEMPORARY, reason=reason, maybe_applied=handed)
        case OSError():  # refused, not found, disconnected
            reason = f"{where}: {_one_line(str(error))}"
            return Failed(kind=FailureKind.TEMPORARY, reason=reason, maybe_applied=handed)
        case _:  # the relay lacks STARTTLS or AUTH
            reason = f"{where}: {_one_line(str(error))}"
            return Failed(kind=FailureKind.CONFIGURATION, reason=reason, maybe_applied=handed)


def _kind(error: aiosmtplib.SMTPResponseException) -> FailureKind:
    """By reply code (RFC 5321, 4.2.1), stage and enhanced status (RFC 3463)."""
    if 400 <= error.code < 500:
        return FailureKind.TEMPORARY
    about_us = error.code == 530 or error.message.startswith("5.7.")
    about_mail = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
    return FailureKind.PERMANENT if about_mail and not about_us else FailureKind.CONFIGURATION


def _is_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
