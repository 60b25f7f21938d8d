"""The demo from start to stop: its parts come up, the story is told, the doors stay open."""

import asyncio
import itertools
import os
import secrets
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tocsin.actions.configure import Choices, apply, read
from tocsin.app import opened
from tocsin.clock import SystemClock
from tocsin.demo import configuration as made_up
from tocsin.demo.cloud import Cloud, CloudServer
from tocsin.demo.data import DemoError, alone, claim
from tocsin.demo.leftovers import tidy
from tocsin.demo.phone import Phone, PhoneServer
from tocsin.demo.steps import Teller
from tocsin.demo.story import Story
from tocsin.demo.token import demo_token
from tocsin.demo.view import TocsinView
from tocsin.keys import new_signing_key
from tocsin.serving import Serving, serving
from tocsin.settings import Settings
from tocsin.store.embedded import EmbeddedPostgres

USUAL_PORT: Final = 8080
LOOPBACK: Final = ("127.0.0.0/8", "::1/128")

_TITLES: Final = (
    "Impossible travel for a privileged account",
    "Shadow copies deleted on a file server",
    "New inbox rule forwards mail outside",
)

Tell = Callable[[str], None]


async def run(settings: Settings, *, port: int | None, once: bool, tell: Tell) -> int:
    """Play until the story ends (`once`) or Ctrl-C or SIGTERM; returns the exit code.

    `port` None: the usual one, or a free one where that is taken. Raises `DemoError`.
    """
    playing = asyncio.create_task(_play(settings, port=port, once=once, tell=tell))
    asked_to_stop = False

    def stop() -> None:
        nonlocal asked_to_stop
        if not asked_to_stop:  # a second Ctrl-C must not cut the clean stop short
            asked_to_stop = True
            playing.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        return await playing
    except asyncio.CancelledError:
        tell("Stopped.")
        return 1 if once else 0
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _play(settings: Settings, *, port: int | None, once: bool, tell: Tell) -> int:
    async with stage(settings, port=chosen_port(port, tell), tell=tell) as ready:
        tell("")
        told = await ready.story(tell)
        tell("")
        tell("The story is complete: both ends agree." if told else "The story broke off.")
        if once:
            return 0 if told else 1
        for line in ready.doors():
            tell(line)
        await ready.serving.stopped.wait()
        tell("Tocsin stopped by itself; the lines above say why.")
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that the demo runs, configured and ready for the story."""

    serving: Serving
    cloud: Cloud
    phone: Phone
    phone_url: str
    view: TocsinView
    token: str

    async def story(self, tell: Tell) -> bool:
        """Tell it once; whether all of it came true."""
        teller = Teller(self.serving.world.clock, tell)
        return await Story(self.cloud, self.phone, self.view, teller).play()

    def doors(self) -> tuple[str, ...]:
        """What people can try now."""
        url = self.serving.url
        return (
            "",
            f"Tocsin           {url}",
            f"Simulated phone  {self.phone_url}",
            f"Token            {self.token} (admin, until this demo stops)",
            "",
            "The buttons of the phone are yours now. Raise another alert by the phone's button",
            "“New incident in Sentinel”, or from a shell:",
            f'  curl {url}/webhook/{made_up.PLANT_SECRET} --json \'{{"Title": "Pump 3 is down"}}\'',
            "Read alerts:",
            f"  curl -H 'Authorization: Bearer {self.token}' {url}/api/v1/alerts",
            "",
            "Ctrl-C ends the demo.",
        )


@asynccontextmanager
async def stage(settings: Settings, *, port: int, tell: Tell) -> AsyncGenerator[Stage]:
    """The parts of the demo for as long as the block runs. Raises `DemoError`.

    Only the folder `demo` of the settings' home is written to, and the database, if it is its own.
    """
    home = settings.home / "demo"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    clock = SystemClock()
    client_secret, signing_key = secrets.token_urlsafe(24), new_signing_key()
    async with AsyncExitStack() as stack:
        stack.enter_context(alone(home))
        dsn = await stack.enter_async_context(_database(settings, home, tell))
        await claim(dsn, clock.now())
        stack.enter_context(
            _environment({made_up.CLOUD_SECRET: client_secret, made_up.PHONE_SECRET: signing_key})
        )
        tell("Starting the simulated cloud, the simulated phone and Tocsin ...")
        cloud = _cloud(clock, client_secret)
        cloud_server = await stack.enter_async_context(CloudServer(cloud, home))
        phone = Phone(clock.now, signing_key)
        phone_server = await stack.enter_async_context(
            PhoneServer(phone, new_incident=_new_incident(cloud))
        )
        own = _settings(settings, home, dsn)
        text = made_up.configuration(cloud_server.settings_block(), phone_server.url)
        await _prepare(own, text, cloud, tell)
        running = await stack.enter_async_context(serving(own, port=port, announce=tell))
        token = await stack.enter_async_context(demo_token(running.world, made_up.MANAGER))
        client = await stack.enter_async_context(_client(running.url, token))
        yield Stage(
            serving=running,
            cloud=cloud,
            phone=phone,
            phone_url=phone_server.url,
            view=TocsinView(client, running.world.database),
            token=token,
        )


async def _prepare(settings: Settings, text: str, cloud: Cloud, tell: Tell) -> None:
    """Before anything runs: addresses of an earlier demo lead nowhere, so they go first."""
    async with opened(settings, log=tell) as world:
        await apply(world, read(text), Choices(overwrite=True, prune=True))
        left = await tidy(world, cloud, world.clock.now())
    if left:
        tell(f"Closed what an earlier demo left open: {left}.")


def chosen_port(port: int | None, tell: Tell) -> int:
    """The port that was asked for, or the usual one, or 0 for a free one. Raises `DemoError`."""
    if port is not None:
        if port != 0 and not _is_free(port):
            raise DemoError(
                f"port {port} is taken; stop what listens there or give another "
                "with --port (0 picks a free one)"
            )
        return port
    if _is_free(USUAL_PORT):
        return USUAL_PORT
    tell(f"Port {USUAL_PORT} is taken; a free one is used instead.")
    return 0


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@asynccontextmanager
async def _database(settings: Settings, home: Path, tell: Tell) -> AsyncGenerator[str]:
    """The address of the database that is set, or of a private one in the demo's folder."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    tell("Starting a private PostgreSQL; the first time it is set up, which takes seconds ...")
    async with EmbeddedPostgres(home, log=tell) as private:
        yield private.dsn


def _settings(settings: Settings, home: Path, dsn: str) -> Settings:
    """The settings of the demo's own installation: on loopback, with a key of its own."""
    return settings.model_copy(
        update={
            "home": home,
            "database_url": dsn,
            "public_url": None,
            "secret_key_file": None,
            "allow_private_targets": LOOPBACK,
            "tls_cert_file": None,
            "tls_key_file": None,
            "trusted_proxies": (),
            "mail_listen": None,
        }
    )


def _cloud(clock: SystemClock, client_secret: str) -> Cloud:
    cloud = Cloud(
        clock.now,
        tenant_id=made_up.TENANT,
        client_id=made_up.CLIENT,
        client_secret=client_secret,
        subscription_id=made_up.SUBSCRIPTION,
        resource_group=made_up.RESOURCE_GROUP,
        workspace_name=made_up.WORKSPACE,
        workspace_id=made_up.WORKSPACE_ID,
    )
    cloud.add_person(made_up.ACCOUNT, "Mara Ilves")
    return cloud


def _new_incident(cloud: Cloud) -> Callable[[], str]:
    titles = itertools.cycle(_TITLES)

    def new_incident() -> str:
        incident = cloud.add_sentinel_incident(title=next(titles), severity="High", alerts=1)
        return f"Incident {incident.number} is in Sentinel; Tocsin reads it within a second."

    return new_incident


def _client(url: str, token: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=5)


@contextmanager
def _environment(values: Mapping[str, str]) -> Generator[None]:
    """Variables of this process while the block runs, for `secret_env`."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
