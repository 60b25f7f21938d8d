"""Looks an installation over and says what is wrong with it, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from tocsin.actions import configure
from tocsin.actions.targets import REMEDY, out_of_reach, refused
from tocsin.actions.world import World
from tocsin.egress import Guard
from tocsin.ports import Clock
from tocsin.store import health
from tocsin.store.db import Connection, Row
from tocsin.store.methods import channel_settings


class Grade(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and the remedy when it is not well."""

    what: str
    grade: Grade
    detail: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the settings say that a world does not show. `public_url`: whether one is set.

    `machine` is the clock of this machine, which the world's may differ from.
    """

    key_file: str
    public_url: bool
    mail_listen: bool = False
    tls_fault: str | None = None
    machine: Clock | None = None


async def examine(world: World, setting: Setting) -> list[Finding]:
    """Everything that can be checked without sending anything to anybody."""
    async with world.database.transaction() as connection:
        facts = await health.database_facts(connection)
        findings = [
            *_database(setting.machine or world.clock, facts),
            *_settings(setting),
            _public_url(world) if setting.public_url else _NO_PUBLIC_URL,
            *await _people(connection),
            *await _rules(connection),
            *await _channels(world, connection),
            *await _targets(world, connection),
        ]
        states = await health.connector_states(connection)
    return [*findings, *(_connector(world, row) for row in states)]


def _database(clock: Clock, facts: health.DatabaseFacts) -> Iterable[Finding]:
    if facts.durable:
        yield Finding("database", Grade.OK, f"PostgreSQL {facts.version}, commits are durable")
    else:
        yield Finding(
            "database",
            Grade.FAULT,
            f"PostgreSQL {facts.version} may lose commits in a crash",
            "set fsync, full_page_writes and synchronous_commit to on",
        )
    yield Finding("migrations", Grade.OK, f"at revision {facts.revision}")
    off = abs(clock.now() - facts.now)
    if off < timedelta(seconds=2):
        yield Finding("clocks", Grade.OK, "this machine and the database agree")
    else:
        seconds = off.total_seconds()
        hint = "synchronise both with NTP"
        yield Finding("clocks", Grade.FAULT, f"the database is {seconds:.0f} s away", hint)


def _settings(setting: Setting) -> Iterable[Finding]:
    # A key that does not fit ends every command before it gets here.
    detail = f"{setting.key_file} is the one that this database belongs to"
    hint = "keep a copy of it apart from that of the database"
    yield Finding("key", Grade.OK, detail, hint)
    yield Finding("front-end assets", Grade.OK, "none needed, they come with a later version")
    if setting.tls_fault is not None:
        hint = "`tocsin serve` does not start with it"
        yield Finding("TLS", Grade.FAULT, setting.tls_fault, hint)
    if setting.mail_listen:
        detail = "TOCSIN_MAIL_LISTEN is set, and incoming mail works from a later version"
        yield Finding("incoming mail", Grade.WARNING, detail)


_NO_PUBLIC_URL = Finding(
    "public URL",
    Grade.WARNING,
    "not set: `tocsin serve` uses the address that it listens on,"
    " with --no-web http://localhost:8080",
    "set TOCSIN_PUBLIC_URL to the address that phones can open; links are made of it",
)


def _public_url(world: World) -> Finding:
    parts = urlsplit(world.public_url)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme == "https" and not local:
        return Finding("public URL", Grade.OK, world.public_url)
    if local:
        return Finding(
            "public URL",
            Grade.WARNING,
            f"{world.public_url} opens only on this machine",
            "set TOCSIN_PUBLIC_URL to the address that phones can open",
        )
    return Finding(
        "public URL",
        Grade.WARNING,
        f"{world.public_url} is not encrypted",
        "put an https address in TOCSIN_PUBLIC_URL; reply links travel over it",
    )


async def _people(connection: Connection) -> Iterable[Finding]:
    unreachable = await health.unreachable_people(connection)
    if not unreachable:
        return [Finding("people", Grade.OK, "every member has a contact method")]
    hint = "give each a contact method"
    return [Finding("people", Grade.FAULT, f"cannot be reached: {', '.join(unreachable)}", hint)]


async def _rules(connection: Connection) -> Iterable[Finding]:
    notes = await configure.rule_notes(connection)
    what = "notification rules"
    if not notes:
        return [Finding(what, Grade.OK, "each can ring before the steps of its person time out")]
    hint = "shorten its `after`, or let the step wait longer"
    return [Finding(what, Grade.WARNING, note, hint) for note in notes]


async def _channels(world: World, connection: Connection) -> Iterable[Finding]:
    findings: list[Finding] = []
    media = await health.media_in_use(connection)
    settings = await channel_settings(connection, media)
    for medium in media:
        load = world.plug_ins.channels.get(medium)
        if load is None:
            hint = "contact methods of this channel are passed over; use another one"
            findings.append(Finding(f"channel {medium}", Grade.FAULT, "not installed", hint))
            continue
        fault = load().check_settings(settings[medium])
        if fault is None:
            findings.append(Finding(f"channel {medium}", Grade.OK, "settings are complete"))
        else:
            hint = f"see settings.channels.{medium}"
            findings.append(Finding(f"channel {medium}", Grade.FAULT, fault, hint))
    return findings


async def _targets(world: World, connection: Connection) -> Iterable[Finding]:
    guard = Guard.of(world.allow_private)
    found: dict[str, list[str]] = {}
    for row in await health.method_addresses(connection):
        host = out_of_reach(row["address"], guard)
        if host is not None:
            found.setdefault(row["channel"], []).append(f"{row['name']} ({host})")
    return [
        Finding(f"channel {channel}", Grade.FAULT, refused(names), REMEDY)
        for channel, names in found.items()
    ]


def _connector(world: World, row: Row) -> Finding:
    what = f"connector {row['team']}/{row['name']}"
    if not row["enabled"]:
        return Finding(what, Grade.WARNING, "switched off")
    if row["source"] not in world.plug_ins.sources:
        return Finding(what, Grade.FAULT, f"no source {row['source']} is installed")
    if row["error"]:
        return Finding(what, Grade.FAULT, row["error"], "it is tried again by itself")
    if row["failed"]:
        return Finding(what, Grade.FAULT, f"{row['failed']} writes failed for good")
    if row["succeeded_at"] is None:
        return Finding(what, Grade.WARNING, "not read yet", "start `tocsin serve`")
    return Finding(what, Grade.OK, f"last read {row['succeeded_at']:%Y-%m-%d %H:%M:%S} UTC")
