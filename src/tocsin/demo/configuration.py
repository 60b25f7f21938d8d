"""The configuration that the demo runs with: a small team on a simulated Sentinel."""

import json
from collections.abc import Mapping
from typing import Final

TEAM: Final = "soc"
ON_DUTY: Final = "mara"
ACCOUNT: Final = "mara@example.org"
MANAGER: Final = "ada"
LABEL: Final = "Tocsin"
PLANT_SECRET: Final = "demo-plant-secret-0001"  # noqa: S105 - of the demo, which is on loopback only

TENANT: Final = "6a1d0c1e-3f52-4d0b-9a77-1c5e8f2b7d10"
CLIENT: Final = "0f9b6d34-8c41-4e6a-b3d2-7a5c1e9f4b20"
SUBSCRIPTION: Final = "c27e5a90-1b6f-4f38-8d4c-9e0a3b7f6d30"
WORKSPACE_ID: Final = "91d4f7b2-6e05-4a9c-a1f3-2b8d5c7e0a40"
RESOURCE_GROUP: Final = "rg-demo"
WORKSPACE: Final = "law-demo"

CLOUD_SECRET: Final = "TOCSIN_DEMO_CLOUD_SECRET"  # noqa: S105 - the name of a variable
PHONE_SECRET: Final = "TOCSIN_DEMO_PHONE_SECRET"  # noqa: S105 - the name of a variable

REPEAT_EVERY: Final = "5s"
"""The shortest that Tocsin keeps to: a demo should not have to be waited for."""


def configuration(cloud: Mapping[str, object], phone: str) -> str:
    """The configuration file of the demo, as JSON, which is YAML too.

    `cloud` is the connector's object for the simulated cloud, `phone` the address before the name
    of a person, with its slash.
    """
    tree = {
        "version": 1,
        "users": {
            ON_DUTY: _user("Mara Ilves", ACCOUNT, "user", phone + ON_DUTY),
            MANAGER: _user("Ada Brandt", "ada@example.org", "admin", phone + MANAGER),
        },
        "teams": {TEAM: _team(cloud)},
    }
    return json.dumps(tree, indent=2)


def _user(name: str, account: str, role: str, address: str) -> dict[str, object]:
    phone = {
        "channel": "webhook",
        "address": address,
        "signing_key": {"secret_env": PHONE_SECRET},
    }
    return {
        "name": name,
        "email": account,
        "entra": account,
        "role": role,
        "contact_methods": {"phone": phone},
        "notification_rules": {
            "urgent": [{"after": "0s", "via": "phone", "repeat_every": REPEAT_EVERY}],
            "normal": [{"after": "0s", "via": "phone"}],
        },
    }


def _team(cloud: Mapping[str, object]) -> dict[str, object]:
    return {
        "name": "SOC",
        "time_zone": "UTC",
        "members": [ON_DUTY, MANAGER],
        "schedules": {
            "primary": _always("1", ON_DUTY),
            "manager": _always("manager", MANAGER),
        },
        "escalation_policies": {
            "default": {
                "repeat": 1,
                "acknowledge_timeout": "4h",
                "steps": [
                    {"notify": [{"duty": 1}], "wait": "2m"},
                    {"notify": [{"duty": "manager"}], "wait": "5m"},
                ],
            }
        },
        "integrations": {"plant": {"inlet": "signl4", "secret": PLANT_SECRET}},
        "connectors": {"sentinel": _connector(cloud)},
    }


def _always(tier: str, user: str) -> dict[str, object]:
    rotation = {
        "name": "always",
        "participants": [user],
        "start": "2026-01-05T00:00",
        "unit": "week",
    }
    return {"tier": tier, "rotations": [rotation]}


def _connector(cloud: Mapping[str, object]) -> dict[str, object]:
    return {
        "source": "microsoft",
        "mode": "sentinel",
        "tenant_id": TENANT,
        "subscription_id": SUBSCRIPTION,
        "resource_group": RESOURCE_GROUP,
        "workspace_name": WORKSPACE,
        "workspace_id": WORKSPACE_ID,
        "client_id": CLIENT,
        "credential": {"secret_env": CLOUD_SECRET},
        "cloud": dict(cloud),
        "poll_every": "1s",
        "severities": ["high", "medium"],
        "states": ["new", "active"],
        "augment": {"max_rows": 5},
        "write_back": {
            "label": LABEL,
            "assign_owner": True,
            "comments": True,
            "close": {
                "classification": "truePositive",
                "comment": "Closed in Tocsin by {user}",
            },
        },
    }
