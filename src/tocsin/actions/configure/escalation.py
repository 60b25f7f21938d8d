"""The rules for escalation policies."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from tocsin.actions.configure.blocks import Block
from tocsin.actions.configure.calendars import TIERS
from tocsin.actions.configure.check import Check, TeamNames
from tocsin.actions.configure.faults import place_of
from tocsin.core.escalation import IfNobody, Pick
from tocsin.core.kinds import Mode, Severity
from tocsin.core.notation import listing
from tocsin.core.schedule import Day
from tocsin.store.policies import MOST_STEPS

_TARGETS = ("duty", "user", "team", "policy", "webhook")


def check_policy(team: str, block: Block, check: Check) -> None:
    """One entry of a team's `escalation_policies`."""
    block.number("repeat", 0, 1000)
    block.duration("acknowledge_timeout", least=timedelta(seconds=1))
    block.duration("close_after", least=timedelta(minutes=1))
    check_answers(block)
    block.need("steps")
    if block.raw("steps") == []:
        block.fault("steps", "name at least one step")
    if len(listing(block.raw("steps"))) > MOST_STEPS:
        block.fault("steps", f"a policy has at most {MOST_STEPS} steps")
    for step in block.blocks("steps"):
        _step(team, step, check)
    block.end()


def check_answers(block: Block) -> None:
    """`mode` and `acknowledgements`, wherever they stand."""
    mode = block.choice("mode", tuple(Mode))
    count = block.number("acknowledgements", 1, 1000)
    if count is not None and mode is not None and mode != Mode.MULTI:
        block.fault("acknowledgements", f"it goes with mode multi, not {mode}")


def _step(team: str, block: Block, check: Check) -> None:
    block.need("notify", "wait")
    block.duration("wait", most=timedelta(days=30))
    targets = list(block.blocks("notify"))
    for target in targets:
        _target(target, check)
    if block.raw("notify") == []:
        block.fault("notify", "name at least one target")
    word = block.choice("if_nobody", tuple(IfNobody))
    if block.duration("hold_for", least=timedelta(seconds=1)) is not None and word != "hold":
        block.fault("hold_for", "it goes with `if_nobody: hold`")
    pick = block.choice("pick", tuple(Pick))
    if pick == Pick.NEXT and not any(target.raw("duty") is not None for target in targets):
        block.fault("pick", "`next` is whoever comes on duty next: it goes with a duty target")
    _with_policies(block, [target for target in targets if target.raw("policy") is not None])
    when = block.block("when")
    if when is not None:
        _when(when)
    block.end()
    if targets and all(_reaches_nobody(team, target, check) for target in targets):
        check.notes.append(f"{place_of(block.path)}: its targets mean nobody; {_THEN[word]}")


_THEN: Mapping[str | None, str] = {
    None: "the next step starts at once",
    "skip": "the next step starts at once",
    "continue": "it waits for its time, and pages nobody",
    "hold": "it waits for `hold_for`, and pages nobody unless that changes",
}


def _with_policies(block: Block, others: Sequence[Block]) -> None:
    """A step that names another policy takes its steps over, as they are."""
    if len(others) > 1:
        block.fault("notify", "name one policy in a step; put the other into a step of its own")
    for key in ("if_nobody", "pick") if others else ():
        if block.raw(key) is not None:
            block.fault(key, "it cannot stand beside a policy: say it in the steps of that policy")


def _target(block: Block, check: Check) -> None:
    given = [key for key in _TARGETS if block.raw(key) is not None]
    if len(given) != 1:
        block.fault(None, "a target is one of {duty: 1}, {user: NAME}, {team: NAME}, {policy: ..}")
    block.choice("duty", TIERS)
    if (user := block.raw("user")) is not None:
        check.user((*block.path, "user"), user)
    if (team := block.raw("team")) is not None:
        check.team((*block.path, "team"), team)
    if block.text("policy") is not None:
        _other_policy(block, check)
    if (webhook := block.text("webhook", most=2000)) is not None:
        check.webhook((*block.path, "webhook"), webhook)
    block.end()


def _other_policy(block: Block, check: Check) -> None:
    team, slash, policy = str(block.value["policy"]).partition("/")
    if not slash:
        block.fault("policy", "write it as team/policy")
    elif policy not in check.known.teams.get(team, TeamNames()).policies:
        block.fault("policy", f"team {team!r} has no escalation policy {policy!r}")


def _when(block: Block) -> None:
    if isinstance(block.raw("severity"), list):
        block.choices("severity", tuple(Severity))
    else:
        block.choice("severity", tuple(Severity))
    block.choices("days", tuple(Day))
    block.clock("from")
    block.clock("to")
    block.choice("clock", ("team", "responder"))
    block.flag("holiday")
    block.duration("older_than")
    block.end()


def _reaches_nobody(team: str, target: Block, check: Check) -> bool:
    """Whether a target can never mean anybody whom a page reaches."""
    if (tier := target.value.get("duty")) is not None:
        return str(tier) not in check.known.teams.get(team, TeamNames()).tiers
    if (user := target.value.get("user")) is not None:
        return not check.known.users.get(str(user), frozenset())
    return not any(target.value.get(key) for key in ("team", "policy", "webhook"))
