"""The story of the demo: one incident from Sentinel to the phone and back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from tocsin.core.notation import duration
from tocsin.demo.cloud import Cloud, SentinelIncident
from tocsin.demo.configuration import ACCOUNT, LABEL, ON_DUTY, REPEAT_EVERY
from tocsin.demo.phone import Action, Phone, Reply, Ring
from tocsin.demo.steps import WITHIN, Look, Sight, Teller, clock_time
from tocsin.demo.view import AlertView, PageView, TocsinView

TITLE = "Sign-ins from two continents within one hour"
ON_IT = "On it."
DONE = "Account locked, sessions revoked."
SILENCE = duration(REPEAT_EVERY) + timedelta(seconds=1)
_WENT_OUT = frozenset({"sent", "delivered", "seen", "answered", "bundled"})
"""After so long the phone would have rung again."""


@dataclass(slots=True)
class Story:
    """One incident. `play` may be called once; each of its steps has the time `within`."""

    cloud: Cloud
    phone: Phone
    tocsin: TocsinView
    teller: Teller
    within: timedelta = WITHIN
    _incident: SentinelIncident = field(init=False)
    _alert: AlertView | None = field(init=False, default=None)
    _reply: Reply | None = field(init=False, default=None)

    async def play(self) -> bool:
        """Tell the story; stops at the first step that does not come true, and is False then."""
        self._incident = self.cloud.add_sentinel_incident(
            title=TITLE,
            severity="High",
            description="One account signed in from Lisbon and from Osaka, 41 minutes apart.",
            alerts=2,
        )
        steps: Sequence[tuple[str, Look]] = (
            ("A high-severity incident appears in Sentinel; Tocsin polls it", self._appears),
            ("Mara, who is on duty, is paged on the phone", self._rings(1)),
            ("Nobody answers yet, so the phone rings again", self._rings(2)),
            ("Mara acknowledges on the phone", self._pressed("acknowledge", ON_IT, self._taken)),
            ("The incident is hers in Sentinel", self._taken_there),
            ("The time of the next ring passes in silence", self._silent),
            ("Mara closes on the phone", self._pressed("close", DONE, self._ended)),
            ("The incident is closed in Sentinel", self._ended_there),
        )
        for title, look in steps:
            if not await self.teller.step(title, self._looking(look), self.within):
                return False
        return True

    def _looking(self, look: Look) -> Look:
        """An end that does not answer is a sight too."""

        async def looking() -> Sequence[Sight]:
            try:
                self._alert = await self.tocsin.alert(self._incident.id)
                return await look()
            except httpx.HTTPError as error:
                return [Sight("Tocsin", "an answer of its API", repr(error), holds=False)]

        return looking

    async def _appears(self) -> Sequence[Sight]:
        alert, incident = self._alert, self._incident
        if alert is None:
            error = await self.tocsin.poll_error()
            seen = "no alert" if error is None else f"no alert; the last poll failed: {error}"
        else:
            seen = f"alert #{alert.number}, {_how(alert)}, severity {alert.severity}"
        good = alert is not None and (alert.status, alert.severity) == ("open", "high")
        return (
            self._sentinel("New", incident.status == "New", f", severity {incident.severity}"),
            Sight("Tocsin", "an open alert of severity high", seen, holds=good),
        )

    def _rings(self, times: int) -> Look:
        async def look() -> Sequence[Sight]:
            rang = self._rang()
            pages = [page for page in await self._pages() if page.state in _WENT_OUT]
            attempts = [f"attempt {ring.page.attempt} at {clock_time(ring.at)}" for ring in rang]
            seen = f"rang {_times(len(rang))}: {', '.join(attempts)}" if rang else "did not ring"
            sent = [f"attempt {page.attempt} to {page.user}" for page in pages]
            return (
                Sight("phone", f"rings {_times(times)} at least", seen, holds=len(rang) >= times),
                Sight(
                    "Tocsin",
                    f"{times} accepted by the phone, in the ledger",
                    f"ledger: sent {', '.join(sent) or 'nothing'}",
                    holds=len(pages) >= times,
                ),
            )

        return look

    def _pressed(self, action: Action, comment: str, then: Callable[[], Sequence[Sight]]) -> Look:
        """Press the button once, then look."""
        pressed: list[Reply] = []

        async def look() -> Sequence[Sight]:
            if not pressed:
                pressed.append(await self.phone.answer(self._rang()[-1], action, comment))
                self._alert = await self.tocsin.alert(self._incident.id)
            reply = pressed[0]
            said = reply.message or f"status {reply.status}"
            seen = f"{action}, “{comment}”; Tocsin answers: {said}"
            phone = Sight("phone", f"{action} is accepted", seen, holds=reply.accepted)
            return (phone, *then())

        return look

    def _taken(self) -> Sequence[Sight]:
        alert = self._alert
        good = alert is not None and (alert.status, alert.owner) == ("acknowledged", ON_DUTY)
        return (Sight("Tocsin", f"acknowledged, owner {ON_DUTY}", _how(alert), holds=good),)

    async def _taken_there(self) -> Sequence[Sight]:
        incident = self._incident
        owner = incident.owner.user_principal_name if incident.owner is not None else None
        good = (
            (incident.status, owner) == ("Active", ACCOUNT)
            and LABEL in incident.labels
            and any(ON_IT in comment.message for comment in incident.comments)
        )
        return (
            self._sentinel(f"Active, owner {ACCOUNT}, label {LABEL}, a comment", good),
            await self._written(1),
        )

    async def _silent(self) -> Sequence[Sight]:
        """No page rings that was posted after the acknowledgement."""
        taken = next(reply.at for reply in self.phone.replies if self._ours(reply.ring))
        waited = self.teller.clock.now() - taken
        late = [ring for ring in self._rang() if ring.at > taken]
        phone = f"rang {_times(len(late))} after the acknowledgement" if late else "silent"
        unsent = [page.state for page in await self._pages() if page.state not in _WENT_OUT]
        return (
            Sight("phone", "silent", phone, holds=not late and waited > SILENCE),
            Sight(
                "Tocsin",
                "no page is still to be sent",
                f"ledger: {', '.join(unsent) or 'nothing more'}",
                holds=set(unsent) <= {"cancelled"},
            ),
        )

    def _ended(self) -> Sequence[Sight]:
        alert = self._alert
        closed_by = alert.closed_by if alert is not None else None
        good = closed_by is not None and closed_by.user == ON_DUTY
        return (Sight("Tocsin", f"closed by {ON_DUTY}", _how(alert), holds=good),)

    async def _ended_there(self) -> Sequence[Sight]:
        incident = self._incident
        good = (incident.status, incident.classification) == ("Closed", "TruePositive") and any(
            DONE in comment.message for comment in incident.comments
        )
        expected = "Closed, classification TruePositive, a comment"
        return (self._sentinel(expected, good), await self._written(2))

    def _sentinel(self, expected: str, holds: bool, more: str = "") -> Sight:
        incident = self._incident
        seen = f"incident {incident.number} is {incident.status}{more}"
        if incident.owner is not None:
            seen += f", owner {incident.owner.user_principal_name or incident.owner.assigned_to}"
        if incident.labels:
            seen += f", label {', '.join(incident.labels)}"
        if incident.classification is not None:
            seen += f", classification {incident.classification}"
        if incident.comments:
            seen += f", last comment “{incident.comments[-1].message}”"
        return Sight("Sentinel", expected, seen, holds=holds)

    async def _written(self, count: int) -> Sight:
        """What Tocsin itself knows of its writes to Sentinel."""
        writes = await self.tocsin.writes(self._incident.id)
        told = [state if detail is None else f"{state}: {detail}" for state, detail in writes]
        good = len(writes) >= count and all(state == "written" for state, _ in writes)
        seen = f"{_how(self._alert)}; writes to Sentinel: {', '.join(told) or 'none'}"
        return Sight("Tocsin", f"{count} writes to Sentinel are done", seen, holds=good)

    def _ours(self, ring: Ring) -> bool:
        return self._alert is not None and ring.alert_id == self._alert.id

    def _rang(self) -> tuple[Ring, ...]:
        if self._alert is None:
            return ()
        return tuple(ring for ring in self.phone.rung(ON_DUTY, self._alert.id) if ring.rings)

    async def _pages(self) -> tuple[PageView, ...]:
        return await self.tocsin.pages(self._alert.id) if self._alert is not None else ()


def _how(alert: AlertView | None) -> str:
    """How the alert stands, in a few words."""
    if alert is None:
        return "no alert"
    if alert.closed_by is not None:
        return f"closed by {alert.closed_by.user} via {alert.closed_by.via}"
    if alert.owner is not None:
        via = ", ".join(answer.via for answer in alert.acknowledged_by)
        return f"{alert.status}, owner {alert.owner} via {via}"
    return alert.status


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
