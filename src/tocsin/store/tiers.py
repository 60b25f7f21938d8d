"""Which steps of a team's policies page whoever is on duty in which tier."""

from tocsin.store.db import Connection, rows


async def steps_by_tier(connection: Connection, team: int) -> dict[str, tuple[str, ...]]:
    """By tier, `POLICY step N` for each step that asks for it; of the team's own policies."""
    found = await rows(
        connection,
        "SELECT p.name, step.number, target.value ->> 'duty' AS tier FROM escalation_policy p"
        " CROSS JOIN LATERAL jsonb_path_query(p.body, '$.steps') AS steps(value)"
        " CROSS JOIN LATERAL jsonb_array_elements(steps.value)"
        " WITH ORDINALITY AS step(value, number)"
        " CROSS JOIN LATERAL jsonb_path_query(step.value, '$.notify[*]') AS target(value)"
        " WHERE p.team_id = $1 AND target.value ->> 'duty' IS NOT NULL"
        " ORDER BY p.name, step.number",
        team,
    )
    asking: dict[str, dict[str, None]] = {}
    for row in found:
        asking.setdefault(row["tier"], {})[f"{row['name']} step {row['number']}"] = None
    return {tier: tuple(steps) for tier, steps in asking.items()}
