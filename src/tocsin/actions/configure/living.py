"""The rules for what people are told of duty: at a change of shift, and ahead of time."""

from datetime import timedelta

from tocsin.actions.configure.blocks import Block

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


def check_hand_over(team: Block) -> None:
    """A team's `hand_over`."""
    block = team.block("hand_over")
    if block is not None:
        block.flag("enabled")
        block.duration("accept_within", least=_MINUTE, most=_DAY)
        block.end()
