"""Sets of stretches of time: joined, taken away from each other, measured."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

Span = tuple[datetime, datetime]
"""From its beginning up to, not including, its end."""


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time in order, without overlaps; what touches is one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def left_of(span: Span, taken: Iterable[Span]) -> list[Span]:
    """What of a span is in none of the others; these are as `joined` answers them."""
    left: list[Span] = []
    from_, to = span
    for begin, end in taken:
        if begin >= to:
            break
        if from_ < begin:
            left.append((from_, begin))
        from_ = max(from_, end)
    if from_ < to:
        left.append((from_, to))
    return left


def common(one: Sequence[Span], other: Sequence[Span]) -> list[timedelta]:
    """How much of each span of `one` is in `other`; both in order, without overlaps."""
    lengths: list[timedelta] = []
    first = 0
    for begin, end in one:
        while first < len(other) and other[first][1] <= begin:
            first += 1
        length = timedelta()
        for place in range(first, len(other)):
            low, high = other[place]
            if low >= end:
                break
            length += min(end, high) - max(begin, low)
        lengths.append(length)
    return lengths


def overlaps(one: Sequence[Span], other: Sequence[Span]) -> Iterator[Span]:
    """What is in both; each in order, without overlaps."""
    first, second = 0, 0
    while first < len(one) and second < len(other):
        begin = max(one[first][0], other[second][0])
        end = min(one[first][1], other[second][1])
        if begin < end:
            yield begin, end
        if one[first][1] <= end:
            first += 1
        else:
            second += 1


def length(spans: Iterable[Span]) -> timedelta:
    """How long they are together."""
    return sum((end - begin for begin, end in spans), timedelta())
