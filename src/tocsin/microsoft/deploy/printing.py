"""The connector block that belongs to a deployment, for the configuration file."""

import json
from collections.abc import Iterator, Mapping

from tocsin.microsoft.deploy.model import Known
from tocsin.microsoft.deploy.proving import TableAddress
from tocsin.microsoft.deploy.templates import STREAM
from tocsin.microsoft.deploy.wish import Door, Proof, Wish


def block(wish: Wish, known: Known) -> dict[str, object]:
    """The values; the secret is a reference."""
    credential = (
        {"certificate_file": str(wish.store.absolute())}
        if wish.proof is Proof.CERTIFICATE
        else {"secret_env": wish.env_name}
    )
    place = {
        "subscription_id": wish.subscription_id,
        "resource_group": wish.resource_group,
        "workspace_name": wish.workspace_name,
        "workspace_id": known.workspace_guid,
    }
    there = address(wish, known)
    table = {} if there is None else {"name": wish.table, "rule": there.rule_id}
    if there is not None:
        table |= {"stream": there.stream, "endpoint": there.endpoint}
    return {
        "source": "microsoft",
        "mode": str(wish.door),
        **({"unit": "alert"} if wish.per_alert else {}),
        "tenant_id": wish.tenant_id,
        **(place if wish.workspace else {}),
        "client_id": known.client_id,
        "credential": credential,
        "cloud": wish.cloud_name,
        **({"table": table} if table else {}),
    }


def both_doors(wish: Wish, values: Mapping[str, object]) -> list[dict[str, object]]:
    """Blocks that together use every permission: `auto` may go through either door."""
    if wish.door is not Door.AUTO:
        return [dict(values)]
    doors = ["graph", *(["sentinel"] if wish.workspace else [])]
    return [{**values, "mode": door} for door in doors]


def address(wish: Wish, known: Known) -> TableAddress | None:
    """Where rows of the table go."""
    if not wish.table or not known.rule_id:
        return None
    return TableAddress(endpoint=known.endpoint, rule_id=known.rule_id, stream=STREAM)


def lines(wish: Wish, known: Known) -> Iterator[str]:
    """The block as text of a configuration file (YAML, of which JSON is a part)."""
    yield "connectors:"
    yield f"  {wish.name}:"
    for key, value in block(wish, known).items():
        plain = isinstance(value, str) and value.replace("-", "").replace("_", "").isalnum()
        yield f"    {key}: {value if plain and not str(value).isdigit() else json.dumps(value)}"
    if wish.proof is Proof.SECRET:
        yield f"# {wish.env_name} stands in {wish.store.absolute()}: hand it to the process."
    if (table := address(wish, known)) is not None:
        yield f"# Table {wish.table}: endpoint {table.endpoint}"
        yield f"#   rule {table.rule_id}, stream {table.stream}"
