"""Reads a calendar in a process of its own, so that a hostile file stops neither us nor a page.

The child has bounded time and memory, cannot write files, and gets no environment. Parent and
child talk by JSON: the question in one line, the calendar behind it, the answer.
"""

import asyncio
import contextlib
import os
import sys
from datetime import datetime
from typing import Final

import msgspec

from tocsin.core.calendarfile import CalendarError, Reading, read

if sys.platform != "win32":
    import resource

_CPU_SECONDS: Final = 10
_MEMORY: Final = 1 << 30
_PATIENCE: Final = 60.0
"""The child's time by the clock on the wall, on a machine that is busy with something better."""

MOST_ENTRIES: Final = 5000


class Question(msgspec.Struct, frozen=True):
    """What the child is asked."""

    zone: str
    from_: datetime
    to: datetime
    most: int
    cpu_seconds: int


class Answer(msgspec.Struct, frozen=True):
    """What was read, or why it was refused."""

    reading: Reading | None = None
    refused: str | None = None


async def read_apart(
    content: bytes,
    zone: str,
    from_: datetime,
    to: datetime,
    *,
    patience: float = _PATIENCE,
    cpu_seconds: int = _CPU_SECONDS,
) -> Reading:
    """As `core.calendarfile.read`, in a child. Raises `CalendarError` also when it takes too long
    or too much memory.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={key: os.environ[key] for key in ("SYSTEMROOT",) if key in os.environ},
    )
    question = msgspec.json.encode(Question(zone, from_, to, MOST_ENTRIES, cpu_seconds))
    try:
        async with asyncio.timeout(patience):
            told, _ = await child.communicate(question + b"\n" + content)
    except TimeoutError:
        raise _too_much() from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    return _answered(told)


def _answered(told: bytes) -> Reading:
    try:
        answer = msgspec.json.decode(told, type=Answer)
    except msgspec.DecodeError:  # the child was ended by its limits
        raise _too_much() from None
    if answer.reading is None:
        raise CalendarError(answer.refused or "it cannot be read")
    return answer.reading


def _too_much() -> CalendarError:
    return CalendarError(
        "it takes too much time or memory to work out; shorten it, or end its recurrences"
    )


def main() -> None:
    """The child: one question, one answer."""
    question = msgspec.json.decode(sys.stdin.buffer.readline(), type=Question)
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CPU, (question.cpu_seconds, question.cpu_seconds))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        os.nice(10)  # paging goes first
    try:
        answer = Answer(
            read(
                sys.stdin.buffer.read(),
                zone=question.zone,
                from_=question.from_,
                to=question.to,
                most=question.most,
            )
        )
    except CalendarError as fault:
        answer = Answer(refused=str(fault))
    except MemoryError:
        return  # said by saying nothing
    except Exception as fault:  # noqa: BLE001 - a fault in the libraries is a fault of this file
        answer = Answer(refused=f"it cannot be worked out: {type(fault).__name__}")
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main()
