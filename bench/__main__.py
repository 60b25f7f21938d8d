"""Measures Tocsin: `python -m bench [NAME...]` prints each figure in parts of its limit."""

import asyncio
import platform
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

from bench import delivery, duty, intake, paging, starting, storm
from bench.calibration import flush
from bench.figures import Figure, busy
from bench.stage import BenchError, Stage, stage

Benchmark = Callable[[Stage], Awaitable[list[Figure]]]

BENCHMARKS: dict[str, Benchmark] = {
    "intake": intake.new_alerts,
    "intake-alone": intake.without_worker,
    "repeated": intake.repeated,
    "idle": delivery.idle,
    "burst": delivery.burst,
    "storm": storm.one_team,
    "storm-teams": storm.many_teams,
    "storm-100k": storm.hundred_thousand,
    "storm-two": storm.two_processes,
    "timers": paging.timers,
    "pages": paging.pages,
    "killed": paging.killed,
    "duty-year": duty.year,
    "duty-ahead": duty.ahead,
    "duty-who": duty.who,
    "start": starting.start,
    "memory": starting.memory,
    "help": starting.helping,
}


async def measure(names: Sequence[str]) -> int:
    """Run these benchmarks and print their figures; 1 when one of them was answered wrongly.

    A limit that is missed is told, and fails nothing: a busy machine is no fault.
    """
    print(f"Python {platform.python_version()}, {platform.system()}; {busy()}")
    begun, code = time.monotonic(), 0
    async with stage() as ready:
        print(f"8 KiB are on the disk after {flush(ready.folder):.2f} ms", flush=True)
        for name in names:
            print(f"\n{name}: {(BENCHMARKS[name].__doc__ or '').strip()}", flush=True)
            try:
                found = await BENCHMARKS[name](ready)
            except BenchError as fault:
                print(f"  failed: {fault}")
                code = 1
                continue
            for figure in found:
                print(f"  {figure.line()}")
                code = code or int(bool(figure.wrong))
            print(f"  {busy()}", flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s in all")
    return code


def main() -> None:
    """Pick the benchmarks that the arguments name, all without arguments."""
    wanted = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in wanted if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    sys.exit(asyncio.run(measure(wanted)))


if __name__ == "__main__":
    main()
