"""The rules for what people are told of duty: at a change of shift, and ahead of time."""

from datetime import timedelta

from tocsin.actions.configure.blocks import Block

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def check_hand_over(team: Block) -> None:
    """A team's `hand_over`: what is told at a change of shift."""
    block = team.block("hand_over")
    if block is not None:
        block.flag("enabled")
        block.duration("accept_within", least=_MINUTE, most=_DAY)
        block.end()


def check_notices(team: Block) -> None:
    """A team's `notices`: what its schedulers are told ahead."""
    block = team.block("notices")
    if block is not None:
        block.flag("gaps")
        block.flag("unreachable")
        block.duration("ahead", least=_HOUR, most=14 * _DAY)
        block.end()


def check_reminders(user: Block) -> None:
    """A user's `reminders` of their shifts."""
    block = user.block("reminders")
    if block is not None:
        block.flag("enabled")
        block.duration("before", least=_MINUTE, most=7 * _DAY)
        block.duration("before_end", least=_MINUTE, most=7 * _DAY)
        block.end()
