"""How soon a page arrives after its event was accepted."""

from bench.configuration import PATH
from bench.figures import Figure, percentile
from bench.outside import Job, Observed
from bench.stage import Stage

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
        _figure("event accepted → page arrives, idle: p50", seen, 0.50, 60, _IDLE),
        _figure("event accepted → page arrives, idle: p99", seen, 0.99, 300, _IDLE),
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
    return [_figure(name, seen, 0.99, 3000, _BURST)]


def _figure(name: str, seen: Observed, part: float, limit: float, count: int) -> Figure:
    missing = count - len(seen.rang)
    note = f"from the post: {1000 * percentile(seen.rang_after_post, part):.0f} ms"
    if count == _BURST:
        note += f"; posted within {seen.spread:.2f} s"
    return Figure(
        name=name,
        value=1000 * percentile(seen.rang, part),
        unit="ms",
        limit=limit,
        note=note,
        wrong=f"{missing} pages never arrived" if missing or seen.unexpected else "",
    )
