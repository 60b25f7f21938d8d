"""Policies that name each other: none may lead back to itself or grow beyond bounds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tocsin.actions.configure.check import Check
from tocsin.actions.configure.faults import Path
from tocsin.core.notation import listing, mapping
from tocsin.store.policies import DEEPEST, MOST_STEPS

_Name = tuple[str, str]
"""Team and policy."""


@dataclass(frozen=True, slots=True)
class _Policy:
    """How many steps page somebody themselves, and where the others name a policy."""

    steps: int = 0
    others: Mapping[Path, _Name] = field(default_factory=dict[Path, _Name])


def check_chains(tree: Mapping[str, object], check: Check) -> None:
    """Fault each place where a policy leads back to itself, and policies that are too long."""
    policies = dict(_policies(tree))
    for name, policy in policies.items():
        for path, other in policy.others.items():
            if name == other or name in _reached(policies, other):
                what = f"{'/'.join(other)} leads back to {'/'.join(name)}: it would never end"
                check.faults.add(path, what)
    if not check.faults.found:
        _check_sizes(policies, check)


def _policies(tree: Mapping[str, object]) -> Iterator[tuple[_Name, _Policy]]:
    for team, body in mapping(tree.get("teams")).items():
        for name, policy in mapping(mapping(body).get("escalation_policies")).items():
            place: Path = ("teams", team, "escalation_policies", name, "steps")
            own, others = 0, dict[Path, _Name]()
            for number, step in enumerate(listing(mapping(policy).get("steps"))):
                targets = listing(mapping(step).get("notify"))
                for index, target in enumerate(targets):
                    named = mapping(target).get("policy")
                    if named is not None:
                        first, _, second = str(named).partition("/")
                        others[*place, number, "notify", index, "policy"] = (first, second)
                own += any(mapping(target).get("policy") is None for target in targets)
            yield (team, name), _Policy(own, others)


def _reached(policies: Mapping[_Name, _Policy], start: _Name) -> set[_Name]:
    """Every policy that `start` leads to."""
    found: set[_Name] = set()
    left = [start]
    while left:
        for other in policies.get(left.pop(), _Policy()).others.values():
            if other not in found:
                found.add(other)
                left.append(other)
    return found


def _check_sizes(policies: Mapping[_Name, _Policy], check: Check) -> None:
    """No loops are left here, so that every chain ends."""
    sizes: dict[_Name, tuple[int, int]] = {}
    for name, policy in policies.items():
        steps, deep = _size(policies, name, sizes)
        path = ("teams", name[0], "escalation_policies", name[1])
        if policy.others and steps > MOST_STEPS:
            what = f"with the policies that it names it has {steps} steps, more than {MOST_STEPS}"
            check.faults.add(path, what)
        elif deep > DEEPEST:
            check.faults.add(path, f"more than {DEEPEST} policies name each other in a row")


def _size(
    policies: Mapping[_Name, _Policy],
    name: _Name,
    sizes: dict[_Name, tuple[int, int]],
    depth: int = 0,
) -> tuple[int, int]:
    """How many steps a policy has in all, and how many policies follow one another below it.

    Not looked at is what lies too deep: it is one too many in any case.
    """
    if depth > DEEPEST:
        return 0, 0
    if name not in sizes:
        policy = policies.get(name, _Policy())
        below = [_size(policies, other, sizes, depth + 1) for other in policy.others.values()]
        steps = policy.steps + sum(size for size, _ in below)
        sizes[name] = (steps, 1 + max((deep for _, deep in below), default=-1))
    return sizes[name]
