"""Running installations of Tocsin: their folder, their processes, a look into their database."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import asyncpg

from tests.store.embedded_homes import Homes, eventually, postmaster, workers
from tocsin.store.embedded.cluster import DATABASE, ROLE

PROGRAM = Path(sys.executable).with_name("tocsin")
PATIENCE = 60.0
"""Seconds until a test gives up waiting for a process on this machine, however busy."""

CONFIGURATION = """
version: 1
users:
  mara:
    name: Mara
    email: mara@example.org
    role: user
    contact_methods: {phone: {channel: webhook, address: "http://127.0.0.1:PORT/mara"}}
    notification_rules: {urgent: [{after: 0s, via: phone}]}
  jonas:
    name: Jonas
    email: jonas@example.org
    role: user
    contact_methods: {phone: {channel: webhook, address: "http://127.0.0.1:PORT/jonas"}}
    notification_rules: {urgent: [{after: 0s, via: phone}]}
  ada:
    name: Ada
    email: ada@example.org
    role: user
    contact_methods: {phone: {channel: webhook, address: "http://127.0.0.1:PORT/ada"}}
    notification_rules: {urgent: [{after: 3s, via: phone}]}
PAIRED_USERS
teams:
  soc:
    name: SOC
    time_zone: UTC
    members: [mara, jonas, ada, PAIRED_NAMES]
    escalation_policies:
      default: {steps: [{notify: [{user: mara}], wait: 3h}]}
      both: {steps: [{notify: [{user: mara}, {user: jonas}], wait: 3h}]}
      soon:
        steps:
          - {notify: [{user: mara}, {user: ada}], wait: 3s}
          - {notify: [{user: jonas}], wait: 3h}
PAIRED_POLICIES
    integrations:
PAIRED_INTEGRATIONS
      plant: {inlet: signl4, secret: "plant-secret-0001"}
      both: {inlet: signl4, secret: "both-secret-00001", policy: both}
      soon: {inlet: signl4, secret: "soon-secret-00001", policy: soon}
"""
PLANT, BOTH, SOON = "plant-secret-0001", "both-secret-00001", "soon-secret-00001"

PAIRS = 12
"""Pairs of people, each with an integration of its own: nobody has more than one page to read."""


@dataclass
class Serve:
    """A `tocsin serve`, with what it says in a file."""

    process: "subprocess.Popen[bytes]"
    said: Path

    async def ready(self) -> str:
        """Its address, once it answers; the empty text where it has no web."""
        deadline = time.monotonic() + PATIENCE
        while "Tocsin is ready: " not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            await asyncio.sleep(0.02)
        url = self.text().partition("Tocsin is ready: ")[2].split()[0]
        return url if url.startswith("http") else ""

    def text(self) -> str:
        """All that it said."""
        return self.said.read_text()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE)

    async def stop(self) -> float:
        """End it cleanly; returns how many seconds that took."""
        began = time.monotonic()
        self.process.terminate()
        code = await asyncio.to_thread(self.process.wait, PATIENCE)
        took = time.monotonic() - began
        assert code == 0, self.text()
        return took


@dataclass
class System:
    """An installation in a folder of its own; `database` when it has no private PostgreSQL."""

    home: Path
    homes: Homes
    database: str | None = None
    serves: list[Serve] = field(default_factory=list[Serve])

    def serve(self, *options: str, env: Mapping[str, str] = MappingProxyType({})) -> Serve:
        """Start a process on a free port; `env` is added to its environment."""
        said = self.home.with_name(f"serve-{len(self.serves)}.log")
        with said.open("wb") as out:
            process = subprocess.Popen(
                [PROGRAM, "serve", "--port", "0", *options],
                env={**self.env(), **env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        self.serves.append(Serve(process, said))
        return self.serves[-1]

    def run(self, *command: str) -> str:
        """Run another command to its end; returns what it printed, errors included."""
        done = self.tried(*command)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def tried(self, *command: str, within: float = PATIENCE) -> "subprocess.CompletedProcess[str]":
        """Run another command to its end, however it ends; errors stand in `stdout` too."""
        return subprocess.run(
            [PROGRAM, *command],
            env=self.env(),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=within,
        )

    def configured(self, port: int) -> None:
        """Apply the configuration, with the phones at this port."""
        file = self.home.with_name("configuration.yaml")
        file.write_text(configuration(port))
        self.run("apply", "-f", str(file))

    def env(self) -> dict[str, str]:
        """The environment of its processes."""
        env = {
            **os.environ,
            "TOCSIN_HOME": str(self.home),
            "TOCSIN_ALLOW_PRIVATE_TARGETS": "127.0.0.0/8",
        }
        return env if self.database is None else {**env, "TOCSIN_DATABASE_URL": self.database}

    @property
    def postmaster(self) -> int:
        """The number of the first process of the private PostgreSQL."""
        return postmaster(self.home)

    def kill_postmaster(self) -> None:
        """End the private PostgreSQL's first process as a power cut would; none is fine."""
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.kill(self.postmaster, signal.SIGKILL)

    async def rows(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """Look into the database, as soon as it answers."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection = await asyncpg.connect(self._dsn(), timeout=5)
                try:
                    return list(await connection.fetch(sql, *args))
                finally:
                    await connection.close(timeout=2)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.1)

    async def value(self, sql: str, *args: object) -> object:
        """The one value that the database answers."""
        ((value,),) = await self.rows(sql, *args)
        return value

    def clear(self) -> None:
        """End what still runs."""
        for serve in self.serves:
            serve.kill()

    def _dsn(self) -> str:
        if self.database is not None:
            return self.database
        private = self.home / "postgres"
        password = (private / "password").read_text()
        return f"postgresql://{ROLE}:{password}@/{DATABASE}?host={private / 'run'}"


def configuration(port: int) -> str:
    """The configuration file, with the phones at this port."""
    numbers = range(PAIRS)
    lines = {
        "PAIRED_USERS": [_USER.replace("NAME", name) for n in numbers for name in pair(n)],
        "PAIRED_POLICIES": [_POLICY.format(n, *pair(n)) for n in numbers],
        "PAIRED_INTEGRATIONS": [_INTEGRATION.format(n, pair_secret(n)) for n in numbers],
    }
    text = CONFIGURATION.replace("PAIRED_NAMES", ", ".join(n for k in numbers for n in pair(k)))
    for word, those in lines.items():
        text = text.replace(word, "\n".join(those))
    return text.replace("PORT", str(port)).lstrip()


def pair(number: int) -> tuple[str, str]:
    """The names of the two people of a pair."""
    return f"left{number}", f"right{number}"


def pair_secret(number: int) -> str:
    """What senders post to, to page a pair."""
    return f"pair-secret-00{number:03}"


_USER = """  NAME:
    name: NAME
    email: NAME@example.org
    role: user
    contact_methods: {phone: {channel: webhook, address: "http://127.0.0.1:PORT/NAME"}}
    notification_rules: {urgent: [{after: 0s, via: phone}]}"""
_POLICY = "      pair{0}: {{steps: [{{notify: [{{user: {1}}}, {{user: {2}}}], wait: 3h}}]}}"
_INTEGRATION = '      pair{0}: {{inlet: signl4, secret: "{1}", policy: pair{0}}}'


def opened_template(port: int) -> Iterator[System]:
    """The body of the fixture `template`: configured, and stopped cleanly."""
    homes = Homes()
    try:
        system = System(homes.make(), homes)
        system.configured(port)
        yield system
    finally:
        homes.clear()


def opened_system(template: System) -> Iterator[System]:
    """The body of the fixture `system`: a copy of the template."""
    homes = Homes()
    system = System(homes.copy(template.home), homes)
    try:
        yield system
    finally:
        system.clear()
        homes.clear()


def nobody_works_in(home: Path) -> None:
    """Wait until no process of a private PostgreSQL is left there."""
    eventually(lambda: not workers(home))
