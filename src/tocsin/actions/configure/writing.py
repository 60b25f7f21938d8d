"""Changes of the configuration written, with what follows from each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from tocsin.actions.configure.absent import absent_on_duty
from tocsin.actions.configure.difference import Act, Change
from tocsin.actions.configure.sealing import Copied, Entered, signs_itself
from tocsin.actions.configure.shape import Item
from tocsin.actions.configure.standing import Planned, planned, settle
from tocsin.actions.configure.unable import unable
from tocsin.core.notation import listing, mapping, optional_text
from tocsin.keys import Keys, new_signing_key
from tocsin.store import connectors, integrations, people, shifts
from tocsin.store.configuration import (
    Held,
    Holdings,
    Key,
    Kind,
    bump,
    drop,
    hold,
    keep_members,
    new_id,
    place_address,
    put,
    quiet,
    touch,
)
from tocsin.store.db import Connection, run
from tocsin.store.maintenance import look_again
from tocsin.store.outbox import poll_now

_SHIFTING = {Kind.TEAM, Kind.SCHEDULE, Kind.OVERRIDE}
_EVERYWHERE = {Kind.USER, Kind.METHOD, Kind.RULE, Kind.SETTING}


@dataclass(slots=True)
class Writer:
    """Writes changes in one transaction. `editor` is None for a file, else who edits here.

    With `keep_current` an edited schedule takes effect when the shifts that run now end. `notes`
    is what there is to tell afterwards.
    """

    connection: Connection
    keys: Keys
    holdings: Holdings
    now: datetime
    editor: str | None
    secrets: Mapping[Key, Entered | Copied] = field(default_factory=dict[Key, Entered | Copied])
    keep_current: bool = False
    notes: list[str] = field(default_factory=list[str])
    stale: set[int] = field(default_factory=set[int])
    shifted: set[int] = field(default_factory=set[int])

    async def write(self, changes: Iterable[Change]) -> list[Held]:
        """Remove, then make; then the shifts of the teams that this touches are worked out.

        Answers the objects that were made or changed, as they are now.
        """
        written: list[Held] = []
        ordered = sorted(changes, key=lambda change: change.act is not Act.REMOVE)
        for change in ordered:
            self._touched(change.key, self.holdings.teams.get(change.key.owner))
        for team in sorted(self.shifted):  # before any row, as everybody who changes duty
            await shifts.hold(self.connection, team)
        if rows := any(change.key.kind is Kind.TEAM for change in ordered):
            await hold(self.connection, self.stale)
        before = await self._planned()
        copied = {key: await self._text(secret) for key, secret in self.secrets.items()}
        for change in ordered:
            if change.key.kind is Kind.INTEGRATION and change.key in copied and change.held:
                await _free_address(self.connection, change.held)
        for change in ordered:
            written += await self._one(change, copied.get(change.key))
        self.stale &= set(self.holdings.teams.values())
        for window in [change.held for change in ordered if change.key.kind is Kind.MAINTENANCE]:
            if window is not None:
                await look_again(self.connection, window.team, self.now)
        self.notes += await settle(self.connection, ordered, self.holdings, before)
        shifted = sorted(self.shifted & self.stale)
        for team in shifted:
            await shifts.materialise(self.connection, team, self.now)
        self.notes += await absent_on_duty(self.connection, shifted, self.now)
        people = any(change.key.kind in {Kind.USER, Kind.TEAM} for change in ordered)
        concerned = self.stale if people else shifted
        self.notes += await unable(self.connection, concerned, self.now)
        if not rows:  # last: new alerts take their numbers in the rows of teams
            await hold(self.connection, self.stale)
        await bump(self.connection, sorted(self.stale))
        return written

    async def _planned(self) -> Planned:
        """What is planned before anything is written, where that is to be kept."""
        if not self.keep_current:
            return {}
        names = {team: name for name, team in self.holdings.teams.items() if team in self.shifted}
        return await planned(self.connection, names, self.now)

    async def _one(self, change: Change, secret: str | None) -> list[Held]:
        match change.act:
            case Act.REMOVE:
                assert change.held is not None
                await self._remove(change.held)
                return []
            case Act.ADOPT:
                assert change.held is not None
                assert change.wanted is not None
                await touch(self.connection, self._owned(change.held, change.wanted))
                return []
            case Act.CREATE | Act.CHANGE:
                assert change.wanted is not None
                held = await self._put(change.held, change.wanted, secret)
                self._touched(held.key, held.team)
                return [held]
            case _:
                assert_never(change.act)

    async def _put(self, former: Held | None, wanted: Item, secret: str | None) -> Held:
        held = self._owned(former or await self._fresh(wanted), wanted)
        columns = self._sealed(former, held, secret)
        await put(self.connection, held, new=former is None, columns=columns)
        match held.key.kind:
            case Kind.USER:
                self.holdings.users[held.key.owner] = held.id
            case Kind.TEAM:
                self.holdings.teams[held.key.owner] = held.id
                await keep_members(self.connection, held.id, self._members(held.body))
            case Kind.SCHEDULE:
                self.holdings.schedules[held.key.names] = held.id
            case Kind.INTEGRATION if secret is not None:
                await place_address(self.connection, held, self.keys.hash(secret))
            case Kind.CONNECTOR:
                await poll_now(self.connection, _owner(held), held.id, self.now)
            case _:
                pass
        return held

    async def _fresh(self, wanted: Item) -> Held:
        key = wanted.key
        number = await new_id(self.connection, key.kind)
        team = self.holdings.teams.get(key.owner) if key.kind.of_team else None
        user = self.holdings.users.get(key.owner) if key.kind.of_user else None
        return Held(
            key=key,
            id=number,
            body=wanted.body,
            team=number if key.kind is Kind.TEAM else team,
            user=number if key.kind is Kind.USER else user,
            parent=self.holdings.schedules[key.names[:2]] if key.kind is Kind.OVERRIDE else None,
        )

    def _owned(self, held: Held, wanted: Item) -> Held:
        """The object as it will be: what a file writes is the file's, an edit stays an edit."""
        changed = replace(held, body=wanted.body, position=wanted.position)
        if held.key.kind is Kind.MAINTENANCE:
            name = optional_text(wanted.body.get("team"))
            changed = replace(changed, team=None if name is None else self.holdings.teams[name])
        if self.editor is None:
            return replace(changed, file_body=wanted.body, changed_by=None, changed_at=None)
        return replace(changed, changed_by=self.editor, changed_at=self.now)

    def _sealed(self, former: Held | None, held: Held, secret: str | None) -> dict[str, object]:
        match held.key.kind:
            case Kind.INTEGRATION if secret is not None:
                context = integrations.seal_context(_owner(held), held.id)
                return {"sealed_secret": self.keys.seal(secret, context)}
            case Kind.CONNECTOR if secret is not None:
                context = connectors.seal_context(_owner(held), held.id)
                return {"sealed_secret": self.keys.seal(secret, context)}
            case Kind.CONNECTOR if "stored" not in mapping(held.body.get("credential")):
                return {"sealed_secret": None}
            case Kind.METHOD:
                return self._signing_key(former, held)
            case Kind.MAINTENANCE:
                return {"team_id": held.team}
            case _:
                return {}

    def _signing_key(self, former: Held | None, held: Held) -> dict[str, object]:
        if not signs_itself(held.key, held.body):
            return {"sealed_key": None}
        if former is not None and signs_itself(former.key, former.body):
            return {}
        return {"sealed_key": self.keys.seal(new_signing_key(), people.seal_context(held.id))}

    async def _text(self, secret: Entered | Copied) -> str:
        if isinstance(secret, Entered):
            return secret.text
        held = secret.held
        team = _owner(held)
        if held.key.kind is Kind.INTEGRATION:
            sealed = await integrations.sealed_secret(self.connection, team, held.id)
            context = integrations.seal_context(team, held.id)
        else:
            found = await connectors.connector(self.connection, team, held.id)
            sealed = found.sealed_secret if found else None
            context = connectors.seal_context(team, held.id)
        assert sealed is not None, "a body with the hash of a secret has the secret beside it"
        return self.keys.open(sealed, context).decode()

    async def _remove(self, held: Held) -> None:
        if held.key.kind is Kind.TEAM:
            await quiet(self.connection, held.id)
            self.holdings.teams.pop(held.key.owner, None)
        if held.key.kind is Kind.USER:
            self.holdings.users.pop(held.key.owner, None)
        await drop(self.connection, held)

    def _touched(self, key: Key, team: int | None) -> None:
        """Note whose copies are stale; `team` is the id of the team that owns the object."""
        if key.kind in _EVERYWHERE:
            self.stale.update(self.holdings.teams.values())
        elif team is not None and (key.kind.of_team or key.kind is Kind.TEAM):
            self.stale.add(team)
            if key.kind in _SHIFTING:
                self.shifted.add(team)

    def _members(self, body: Mapping[str, object]) -> list[tuple[int, str | None]]:
        members: list[tuple[int, str | None]] = []
        for entry in listing(body.get("members")):
            name = str(mapping(entry).get("user", entry))
            role = optional_text(mapping(entry).get("role"))
            members.append((self.holdings.users[name], role))
        return members


def _owner(held: Held) -> int:
    assert held.team is not None, "a team owns it"
    return held.team


async def _free_address(connection: Connection, held: Held) -> None:
    await run(
        connection, "DELETE FROM address WHERE team_id = $1 AND row_id = $2", held.team, held.id
    )
