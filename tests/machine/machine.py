"""The state machine: what senders, people and providers may do, in any order."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.databases import Databases
from tests.machine.choices import (
    ANSWERS,
    EVENTS,
    KEYS,
    METHOD,
    PLACES,
    PLAIN,
    SAID,
    WHO,
    WORDS,
    AskedOf,
    by,
    whom,
)
from tests.machine.fates import owned_tasks
from tests.machine.handsets import Mood
from tests.machine.installation import ACTORS
from tests.machine.looking import nothing
from tests.machine.town import Town, town
from tocsin.actions.asked import reassigned, responders_added
from tocsin.actions.deliver import reported
from tocsin.actions.page import page_due
from tocsin.actions.reply import AlertRef, Answer, Asked, change
from tocsin.core.alert import Changed, Refused, Unchanged
from tocsin.core.changes import (
    Acknowledged,
    Change,
    Closed,
    SeverityRaised,
    Snoozed,
)
from tocsin.core.event import Answer as Word
from tocsin.core.event import Event, Said
from tocsin.core.kinds import Severity
from tocsin.core.notification import State
from tocsin.core.routing import URGENCY
from tocsin.store.outbox import Through

T = TypeVar("T")


class Alarms(RuleBasedStateMachine):
    """One installation from a quiet night on: what senders, people and providers do."""

    def __init__(self, databases: Databases) -> None:
        super().__init__()
        self._databases = databases
        self._dsn = databases.migrated()
        self._failed = False
        self._runner = asyncio.Runner()
        self._runner.get_loop().set_task_factory(owned_tasks)
        self._scene = town(self._dsn)
        self.town: Town = self.wait(self._scene.__aenter__())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._runner.run(work)
        except BaseException:
            self._failed = True
            raise

    def step(self, work: Coroutine[Any, Any, T]) -> T:
        """Something happens, a moment after what happened before."""
        self.wait(self.town.moment())
        return self.wait(work)

    def teardown(self) -> None:
        try:
            if not self._failed:
                self.wait(self._morning())
        finally:
            self.wait(self._scene.__aexit__(None, None, None))
            self._runner.close()
            self._databases.drop(self._dsn)

    async def _morning(self) -> None:
        """Everything works again, and the ledger tells of no broken promise."""
        here = self.town
        for process in here.processes:
            process.fate.how = None
            if process.frozen:
                await here.thaw(process)
        here.exchange.moods.clear()
        await here.live(timedelta(minutes=7), 0)
        await here.check()
        nothing(await here.verified())

    @invariant()
    def promises_hold(self) -> None:
        self.wait(self.town.check())

    # Senders.

    @initialize(place=PLACES, event=EVENTS)
    def first_alarm(self, place: int, event: Event) -> None:
        self.step(self.town.post(place, [event]))

    @rule(place=PLACES, event=EVENTS)
    def alarm(self, place: int, event: Event) -> None:
        self.step(self.town.post(place, [event]))

    @rule(place=PLACES, said=SAID)
    def batch(self, place: int, said: list[Said]) -> None:
        self.step(self.town.post(place, said))

    @rule(place=PLACES, word=WORDS)
    def sender_answers(self, place: int, word: Word) -> None:
        self.step(self.town.post(place, [word]))

    @rule(event=EVENTS)
    def both_take_the_same_alarm(self, event: Event) -> None:
        self.step(self._both_take(event))

    async def _both_take(self, event: Event) -> None:
        awake = [one for one in self.town.processes if not one.frozen]
        await asyncio.gather(*(self.town.posted(one, [event]) for one in awake))
        await self.town.bury()

    # People.

    def answers(self, place: int, key: str, asked: Asked) -> Answer | None:
        return self.step(self.town.answer(place, key, asked))

    @rule(place=PLACES, key=KEYS, who=WHO, what=st.sampled_from(ANSWERS))
    def answer(self, place: int, key: str, who: str, what: str) -> None:
        self.answers(place, key, self.asked(who, what))

    def asked(self, who: str, what: str) -> Asked:
        if what.startswith("snooze "):
            minutes = int(what.removeprefix("snooze "))
            return Snoozed(by(who), self.town.now + timedelta(minutes=minutes))
        return PLAIN[what](by(who))

    @rule(
        place=PLACES,
        key=KEYS,
        who=WHO,
        to=st.sampled_from([*sorted(ACTORS), "soc", "plant"]),
        make=st.sampled_from([reassigned, responders_added]),
    )
    def ask_others(self, place: int, key: str, who: str, to: str, make: AskedOf) -> None:
        self.answers(place, key, make(by(who), whom(to), None))

    @rule(place=PLACES, key=KEYS, to=st.sampled_from([Severity.CRITICAL, Severity.HIGH]))
    def worse(self, place: int, key: str, to: Severity) -> None:
        self.answers(place, key, SeverityRaised(to, URGENCY[to]))

    @rule(key=KEYS, first=WHO, second=WHO, work=st.booleans())
    def both_acknowledge(self, key: str, first: str, second: str, work: bool) -> None:
        """Of two at the same time one owns it, and the other is told who was first (I5)."""
        if any(one.frozen or one.fate.how for one in self.town.processes) or first == second:
            return
        self.step(self._race(key, first, second, work=work))

    async def _race(self, key: str, first: str, second: str, *, work: bool) -> None:
        alert = await self.town.newest(key)
        if alert is None:
            return
        row = await self.town.eye.fetchrow(
            "SELECT status, mode, state->'responders' @> to_jsonb($2::int)"
            " OR state->'responders' @> to_jsonb($3::int) AS asked FROM alert WHERE id = $1",
            alert,
            ACTORS[first],
            ACTORS[second],
        )
        assert row is not None
        acts = [
            process.do(change(process.world, AlertRef(1, alert), Acknowledged(by(who))))
            for process, who in zip(self.town.processes, (first, second), strict=True)
        ]
        others = [one.do(page_due(one.world)) for one in self.town.processes if work]
        told = await asyncio.gather(*acts, *others)
        answers = [one for one in told[:2] if isinstance(one, Answer)]
        assert len(answers) == 2
        if row["status"] == "open" and row["mode"] == "single" and not row["asked"]:
            won = [one for one in answers if isinstance(one.outcome, Changed)]
            lost = [one for one in answers if isinstance(one.outcome, Unchanged)]
            assert (len(won), len(lost)) == (1, 1), [one.outcome for one in answers]
            owner = await self.town.eye.fetchval("SELECT owner_id FROM alert WHERE id = $1", alert)
            assert won[0].alert.owner == owner
            name = next(name for name, number in ACTORS.items() if number == owner)
            assert isinstance(lost[0].outcome, Unchanged)
            assert name in lost[0].outcome.reason, lost[0].outcome
        if row["status"] == "closed":
            assert all(isinstance(one.outcome, Refused) for one in answers)

    @rule(event=EVENTS, key=KEYS, who=WHO, what=st.sampled_from(ANSWERS))
    def everything_at_once(self, event: Event, key: str, who: str, what: str) -> None:
        """Both work while somebody answers and an alarm comes in."""
        self.step(self.town.all_at_once([event], key, self.asked(who, what)))

    @rule(place=PLACES, number=st.integers(0, 30), action=st.sampled_from(["acknowledge", "close"]))
    def answer_a_page(self, place: int, number: int, action: str) -> None:
        self.step(self._answer_page(place, number, action))

    async def _answer_page(self, place: int, number: int, action: str) -> None:
        page = await self._page(number)
        if page is None or page["alert_id"] is None or page["user_name"] is None:
            return
        who = by(page["user_name"])
        asked: Change = Acknowledged(who) if action == "acknowledge" else Closed(who)
        through = Through(page["team_id"], page["id"], action, who)
        key = page["external_id"]
        if await self.town.newest(key) == page["alert_id"]:
            await self.town.answer(place, key, asked, through)

    # Providers.

    @rule(who=METHOD, mood=st.sampled_from(Mood))
    def mood(self, who: str, mood: Mood) -> None:
        self.town.exchange.moods[who] = mood

    @rule(
        place=PLACES,
        number=st.integers(0, 30),
        state=st.sampled_from([State.DELIVERED, State.SEEN, State.FAILED]),
        twice=st.booleans(),
    )
    def receipt(self, place: int, number: int, state: State, twice: bool) -> None:
        for _ in range(2 if twice else 1):
            self.step(self._receipt(place, number, state))

    async def _receipt(self, place: int, number: int, state: State) -> None:
        page = await self._page(number)
        if page is not None:
            await self.town.by(
                place, lambda one: reported(one.world, page["team_id"], page["id"], state, "so")
            )

    async def _page(self, number: int) -> asyncpg.Record | None:
        """One of the last pages that a provider was handed."""
        found: asyncpg.Record | None = await self.town.eye.fetchrow(
            "SELECT n.*, a.external_id, u.name AS user_name FROM notification n"
            " LEFT JOIN alert a ON a.id = n.alert_id LEFT JOIN app_user u ON u.id = n.user_id"
            " WHERE n.tries > 0 ORDER BY n.planned_at DESC, n.due_at DESC, n.method_id, n.attempt"
            " LIMIT 1 OFFSET $1",
            number,
        )
        return found
