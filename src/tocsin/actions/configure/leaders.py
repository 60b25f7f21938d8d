"""Notes on teams in which nobody is told when nobody has answered."""

from collections.abc import Iterator, Mapping

from tocsin.actions.configure.faults import Path
from tocsin.core.notation import listing, mapping

_WHAT = "nobody is told when nobody answers: no team admin or admin has a contact method"


def untold(tree: Mapping[str, object]) -> Iterator[tuple[Path, str]]:
    """Each team that has policies and no admin who can be reached, with what to say of it."""
    users = {name: mapping(user) for name, user in mapping(tree.get("users")).items()}
    reached = {name for name, user in users.items() if _reachable(user)}
    if any(users[name].get("role") == "admin" for name in reached):
        return
    for name, body in mapping(tree.get("teams")).items():
        team = mapping(body)
        if team.get("escalation_policies") and not _led(team, users, reached):
            yield ("teams", name), _WHAT


def _reachable(user: Mapping[str, object]) -> bool:
    methods = mapping(user.get("contact_methods")).values()
    return user.get("active") is not False and any(
        mapping(method).get("enabled") is not False for method in methods
    )


def _led(
    team: Mapping[str, object], users: Mapping[str, Mapping[str, object]], reached: set[str]
) -> bool:
    for entry in listing(team.get("members")):
        member = mapping(entry)
        name = str(member.get("user", entry))
        role = member.get("role") or users.get(name, {}).get("role")
        if role == "team_admin" and name in reached:
            return True
    return False
