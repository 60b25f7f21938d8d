"""What a simulated phone remembers: pages that rang, answers that were given."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

Action = Literal["acknowledge", "close", "escalate", "annotate"]


class PagedAlert(msgspec.Struct, frozen=True):
    """The part of the alert object that a phone shows."""

    id: str
    number: int
    team: str
    title: str
    severity: str
    status: str


class Page(msgspec.Struct, frozen=True):
    """A page as channel `webhook` posts it."""

    id: str
    kind: Literal["alert", "update", "acknowledged", "resolved", "notice", "test"]
    user: str
    contact_method: str
    urgency: str
    step: int
    attempt: int
    text: str
    alert: PagedAlert | None
    links: dict[str, str]


@dataclass(frozen=True, slots=True)
class Ring:
    """A page that reached the phone, once however often it was posted; `copies` counts that."""

    at: datetime
    page: Page
    copies: int = 1

    @property
    def rings(self) -> bool:
        """Whether it wants an answer; other kinds only tell."""
        return self.page.kind == "alert"

    @property
    def alert_id(self) -> str | None:
        """The alert that it is about."""
        return self.page.alert.id if self.page.alert is not None else None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer from the phone, and what Tocsin said to it. `code` 0: Tocsin did not answer."""

    at: datetime
    ring: Ring
    action: Action
    code: int
    status: str
    message: str

    @property
    def accepted(self) -> bool:
        """Whether Tocsin took it."""
        return self.code == 200
