"""The rules for users, contact methods, notification rules."""

import re
from datetime import timedelta

from tocsin.actions.configure.blocks import Block
from tocsin.actions.configure.calendars import check_window
from tocsin.actions.configure.check import Check
from tocsin.actions.configure.later import LATER
from tocsin.actions.configure.living import check_reminders
from tocsin.core.access import Role

CHANNELS = (
    "webhook", "email", "webpush", "ntfy", "pushover", "homeassistant", "sms", "voice", "teams",
    "slack", "telegram", "mattermost", "apprise",
)  # fmt: skip
URGENCIES = ("urgent", "normal")
_PHONES = {"sms", "voice"}
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+")
_LONGEST_DELAY = timedelta(days=7)


def check_user(name: str, block: Block, check: Check) -> None:
    """One entry of `users`."""
    block.text("name")
    email = block.text("email")
    if email is not None and not _MAIL.fullmatch(email):
        block.fault("email", "give an address like ada@example.org")
    check.zone(block)
    block.choice("role", tuple(Role))
    block.text("entra")
    block.flag("active")
    for window in block.blocks("quiet_hours"):
        check_window(window)
    check_reminders(block)
    for method, inner in block.named("contact_methods"):
        _contact_method(f"{name}/{method}", inner, check)
    rules = block.block("notification_rules")
    if rules is not None:
        for urgency in URGENCIES:
            for rule in rules.blocks(urgency):
                _notification_rule(name, rule, check)
        rules.end()
    block.end()


def _contact_method(stored: str, block: Block, check: Check) -> None:
    block.need("channel")
    channel = block.choice("channel", tuple(dict.fromkeys((*CHANNELS, *check.plug_ins.channels))))
    if channel != "webpush":  # the browser that subscribes gives the address
        block.need("address")
    address = block.text("address", most=4000)
    block.flag("enabled")
    limits = block.block("limits")
    if limits is not None:
        limits.number("per_minute", 1, 600)
        limits.end()
    key = block.block("signing_key")
    if key is not None:
        _signing_key(stored, key, channel, check)
    if channel is not None:
        check_address(channel, address, block, check)
    block.end()


def check_address(channel: str, address: str | None, block: Block, check: Check) -> None:
    """The `address` of a block, held against what its channel takes."""
    plug_in = check.channel(channel)
    if plug_in is None and f"channel {channel}" in LATER:
        check.waits(f"channel {channel}")
    elif plug_in is None:
        check.notes.append(f"channel {channel}: no plug-in is installed; it reaches nobody")
    if address is None:
        return
    if channel in _PHONES and not _E164.fullmatch(address):
        block.fault("address", "give a phone number in E.164, such as +4930123456")
    elif plug_in is not None and (wrong := plug_in.check_address(address)) is not None:
        block.fault("address", wrong)


def _signing_key(stored: str, key: Block, channel: str | None, check: Check) -> None:
    if channel not in {None, "webhook"}:
        key.fault(None, "only the channel webhook signs; remove it")
    check.reference(key.path, key.value)
    key.asked |= {"secret_env", "stored"}
    key.end()
    if len(key.value) != 1:
        key.fault(None, "give {secret_env: NAME_SECRET} or {stored: NAME}, or leave it out")
    elif key.value.get("stored") not in (None, stored):
        key.fault("stored", f"a contact method keeps its own key: {stored}")


def _notification_rule(user: str, block: Block, check: Check) -> None:
    block.need("via")
    block.duration("after", most=_LONGEST_DELAY)
    block.duration("repeat_every", least=timedelta(seconds=1), most=_LONGEST_DELAY)
    via = block.text("via")
    methods = check.known.users.get(user, frozenset())
    if via is not None and via not in methods:
        known = ", ".join(sorted(methods)) or "none"
        block.fault("via", f"{user} has no contact method {via!r}; known are {known}")
    block.end()
