"""The rules for `settings.watchdog` and for what a heartbeat's integration sets."""

from datetime import timedelta
from urllib.parse import urlsplit

from tocsin.actions.configure.blocks import Block
from tocsin.actions.configure.check import Check
from tocsin.actions.configure.people import CHANNELS, check_address
from tocsin.core.notation import mapping

_SHORTEST_PING = timedelta(seconds=5)
_LONGEST_PING = timedelta(hours=1)


def check_watchdog(block: Block, check: Check) -> None:
    """The address to ping while all is well, and who is told beside the admins when it is not."""
    if reference := mapping(block.raw("ping")):
        check.reference((*block.path, "ping"), reference)
        if set(reference) != {"secret_env"}:
            block.fault("ping", "give an address, or {secret_env: NAME_SECRET}")
    else:
        _address_of_ping(block)
    block.duration("every", least=_SHORTEST_PING, most=_LONGEST_PING)
    for also in block.blocks("also"):
        also.need("channel", "address")
        channel = also.choice(
            "channel", tuple(dict.fromkeys((*CHANNELS, *check.plug_ins.channels)))
        )
        address = also.text("address", most=4000)
        if channel is not None:
            check_address(channel, address, also, check)
        also.end()
    block.end()


def check_heartbeat(value: object, block: Block) -> None:
    """The `settings` of an integration with the inlet heartbeat, at its `block`."""
    given = mapping(value)
    if value is not None and not given:
        block.fault("settings", "give {every: 60s, grace: 30s}")
        return
    settings = Block(given, (*block.path, "settings"), block.faults)
    settings.need("every")
    settings.duration("every", least=timedelta(seconds=1))
    settings.duration("grace")
    if settings.raw("cron") is not None:
        settings.fault("cron", "a calendar of expected times comes later; give `every`")
    settings.end()


def _address_of_ping(block: Block) -> None:
    url = block.text("ping", most=2000)
    if url is None:
        return
    try:
        parts = urlsplit(url)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        block.fault("ping", "give an address such as https://host/heartbeat/SECRET")
