"""The conformance kit for channels finds what it is there to find."""

import pytest

from tocsin.channels.webhook import WebhookChannel
from tocsin.egress import GuardedClient
from tocsin.ports import Address, Channel, EgressError, Failed, FailureKind, Outgoing, Sent
from tocsin.testing.channels import LOOPBACK, check_declarations, check_failures, context


class Careless(WebhookChannel):
    """Takes anything for an address."""

    @staticmethod
    def check_address(value: str) -> str | None:
        return "it is empty" if value == "" else None


class Hopeful(WebhookChannel):
    """Believes that every page was sent."""

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        return Sent()


class Raising(WebhookChannel):
    """Lets the network's errors through."""

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        await self._egress.request("POST", address.value)
        return Sent()


class Talkative(WebhookChannel):
    """Tells the address in its reasons."""

    async def send(self, message: Outgoing, address: Address) -> Sent | Failed:
        return Failed(kind=FailureKind.TEMPORARY, reason=f"no answer from {address.value}")


def test_a_channel_that_takes_nonsense_for_an_address_is_found() -> None:
    with pytest.raises(AssertionError, match="was taken for an address"):
        check_declarations(Careless)


@pytest.mark.parametrize("kind", [Hopeful, Raising, Talkative])
async def test_a_channel_that_breaks_a_promise_is_found(kind: type[WebhookChannel]) -> None:
    client = GuardedClient(LOOPBACK)

    def make(port: int) -> tuple[Channel, Address]:
        return kind(context(egress=client)), Address(value=f"http://127.0.0.1:{port}/top-secret")

    with pytest.raises((AssertionError, EgressError)):
        await check_failures(make, secrets=("top-secret",))
    await client.close()
