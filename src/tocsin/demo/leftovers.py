"""What a demo that was interrupted left behind, brought to an end before the next story."""

from datetime import datetime

from tocsin.actions.reply import AlertRef, change_many
from tocsin.actions.world import World
from tocsin.core.changes import Closed
from tocsin.core.kinds import Actor, Via
from tocsin.demo.cloud import Cloud
from tocsin.store.db import rows

COMMENT = "Left open by an earlier demo."


async def tidy(world: World, cloud: Cloud, now: datetime) -> int:
    """Close the alerts that are still open; returns how many.

    The simulated cloud forgets with its process. What is still to be written to it needs the
    incident, so that is put back.
    """
    async with world.database.transaction() as connection:
        found = await rows(connection, _OPEN)
        for row in await rows(connection, _WANTED):
            cloud.new_sentinel_incident(row["key"], row["title"], "High", "New", now)
    refs = [AlertRef(row["team_id"], row["id"]) for row in found]
    if refs:
        by = Actor("demo", via=Via.API)
        await change_many(world, refs, Closed(by, COMMENT))
    return len(refs)


_OPEN = "SELECT team_id, id FROM alert WHERE status <> 'closed'"

_WANTED = """
SELECT DISTINCT o.key, a.title FROM remote_object o
JOIN alert a ON a.team_id = o.team_id AND a.id = o.alert_id
WHERE a.status <> 'closed'
   OR EXISTS (SELECT 1 FROM remote_write w WHERE w.team_id = o.team_id AND w.key = o.key
              AND w.state = 'pending')
"""
