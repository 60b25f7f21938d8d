"""What shall go wrong in the simulated cloud, and how often."""

import re
from dataclasses import dataclass
from typing import Literal

Mishap = int | Literal["hang", "reset", "reset_after_apply"]


@dataclass(slots=True)
class Fault:
    """One rule; `left` counts down to zero, None is without end."""

    path: re.Pattern[str]
    method: str | None
    mishap: Mishap
    skip: int
    left: int | None
    retry_after: int | None
    body: dict[str, object] | None
    after_apply: bool

    def concerns(self, method: str, path: str, query: str) -> bool:
        if self.left == 0 or self.method not in (None, method):
            return False
        whole = f"{path}?{query}" if query else path
        return self.path.search(path) is not None or self.path.search(whole) is not None


class Faults:
    """The rules in the order in which they were added; the first that fits is used up first."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def add(
        self,
        path_regex: str,
        method: str | None,
        mishap: Mishap,
        *,
        skip: int = 0,
        times: int | None = 1,
        retry_after: int | None = None,
        body: dict[str, object] | None = None,
        after_apply: bool = False,
    ) -> Fault:
        """Spoils the next requests whose path, or path and query, contain the pattern.

        `mishap` is an HTTP status to answer, "hang" (no answer until the caller leaves), "reset"
        (the connection is cut) or "reset_after_apply" (the request is carried out first).
        `skip` lets so many pass first. `method` None is every method, `times` None is until
        removed. `retry_after` (seconds) is only sent when given. With `after_apply` a status or a
        hang follows a request that was carried out.
        """
        fault = Fault(
            path=re.compile(path_regex),
            method=method.upper() if method is not None else None,
            mishap="reset" if mishap == "reset_after_apply" else mishap,
            skip=skip,
            left=times,
            retry_after=retry_after,
            body=body,
            after_apply=after_apply or mishap == "reset_after_apply",
        )
        self._rules.append(fault)
        return fault

    def take(self, method: str, path: str, query: str) -> Fault | None:
        """The rule that spoils this request, counted down."""
        for fault in self._rules:
            if fault.concerns(method, path, query):
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None

    def remove(self, fault: Fault) -> None:
        self._rules.remove(fault)

    def clear(self) -> None:
        self._rules.clear()
