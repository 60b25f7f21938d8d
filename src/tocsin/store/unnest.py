"""SQL that writes many rows in one statement."""

from collections.abc import Mapping


def unnest(types: Mapping[str, str], name: str = "new") -> str:
    """`unnest($1::int[], …) AS new(a, …)` for columns name → PostgreSQL type.

    JSON and arrays travel as text, because UNNEST would flatten arrays of arrays; `value` casts
    them back.
    """
    arrays = ", ".join(
        f"${place}::{_travels(kind)}[]" for place, kind in enumerate(types.values(), start=1)
    )
    return f"unnest({arrays}) AS {name}({', '.join(types)})"


def value(column: str, kind: str, name: str = "new") -> str:
    """The expression that reads a column of `unnest` back as its own type."""
    if kind == "jsonb":
        return f"{name}.{column}::jsonb"
    if kind == "text[]":
        return f"ARRAY(SELECT jsonb_array_elements_text({name}.{column}::jsonb))"
    return f"{name}.{column}"


def insert(table: str, types: Mapping[str, str], tail: str = "") -> str:
    """One INSERT of many rows; `tail` is what follows (ON CONFLICT, RETURNING)."""
    values = ", ".join(value(column, kind) for column, kind in types.items())
    return f"INSERT INTO {table} ({', '.join(types)}) SELECT {values} FROM {unnest(types)} {tail}"  # noqa: S608 - names of our own


def update(table: str, keys: Mapping[str, str], types: Mapping[str, str]) -> str:
    """One UPDATE of many rows found by `keys`."""
    sets = ", ".join(f"{column} = {value(column, kind)}" for column, kind in types.items())
    found = " AND ".join(f"{table}.{column} = new.{column}" for column in keys)
    return f"UPDATE {table} SET {sets} FROM {unnest({**keys, **types})} WHERE {found}"  # noqa: S608 - names of our own


def _travels(kind: str) -> str:
    return "text" if kind in {"jsonb", "text[]"} else kind
