"""The rest of the state machine: duty, time, workers and what befalls them."""

import asyncio
from datetime import timedelta

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.machine.choices import CREWS, EVENTS, METHOD, PASSING, PLACES, WHO
from tests.machine.fates import How, Process
from tests.machine.handsets import Mood
from tests.machine.installation import ACTORS, METHODS, POLICIES
from tests.machine.machine import Alarms
from tocsin.actions import duty
from tocsin.core.event import Event


class Nights(Alarms):
    """The same while duty changes, time passes and processes die."""

    # Duty.

    @rule(tier=st.sampled_from(["1", "2"]), who=st.sampled_from([None, *sorted(ACTORS)]))
    def relief(self, tier: str, who: str | None) -> None:
        self.step(self._relief(tier, who))

    async def _relief(self, tier: str, who: str | None) -> None:
        now = self.town.now
        await self.town.sql(
            "UPDATE shift SET during = tstzrange(lower(during), $2)"
            " WHERE team_id = 1 AND tier = $1 AND during @> $2::timestamptz",
            tier,
            now,
        )
        if who is not None:
            await self.town.sql(
                "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why)"
                " VALUES (1, 1, $1, $2, tstzrange($3, '2026-11-25'), 'rotation weeks')",
                tier,
                ACTORS[who],
                now,
            )

    @rule(place=PLACES, who=WHO, minutes=st.sampled_from([None, 2, 9]))
    def punch_in(self, place: int, who: str, minutes: int | None) -> None:
        self.step(self._punch_in(place, who, minutes))

    async def _punch_in(self, place: int, who: str, minutes: int | None) -> None:
        until = None if minutes is None else self.town.now + timedelta(minutes=minutes)
        await self.town.by(
            place,
            lambda one: duty.punch_in(one.world, 1, ACTORS[who], tier="1", until=until, by=who),
        )

    @rule(body=st.sampled_from(sorted(POLICIES)))
    def policy_edited(self, body: str) -> None:
        self.step(
            self.town.sql(
                "UPDATE escalation_policy SET body = $1 WHERE team_id = 1 AND name = 'default'",
                msgspec.json.encode(POLICIES[body]).decode(),
            )
        )

    @rule()
    def all_punch_out(self) -> None:
        self.step(
            self.town.sql(
                "UPDATE punch SET during = tstzrange(lower(during), $1)"
                " WHERE during @> $1::timestamptz",
                self.town.now,
            )
        )

    @rule(who=WHO, active=st.booleans())
    def activity(self, who: str, active: bool) -> None:
        self.step(self.town.activity(who, active=active))

    @rule(which=METHOD, why=st.sampled_from([None, "lost"]))
    def method_switched(self, which: str, why: str | None) -> None:
        self.step(
            self.town.sql(
                "UPDATE contact_method SET disabled = $1 WHERE id = $2", why, METHODS[which]
            )
        )

    @rule(minutes=st.sampled_from([None, 3, 12]))
    def maintenance(self, minutes: int | None) -> None:
        self.step(self._maintenance(minutes))

    async def _maintenance(self, minutes: int | None) -> None:
        await self.town.sql("DELETE FROM maintenance_window")
        if minutes is not None:
            now = self.town.now
            body = (
                f'{{"from": "{now:%Y-%m-%dT%H:%M:%SZ}", "reason": "new disks", "to":'
                f' "{now + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"}}'
            )
            await self.town.sql(
                "INSERT INTO maintenance_window (name, team_id, body) VALUES ('disks', 1, $1)", body
            )
        # As `configure` does it after an edit.
        await self.town.sql(
            "UPDATE alert SET next_step_at = $1 WHERE status = 'open'"
            " AND suppressed_until IS NOT NULL AND next_step_at > $1"
            " AND starts_with(suppressed, 'maintenance ')",
            self.town.now,
        )

    # Workers.

    @rule(place=CREWS)
    def work(self, place: int | None) -> None:
        self.step(self.town.work(place))

    @rule(seconds=PASSING, place=CREWS)
    def time_passes(self, seconds: int, place: int | None) -> None:
        self.step(self.town.live(timedelta(seconds=seconds), place))

    @rule(place=PLACES)
    def a_minute_passes(self, place: int) -> None:
        self.step(self.town.live(timedelta(seconds=61), place))

    @rule(seconds=PASSING)
    def outage(self, seconds: int) -> None:
        self.step(self.town.outage(timedelta(seconds=seconds)))

    @rule(place=PLACES, how=st.sampled_from(How), moments=st.integers(1, 25))
    def trouble_ahead(self, place: int, how: How, moments: int) -> None:
        process = self.town.processes[place]
        if not process.frozen:
            process.fate.arm(how, moments)

    @rule(place=PLACES, event=EVENTS, rang=st.booleans())
    def killed_while_sending(self, place: int, event: Event, rang: bool) -> None:
        if not self.town.processes[place].frozen:
            self.step(self._killed(place, event, rang=rang))

    async def _killed(self, place: int, event: Event, *, rang: bool) -> None:
        """`rang`: the provider has taken what was sent, and nobody has written it down."""
        process = await self._sending(place, event)
        if rang:
            process.thaw()
            await asyncio.sleep(0.01)
        process.fate.strikes += 1
        process.fate.died.set()
        await self.town.bury()

    @precondition(lambda self: not any(one.frozen for one in self.town.processes))
    @rule(place=PLACES, event=EVENTS)
    def frozen_while_sending(self, place: int, event: Event) -> None:
        self.step(self._sending(place, event))

    async def _sending(self, place: int, event: Event) -> Process:
        """A process that hangs in the middle of sending what is due, a new alarm at least."""
        await self.town.post(place, [event])
        process = self.town.processes[place]
        process.fate.how = None
        process.freeze()
        await process.do(process.deliverer.launch())
        await asyncio.sleep(0.01)
        return process

    @precondition(lambda self: any(one.frozen for one in self.town.processes))
    @rule(ends=st.sampled_from(Mood))
    def thawed(self, ends: Mood) -> None:
        """A paused process goes on; `ends` is how every provider takes what it was sending."""
        for process in self.town.processes:
            if process.frozen:
                self.town.exchange.mood = ends
                self.step(self.town.thaw(process))
                self.town.exchange.mood = None
