"""In which table each kind of object is stored, and which columns follow from its body."""

from collections.abc import Mapping

from sqlalchemy import Table

from tocsin.core.notation import optional_text
from tocsin.store import schema
from tocsin.store.configuration.objects import Key, Kind

TABLES: Mapping[Kind, Table] = {
    Kind.USER: schema.user,
    Kind.TEAM: schema.team,
    Kind.METHOD: schema.contact_method,
    Kind.RULE: schema.notification_rule,
    Kind.SCHEDULE: schema.schedule,
    Kind.OVERRIDE: schema.override,
    Kind.POLICY: schema.escalation_policy,
    Kind.CATEGORY: schema.category,
    Kind.INTEGRATION: schema.integration,
    Kind.CONNECTOR: schema.connector,
    Kind.MAINTENANCE: schema.maintenance_window,
    Kind.SETTING: schema.setting,
    Kind.STORED: schema.stored,
}


def naming(key: Key) -> dict[str, object]:
    """The columns that hold the name of an object."""
    match key.kind:
        case Kind.RULE:
            return {"urgency": key.names[1], "position": int(key.names[2])}
        case Kind.OVERRIDE:
            return {}
        case Kind.SETTING:
            return {"name": "/".join(key.names)}
        case Kind.STORED:
            return {"path": "/".join(key.names)}
        case _:
            return {"name": key.names[-1]}


def derived(kind: Kind, body: Mapping[str, object]) -> dict[str, object]:
    """The columns that repeat what the body says, for queries."""
    match kind:
        case Kind.USER:
            return {
                "role": str(body.get("role") or "user"),
                "email": optional_text(body.get("email")),
                "entra": optional_text(body.get("entra")),
                "active": body.get("active") is not False,
            }
        case Kind.METHOD:
            return {
                "channel": str(body["channel"]),
                "address": str(body.get("address") or ""),
                "disabled": "switched off" if body.get("enabled") is False else None,
            }
        case Kind.TEAM:
            return {"time_zone": str(body["time_zone"])}
        case Kind.SCHEDULE:
            return {"tier": str(body.get("tier") or 1)}
        case Kind.INTEGRATION:
            return {"inlet": str(body["inlet"])}
        case Kind.CONNECTOR:
            return {"source": str(body["source"]), "enabled": body.get("enabled") is not False}
        case _:
            return {}
