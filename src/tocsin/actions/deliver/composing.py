"""What the message of a claimed page says, and where it goes."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
import structlog

from tocsin.actions.deliver.gathering import Letter
from tocsin.actions.deliver.knowing import WEBHOOK, Known
from tocsin.actions.deliver.reaching import Channels
from tocsin.actions.links import links
from tocsin.actions.shown import alert_object
from tocsin.actions.world import World
from tocsin.core import ids
from tocsin.core.alert import Alert
from tocsin.core.effects import Purpose
from tocsin.core.message import Words, words, words_for_many
from tocsin.core.notification import State, repeat_at, retry_at
from tocsin.keys import Keys, SealError
from tocsin.ports import Address, Channel, MessageKind, Outgoing, SecretMissingError
from tocsin.store.outbox import PAGE_LEASE, Due, Settled

log = structlog.get_logger()

_WHOLE = 20
_TEXT = 300


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed message, to be handed to its channel before the lease ends; whom it carries."""

    due: Due
    carried: tuple[Due, ...]
    channel: Channel
    medium: str
    message: Outgoing
    address: Address
    lease_until: datetime

    def all(self, settled: Settled, now: datetime) -> list[Settled]:
        """What became of the message, for each page in it."""
        carried = (_carried(settled, due, self.message.id, now) for due in self.carried)
        return [settled, *carried]


def made(
    world: World, channels: Channels, known: Known, letter: Letter, now: datetime
) -> Ready | list[Settled]:
    """The message as it goes out, or why it does not; never raises."""
    due = letter.carrier
    try:
        return _made(world, channels, known, letter, now)
    except (SecretMissingError, SealError) as fault:  # it waits for somebody to put it right
        reason = str(fault)
    except _Unreachable as fault:
        settled = Settled(due=due, state=State.FAILED, detail=str(fault), failed=fault.name)
        return [replace(settled, due=one) for one in (due, *letter.carried)]
    except Exception as fault:
        # A plug-in that cannot be loaded, a row that makes no sense: this page alone waits.
        log.exception("a page cannot be made", notification=ids.encode(due.team, due.id))
        reason = f"the message cannot be made: {type(fault).__name__}"
    method = known.method(due)
    failed = None if method is None else method.name
    again = retry_at(due.tries, None, now)
    settled = Settled(due=due, state=State.PLANNED, detail=reason, again_at=again, failed=failed)
    return [replace(settled, due=one) for one in (due, *letter.carried)]


class _Unreachable(Exception):  # noqa: N818 - a reason for the ledger
    """Nothing that time would change: the channel or webhook does not exist."""

    def __init__(self, reason: str, name: str) -> None:
        super().__init__(reason)
        self.name = name


def _made(world: World, channels: Channels, known: Known, letter: Letter, now: datetime) -> Ready:
    due = letter.carrier
    place = _place(world, known, due)
    channel = channels.get(place.medium, known.settings.get(place.medium, {}))
    if channel is None:
        raise _Unreachable(f"the channel {place.medium} is not installed", place.name)
    machine = channel.capabilities.machine
    message = _message(world, known, letter, place.name, machine=machine)
    lease_until = now + PAGE_LEASE
    return Ready(due, letter.carried, channel, place.medium, message, place.address, lease_until)


@dataclass(frozen=True, slots=True)
class _Place:
    medium: str
    name: str
    address: Address


def _place(world: World, known: Known, due: Due) -> _Place:
    method = known.method(due)
    if method is not None:
        signing = method.signing_key(world.keys, world.secrets)
        return _Place(
            method.channel, method.name, Address(value=method.address, signing_key=signing)
        )
    assert due.webhook is not None, "a page goes to a contact method or to a webhook"
    if due.webhook.startswith(("https://", "http://")):
        signing = _derived(world.keys, due.webhook)
        return _Place(WEBHOOK, due.webhook, Address(value=due.webhook, signing_key=signing))
    entry = known.webhooks.get(due.webhook)
    if entry is None or not entry.get("url"):
        reason = f"there is no webhook {due.webhook!r}: add it under `webhooks`, or change the step"
        raise _Unreachable(reason, due.webhook)
    reference: Mapping[str, Any] = entry.get("signing_key") or {}
    named = "secret_env" in reference
    signing = world.secrets(reference) if named else _derived(world.keys, due.webhook)
    address = Address(value=str(entry["url"]), signing_key=signing)
    return _Place(WEBHOOK, due.webhook, address)


def _derived(keys: Keys, webhook: str) -> str:
    """What a webhook without a key of its own is signed with."""
    return "whsec_" + base64.b64encode(keys.hash(f"webhook {webhook}")).decode()


def _message(world: World, known: Known, letter: Letter, method: str, *, machine: bool) -> Outgoing:
    due = letter.carrier
    about = _alerts(known, letter)
    team = known.teams[due.team]
    said = _said(due, about, team)
    signed = dict(links(world.keys, world.public_url, due.team, due.id))
    if not about or due.promise.user is None:  # nobody could use them
        signed = {}
    elif not machine:
        del signed["reply"]
    shown = [
        alert_object(_short(alert, len(about)), team, known.users, ids.encode(alert.team, alert.id))
        for alert in about
    ]
    return Outgoing(
        id=ids.encode(due.team, due.id),
        kind=_KINDS[due.promise.purpose],
        user=known.users.get(due.promise.user or 0, "" if due.webhook else "?"),
        contact_method=method,
        urgency=due.urgency,
        step=due.step + 1,
        attempt=due.attempt,
        subject=said.subject,
        text=said.text,
        body=said.body,
        alert=shown[0] if shown else None,
        alerts=tuple(shown) if len(shown) > 1 else (),
        links=signed,
    )


def _alerts(known: Known, letter: Letter) -> list[Alert]:
    """The alerts of a message, each once, its carrier's first."""
    found = [known.alert(due) for due in (letter.carrier, *letter.carried)]
    return list({alert.id: alert for alert in found if alert is not None}.values())


def _short(alert: Alert, count: int) -> Alert:
    """An alert as a message about very many shows it: receivers limit what they take."""
    if count <= _WHOLE:
        return alert
    return replace(alert, text=alert.text[:_TEXT], details={}, links=())


def _said(due: Due, about: list[Alert], team: str) -> Words:
    if due.promise.purpose is Purpose.NOTICE:
        return _words.decode(due.body or "{}")
    if len(about) > 1:
        return words_for_many(about, due.promise.purpose, team)
    return words(about[0], due.promise.purpose, team, due.attempt)


_words = msgspec.json.Decoder(Words)


def _carried(settled: Settled, due: Due, carrier: str, now: datetime) -> Settled:
    """What became of a page that another one carried; it goes on repeating by its own rule."""
    over = settled.again_at is None
    repeat = repeat_at(due.repeat_every, due.promise.purpose, now) if over else None
    alike = replace(settled, due=due, repeat_at=repeat)
    if settled.state is not State.SENT:
        return alike
    return replace(
        alike,
        state=State.BUNDLED,
        detail=f"carried by {carrier}",
        provider_id=None,
        receipt_by=None,
    )


_KINDS = {
    Purpose.ESCALATION: MessageKind.ALERT,
    Purpose.RESPONDER: MessageKind.ALERT,
    Purpose.UPDATE: MessageKind.UPDATE,
    Purpose.STILL_ON_IT: MessageKind.UPDATE,
    Purpose.OFFERED: MessageKind.UPDATE,
    Purpose.ACKNOWLEDGED: MessageKind.ACKNOWLEDGED,
    Purpose.RESOLVED: MessageKind.RESOLVED,
    Purpose.NOTICE: MessageKind.NOTICE,
}
