"""The world outside of Tocsin in a process of its own: senders that post, and a phone that rings.

Reads a `Job` as JSON from standard input and prints an `Observed` as JSON.
"""

import asyncio
import contextlib
import re
import sys
import time

import msgspec
import uvloop

from bench.http import Line, Phone, post

SIZE = 1024
"""Bytes of a posted event."""


class Job(msgspec.Struct, kw_only=True):
    """What to post: closed loop on `lines` connections for `seconds`, or `paced` per second.

    `keys` 0: each event has a key of its own, else so many keys are used in turn. `count` ends it
    earlier. `linger`: seconds to wait for the phone afterwards.
    """

    port: int
    path: str
    phone_port: int = 0
    lines: int = 64
    prefix: str = "bench"
    keys: int = 0
    warm_up: float = 0.0
    seconds: float = 60.0
    count: int = 0
    paced: float = 0.0
    linger: float = 0.0
    expected: int = 201


class Observed(msgspec.Struct, kw_only=True):
    """What was seen; times in seconds. `accepted` and `unexpected` count the warm-up too.

    `rate` and `answers` (time to each answer) leave the warm-up out. `rang`: of how many events the
    page arrived; `after_accept` how long after their 201, `after_post` after they were posted.
    `spread`: from the first post to the last.
    """

    accepted: int
    unexpected: dict[str, int]
    rate: float
    answers: "Spread"
    spread: float
    rang: int
    after_accept: "Spread"
    after_post: "Spread"


class Spread(msgspec.Struct):
    """How long something took, in seconds: half of all cases, and 99 of 100."""

    p50: float
    p99: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """Both are 0 when there are no cases."""
        ordered = sorted(values) or [0.0]
        last = len(ordered) - 1
        return cls(
            ordered[min(last, len(ordered) // 2)], ordered[min(last, len(ordered) * 99 // 100)]
        )


class Outside:
    """Posts and listens; every time is of the monotonic clock."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._posted = 0
        self._statuses: dict[int, int] = {}
        self._sent: dict[Line, tuple[str, float]] = {}
        self._posts: dict[str, float] = {}
        self._accepts: dict[str, float] = {}
        self._rings: dict[str, float] = {}
        self._answers: list[tuple[float, float]] = []
        self._idle: asyncio.Queue[Line] = asyncio.Queue()
        self._done = asyncio.Event()
        self._all_rang = asyncio.Event()
        self._open = 0
        self._until = 0.0

    async def run(self) -> Observed:
        """Do the job."""
        loop = asyncio.get_running_loop()
        job = self._job
        if job.phone_port:
            await loop.create_server(lambda: Phone(self._rang), "127.0.0.1", job.phone_port)
        lines = [
            (await loop.create_connection(lambda: Line(self._answered), "127.0.0.1", job.port))[1]
            for _ in range(job.lines)
        ]
        start = time.monotonic()
        self._until = start + job.warm_up + job.seconds
        if job.paced:
            await self._pace(lines)
        else:
            self._open = len(lines)
            for line in lines:
                self._next(line)
        await self._done.wait()
        ended = time.monotonic()
        await self._linger()
        return self._observed(start + job.warm_up, ended)

    async def _pace(self, lines: list[Line]) -> None:
        """Post at fixed times, whatever the answers do; late when no line is free."""
        for line in lines:
            self._idle.put_nowait(line)
        begin = time.monotonic()
        for number in range(self._job.count):
            await asyncio.sleep(max(0.0, begin + number / self._job.paced - time.monotonic()))
            line = await self._idle.get()
            self._open += 1
            self._post(line)

    def _next(self, line: Line) -> None:
        count = self._job.count
        if time.monotonic() >= self._until or (count and self._posted >= count):
            self._left()
        else:
            self._post(line)

    def _left(self) -> None:
        self._open -= 1
        all_posted = not self._job.paced or self._posted >= self._job.count
        if not self._open and all_posted:
            self._done.set()

    def _post(self, line: Line) -> None:
        job = self._job
        number = self._posted % job.keys if job.keys else self._posted
        self._posted += 1
        key = f"{job.prefix}-{number:08d}"
        at = time.monotonic()
        self._sent[line] = (key, at)
        self._posts[key] = at
        line.write(_REQUEST.made(job.path, key))

    def _answered(self, line: Line, status: int) -> None:
        now = time.monotonic()
        key, at = self._sent[line]
        self._statuses[status] = self._statuses.get(status, 0) + 1
        self._accepts[key] = now
        self._answers.append((now, now - at))
        if self._job.paced:
            self._idle.put_nowait(line)
            self._left()
        else:
            self._next(line)

    def _rang(self, body: bytes) -> None:
        for found in _KEY.finditer(body):  # a message about several alerts has them all
            self._rings.setdefault(found[1].decode(), time.monotonic())
        if self._done.is_set() and len(self._rings) >= len(self._accepts):
            self._all_rang.set()

    async def _linger(self) -> None:
        """Wait until every page has arrived, or no longer than was asked for."""
        if len(self._rings) < len(self._accepts):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_rang.wait(), self._job.linger)

    def _observed(self, counted_from: float, ended: float) -> Observed:
        counted = [took for at, took in self._answers if at >= counted_from]
        expected = self._statuses.pop(self._job.expected, 0)
        posts = self._posts.values()
        rings = {key: at for key, at in self._rings.items() if key in self._accepts}
        return Observed(
            accepted=expected,
            unexpected={str(status): count for status, count in self._statuses.items()},
            rate=len(counted) / max(1e-9, ended - counted_from),
            answers=Spread.of(counted),
            spread=max(posts) - min(posts),
            rang=len(rings),
            after_accept=Spread.of([at - self._accepts[key] for key, at in rings.items()]),
            after_post=Spread.of([at - self._posts[key] for key, at in rings.items()]),
        )


class _Request:
    """An event of exactly 1 KiB in which only the key changes; made once, cut at the key."""

    def __init__(self) -> None:
        self._parts: tuple[bytes, bytes] | None = None

    def made(self, path: str, key: str) -> bytes:
        if self._parts is None:
            mark = "@" * len(key)
            before, _, after = post(path, _body(mark)).partition(mark.encode())
            self._parts = (before, after)
        return key.encode().join(self._parts)


_REQUEST = _Request()
_KEY = re.compile(rb'"external_id":"([^"]+)"')


def _body(key: str) -> bytes:
    said = {
        "X-S4-ExternalID": key,
        "X-S4-SourceSystem": "plant",
        "Title": "Pressure in line 3 is out of range",
        "Text": "The sensor reports 14.2 bar, allowed are 8 to 12 bar.",
        "Site": "North",
        "Sensor": {"id": 4711, "unit": "bar", "value": 14.2, "limits": [8, 12]},
        "Trace": "",
    }
    said["Trace"] = "x" * (SIZE - len(msgspec.json.encode(said)))
    return msgspec.json.encode(said)


if __name__ == "__main__":
    told = uvloop.run(Outside(msgspec.json.decode(sys.stdin.buffer.read(), type=Job)).run())
    print(msgspec.json.encode(told).decode(), flush=True)
