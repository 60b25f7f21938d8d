"""The process that serves: web, worker and their supervision."""

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
import uvicorn

from tocsin.actions.intake import Intake
from tocsin.actions.watchdog import opened_watchdog
from tocsin.actions.world import World
from tocsin.app import LOCAL_URL, opened
from tocsin.settings import Settings
from tocsin.store.db import listen, ping
from tocsin.web.bounded import BoundedHttp
from tocsin.web.parts import Parts, Readiness
from tocsin.web.server import create_app
from tocsin.worker import Bell, Worker

log = structlog.get_logger()

STOP_WITHIN = timedelta(seconds=6)
"""For all parts together; connections and the private PostgreSQL are closed after them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A running `serve`: where it answers, the world that it serves.

    `stopped` is set when it is to end; `fallen` names the parts that ended by themselves.
    """

    url: str
    world: World
    stopped: asyncio.Event
    fallen: list[str] = field(default_factory=list[str])


async def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    web: bool,
    worker: bool,
    announce: Callable[[str], None],
) -> bool:
    """Run until SIGTERM or SIGINT, then stop within 10 s; False when a part ended by itself."""
    async with serving(
        settings, host=host, port=port, web=web, worker=worker, announce=announce
    ) as running:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, running.stopped.set)
        _spare_the_collector()
        announce(f"Tocsin is ready: {running.url}" if web else "Tocsin is ready: worker only")
        await running.stopped.wait()
        return not running.fallen


@asynccontextmanager
async def serving(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    web: bool = True,
    worker: bool = True,
    announce: Callable[[str], None] = print,
) -> AsyncGenerator[Serving]:
    """Everything that `serve` runs, for as long as the block runs."""
    bell = Bell()
    listener = _bound(host, port) if web else None
    scheme = "http" if settings.tls_cert_file is None else "https"
    url = f"{scheme}://{_in_url(host)}:{listener.getsockname()[1]}" if listener else ""
    _warn(settings, web=web)
    settings = settings.model_copy(update={"public_url": settings.public_url or url or None})
    async with AsyncExitStack() as stack:
        if listener is not None:
            stack.callback(listener.close)
        world = await stack.enter_async_context(opened(settings, log=announce, wake=bell.ring))
        keeper = Worker(world, bell) if worker else None
        stopped = asyncio.Event()
        running = Serving(url=url, world=world, stopped=stopped)
        end = _End()
        watchdog = await stack.enter_async_context(opened_watchdog(world))
        await stack.enter_async_context(_beside(watchdog.run(), "watchdog", running, end))
        if keeper is not None:
            await stack.enter_async_context(_beside(keeper.run(), "worker", running, end))
            hearing = _listening(world, bell)
            await stack.enter_async_context(_beside(hearing, "listen", running, end))
        if listener is not None:
            intake = await stack.enter_async_context(Intake(world))
            parts = Parts(world=world, intake=intake, readiness=_readiness(world, keeper))
            await stack.enter_async_context(_web(parts, listener, settings, running, end))
        stack.callback(end.begin)
        yield running


def _warn(settings: Settings, *, web: bool) -> None:
    if settings.mail_listen is not None:
        log.warning("TOCSIN_MAIL_LISTEN is set, and incoming mail works from a later version")
    if not web and settings.public_url is None:
        log.warning(
            "TOCSIN_PUBLIC_URL is not set: set it to where the web answers", links_lead_to=LOCAL_URL
        )


class _End:
    """The end of a process: every part stops at the same time, and has the same time for it."""

    def __init__(self) -> None:
        self._stops: list[Callable[[], object]] = []
        self._by: float | None = None

    @property
    def begun(self) -> bool:
        """Whether the parts have been told to stop."""
        return self._by is not None

    def at_end(self, stop: Callable[[], object]) -> None:
        """Call `stop` when the end begins, or at once when it has begun."""
        self._stops.append(stop)
        if self._by is not None:
            stop()

    def begin(self) -> None:
        """Tell every part to stop."""
        if self._by is None:
            self._by = asyncio.get_running_loop().time() + STOP_WITHIN.total_seconds()
            for stop in self._stops:
                stop()

    async def of(self, task: "asyncio.Task[None]") -> None:
        """Wait for a part, at most until the time is up."""
        self.begin()
        assert self._by is not None
        left = self._by - asyncio.get_running_loop().time()
        await asyncio.wait([task], timeout=max(left, 0))


def _spare_the_collector() -> None:
    """What is loaded by now stays; looking through it again and again cost 13 to 23 % of the CPU.

    An event makes some hundred objects that die by themselves, so that the usual threshold of 700
    sets the collector off every few events.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@asynccontextmanager
async def _beside(
    work: Coroutine[Any, Any, None], name: str, running: Serving, end: _End
) -> AsyncGenerator[None]:
    """Run `work` beside the block; should it end by itself, everything stops and says why."""
    task = asyncio.create_task(work, name=name)
    _watch(task, running, end)
    end.at_end(task.cancel)
    try:
        yield
    finally:
        await end.of(task)


def _watch(task: "asyncio.Task[None]", running: Serving, end: _End) -> None:
    """Should the part end by itself, say why, and have everything stop."""

    def ended(done: "asyncio.Task[None]") -> None:
        fault = None if done.cancelled() else done.exception()
        if end.begun and fault is None:
            return
        log.error("stopped unexpectedly", part=task.get_name(), fault=repr(fault))
        if not end.begun:
            running.fallen.append(task.get_name())
        running.stopped.set()

    task.add_done_callback(ended)


async def _listening(world: World, bell: Bell) -> None:
    """Hear what other processes committed; a cut connection is opened again."""
    while True:
        try:
            async with listen(world.worker_database.dsn, bell.heard) as cut:
                await cut.wait()
        except Exception as fault:  # noqa: BLE001 - whatever it was, polling goes on meanwhile
            log.debug("not listening; polling goes on", fault=repr(fault))
        await asyncio.sleep(1)


def _readiness(world: World, keeper: Worker | None) -> Readiness:
    async def ready() -> Mapping[str, str | None]:
        faults: dict[str, str | None] = {"database": None}
        try:
            await ping(world.database.dsn)
        except Exception as fault:  # noqa: BLE001 - the answer says what it was
            faults["database"] = f"cannot be reached: {type(fault).__name__}"
        if keeper is not None:
            stalled = keeper.stalled(world.clock.now())
            faults["worker"] = f"stalled: {', '.join(stalled)}" if stalled else None
        return faults

    return ready


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only on sockets that say TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as fault:
        listener.close()
        reason, number = "this is no host", errno.EINVAL
        if isinstance(fault, OSError):
            reason, number = fault.strerror or str(fault), fault.errno or errno.EINVAL
        told = f"cannot listen on {host} port {port}: {reason}; choose another --host or --port"
        raise OSError(number, told) from None
    return listener


@asynccontextmanager
async def _web(
    parts: Parts, listener: socket.socket, settings: Settings, running: Serving, end: _End
) -> AsyncGenerator[None]:
    application = create_app(parts)
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies) or None,
        ssl_certfile=settings.tls_cert_file,
        ssl_keyfile=settings.tls_key_file,
        http=BoundedHttp,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="web")
    _watch(task, running, end)
    end.at_end(application.close)  # an event stream has no end of its own to wait for
    end.at_end(server.stop)
    starting = asyncio.create_task(server.up.wait())
    await asyncio.wait([task, starting], return_when=asyncio.FIRST_COMPLETED)
    starting.cancel()
    if task.done():
        await task
    try:
        yield
    finally:
        await end.of(task)
        for opened_server in server.servers:  # left open by a server that did not end in order
            opened_server.close()


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: `serve` has them. `up` is set when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As Uvicorn, and says so."""
        await super().startup(sockets)
        self.up.set()

    def stop(self) -> None:
        """Take no more requests, and end when those under way are answered."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone."""
        yield
