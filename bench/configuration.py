"""The installation that is measured: a team of three on one webhook phone."""

import json
from collections.abc import Mapping

SECRET = "bench-plant-secret-0001"
PATH = f"/webhook/{SECRET}"
CLOUD = {
    "tenant_id": "6a1d0c1e-3f52-4d0b-9a77-1c5e8f2b7d10",
    "client_id": "0f9b6d34-8c41-4e6a-b3d2-7a5c1e9f4b20",
    "subscription_id": "c27e5a90-1b6f-4f38-8d4c-9e0a3b7f6d30",
    "resource_group": "rg-bench",
    "workspace_name": "law-bench",
    "workspace_id": "91d4f7b2-6e05-4a9c-a1f3-2b8d5c7e0a40",
}
CLOUD_SECRET = "TOCSIN_BENCH_CLOUD_SECRET"


def configuration(phone_port: int, cloud: Mapping[str, object] | None = None) -> str:
    """The configuration file. `cloud` adds a connector that reads from there every second."""
    names = ("mara", "jonas", "ada")
    team: dict[str, object] = {
        "name": "SOC",
        "time_zone": "Europe/Berlin",
        "members": list(names),
        "schedules": {
            "primary": _always("1", ["mara", "jonas"]),
            "manager": _always("manager", ["ada"]),
        },
        "escalation_policies": {
            "default": {
                "repeat": 1,
                "acknowledge_timeout": "4h",
                "steps": [
                    {"notify": [{"duty": 1}], "wait": "2m"},
                    {"notify": [{"duty": "manager"}], "wait": "5m"},
                    {"notify": [{"team": "soc"}], "wait": "10m"},
                ],
            }
        },
        "categories": {
            "identity": {"keywords": ["sign-in", "impossible travel"], "match": "any"},
            "noise": {"keywords": ["test alert"], "match": "any", "suppress": True},
        },
        "integrations": {"plant": {"inlet": "signl4", "secret": SECRET}},
    }
    if cloud is not None:
        team["connectors"] = {"sentinel": _connector(cloud)}
    users = {name: _user(name, phone_port) for name in names}
    return json.dumps({"version": 1, "users": users, "teams": {"soc": team}})


def _user(name: str, phone_port: int) -> dict[str, object]:
    return {
        "name": name.title(),
        "email": f"{name}@example.org",
        "role": "user",
        "contact_methods": {
            "phone": {"channel": "webhook", "address": f"http://127.0.0.1:{phone_port}/{name}"}
        },
        "notification_rules": {
            "urgent": [{"after": "0s", "via": "phone", "repeat_every": "30s"}],
            "normal": [{"after": "0s", "via": "phone"}],
        },
    }


def _always(tier: str, participants: list[str]) -> dict[str, object]:
    rotation = {
        "name": "weeks",
        "participants": participants,
        "start": "2026-01-05T09:00",
        "unit": "week",
    }
    return {"tier": tier, "rotations": [rotation]}


def _connector(cloud: Mapping[str, object]) -> dict[str, object]:
    return {
        "source": "microsoft",
        "mode": "sentinel",
        **CLOUD,
        "credential": {"secret_env": CLOUD_SECRET},
        "cloud": dict(cloud),
        "poll_every": "1s",
        "severities": ["high", "medium"],
        "states": ["new", "active"],
    }
