"""How soon a page arrives after its event was accepted."""

from enum import Enum

from bench.configuration import PATH
from bench.figures import Figure
from bench.outside import Job, Observed
from bench.stage import Stage


class Part(Enum):
    """Which part of the pages arrives within the figure."""

    P50 = "half"
    P99 = "99 of 100"


_IDLE = 60
_BURST = 1000


async def idle(stage: Stage) -> list[Figure]:
    """One event every quarter of a second, 60 in all."""
    async with stage.serving_a_team() as (served, _, phone):
        await stage.outside(  # the first page loads the channel
            Job(port=served.port, path=PATH, phone_port=phone, lines=1, count=5, prefix="first",
                paced=5, linger=5)
        )  # fmt: skip
        seen = await stage.outside(
            Job(port=served.port, path=PATH, phone_port=phone, lines=4, count=_IDLE, paced=4,
                linger=5)
        )  # fmt: skip
    return [
        _figure("event accepted → page arrives, idle: p50", seen, _IDLE, Part.P50, 60),
        _figure("event accepted → page arrives, idle: p99", seen, _IDLE, Part.P99, 300),
    ]


async def burst(stage: Stage) -> list[Figure]:
    """A thousand events that each open an alert, posted within one second."""
    async with stage.serving_a_team() as (served, _, phone):
        await stage.outside(
            Job(port=served.port, path=PATH, phone_port=phone, lines=1, count=5, prefix="first",
                paced=5, linger=5)
        )  # fmt: skip
        seen = await stage.outside(
            Job(port=served.port, path=PATH, phone_port=phone, lines=256, count=_BURST, paced=1000,
                linger=30)
        )  # fmt: skip
    name = "event accepted → page arrives, 1,000 in a second: p99"
    return [_figure(name, seen, _BURST, Part.P99, 3000)]


def _figure(name: str, seen: Observed, count: int, part: Part, limit: float) -> Figure:
    accept, post = seen.after_accept, seen.after_post
    took, since_post = (accept.p50, post.p50) if part is Part.P50 else (accept.p99, post.p99)
    missing = count - seen.rang
    return Figure(
        name=name,
        value=1000 * took,
        unit="ms",
        limit=limit,
        note=f"{1000 * since_post:.0f} ms from the post; all posted within {seen.spread:.2f} s",
        wrong=f"{missing} pages never arrived" if missing else "",
    )
