"""What was asked of the simulated cloud."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class SeenRequest:
    """One request; `status` is None while it is unanswered and when no answer was sent.

    `body` is the parsed JSON, the form with secrets blacked out, or None. `applied` says whether
    the service carried the request out, even if the caller was told otherwise.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str] = field(repr=False)
    body: object
    status: int | None = None
    applied: bool = False


class RequestLog:
    """The last requests, oldest first; older ones drop out so that a long demo does not grow."""

    def __init__(self, keep: int = 20_000) -> None:
        self._seen: deque[SeenRequest] = deque(maxlen=keep)

    def append(self, request: SeenRequest) -> None:
        self._seen.append(request)

    def __iter__(self) -> Iterator[SeenRequest]:
        return iter(tuple(self._seen))

    def __len__(self) -> int:
        return len(self._seen)

    def of(self, method: str, path_regex: str = "") -> list[SeenRequest]:
        """Those of one method whose path contains the pattern."""
        pattern = re.compile(path_regex)
        return [
            request
            for request in self._seen
            if request.method == method and pattern.search(request.path)
        ]

    def clear(self) -> None:
        self._seen.clear()
