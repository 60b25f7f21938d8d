"""Tells admins what is wrong with Tocsin itself, past its tables and queues."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import timedelta

import structlog

from tocsin.actions.deliver import Channels
from tocsin.actions.world import World
from tocsin.core.kinds import Urgency
from tocsin.core.message import Words
from tocsin.ports import Address, Failed, MessageKind, Outgoing
from tocsin.store.watch import SecondPath

log = structlog.get_logger()

_WITHIN = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receiver:
    """One contact method, or one address of `settings.watchdog.also`."""

    user: str
    method: str
    channel: str
    address: Address


class Teller:
    """Sends notices straight from this process; it needs no database."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._channels = Channels(world)

    async def tell(self, path: SecondPath, words: Words, attempt: int = 1) -> int:
        """Send to everybody at once; returns how many providers took it. Never raises."""
        receivers = self._receivers(path)
        if not receivers:
            log.error("no admin has a contact method: nobody is told", what=words.subject)
        sent = await asyncio.gather(*(self._send(path, one, words, attempt) for one in receivers))
        return sum(sent)

    async def close(self) -> None:
        """Let go of connections."""
        await self._channels.close()

    def _receivers(self, path: SecondPath) -> list[_Receiver]:
        found: list[_Receiver] = []
        for user, method in path.people:
            try:
                key = method.signing_key(self._world.keys, self._world.secrets)
            except Exception as fault:  # noqa: BLE001 - an unsigned notice still wakes somebody
                log.warning("no signing key for a notice", user=user, fault=repr(fault))
                key = None
            address = Address(value=method.address, signing_key=key)
            found.append(
                _Receiver(user=user, method=method.name, channel=method.channel, address=address)
            )
        for also in path.block.get("also") or ():
            channel = str(also["channel"])
            address = Address(value=str(also["address"]))
            found.append(
                _Receiver(user="watchdog", method=channel, channel=channel, address=address)
            )
        return found

    async def _send(self, path: SecondPath, to: _Receiver, words: Words, attempt: int) -> bool:
        try:
            channel = self._channels.get(to.channel, path.channels.get(to.channel, {}))
            if channel is None:
                reason = "the channel is not installed"
            else:
                async with asyncio.timeout(_WITHIN.total_seconds()):
                    outcome = await channel.send(_outgoing(to, words, attempt), to.address)
                if not isinstance(outcome, Failed):
                    return True
                reason = outcome.reason
        except Exception as fault:  # noqa: BLE001 - whatever it was, the others are told
            reason = repr(fault)
        log.error("second path failed", user=to.user, method=to.method, reason=reason)
        return False


def _outgoing(to: _Receiver, words: Words, attempt: int) -> Outgoing:
    return Outgoing(
        id=f"watchdog-{uuid.uuid4().hex}",
        kind=MessageKind.NOTICE,
        user=to.user,
        contact_method=to.method,
        urgency=Urgency.URGENT,
        step=1,
        attempt=attempt,
        subject=words.subject,
        text=words.text,
        body=words.body,
    )
