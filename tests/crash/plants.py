"""The installation of the chaos: many people, and one address for senders for each of them."""

import json
from collections.abc import Mapping
from typing import Any

PEOPLE = 480
"""So many that most get one page at a time."""

BUSY = 24
"""The first of them get half of all pages, so that several become one message."""

KINDS = ("alone", "both", "steps", "later", "twice", "again")
"""The nth person is paged by an integration of the kind `KINDS[n % 6]`.

alone: nobody else; both: the next person too; steps: the next person 6 s later; later: after 5 s;
twice: by a second contact method 4 s later; again: every 15 s until somebody answers.
"""


def person(number: int) -> str:
    """The name of the nth person, which is also the path of their phone."""
    return f"p{number % PEOPLE:03}"


def kind(number: int) -> str:
    """How the nth person is paged."""
    return KINDS[number % len(KINDS)]


def secret(number: int) -> str:
    """What senders post to, for the nth person."""
    return f"chaos-secret-of-{person(number)}"


def configuration(port: int) -> str:
    """The configuration file, with the phones at this port."""
    team = {
        "name": "Plant",
        "time_zone": "UTC",
        "members": [person(number) for number in range(PEOPLE)],
        "escalation_policies": {person(n): {"steps": _steps(n)} for n in range(PEOPLE)},
        "integrations": {
            person(n): {"inlet": "signl4", "secret": secret(n), "policy": person(n)}
            for n in range(PEOPLE)
        },
    }
    users = {person(number): _user(number, port) for number in range(PEOPLE)}
    return json.dumps({"version": 1, "users": users, "teams": {"plant": team}}, indent=1)


def _user(number: int, port: int) -> Mapping[str, Any]:
    name = person(number)
    address = f"http://127.0.0.1:{port}/{name}"
    methods = {"phone": {"channel": "webhook", "address": address}}
    rules: list[dict[str, str]] = [{"after": "0s", "via": "phone"}]
    match kind(number):
        case "later":
            rules = [{"after": "5s", "via": "phone"}]
        case "twice":
            methods["tablet"] = {"channel": "webhook", "address": f"{address}/tablet"}
            rules.append({"after": "4s", "via": "tablet"})
        case "again":
            rules = [{"after": "0s", "via": "phone", "repeat_every": "15s"}]
        case _:
            pass
    return {
        "name": name,
        "email": f"{name}@example.org",
        "role": "user",
        "contact_methods": methods,
        "notification_rules": {"urgent": rules},
    }


def _steps(number: int) -> list[dict[str, Any]]:
    first, second = {"user": person(number)}, {"user": person(number + 1)}
    match kind(number):
        case "both":
            return [{"notify": [first, second], "wait": "3h"}]
        case "steps":
            return [{"notify": [first], "wait": "6s"}, {"notify": [second], "wait": "3h"}]
        case _:
            return [{"notify": [first], "wait": "3h"}]
