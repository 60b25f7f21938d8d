"""A secret that is stored for one team stays with it."""

import pytest

from tests.actions.configured import SMALL, select, world_on
from tests.actions.test_configure_apply import CONNECTOR
from tests.actions.test_configure_edit import ADA, BODIES
from tocsin.actions.configure import ConfigureError, Editor, apply, create, read
from tocsin.store.configuration import Kind

TIM = Editor("tim")
NOC = (
    "  noc: {time_zone: UTC, escalation_policies:"
    " {default: {steps: [{notify: [{team: noc}], wait: 1m}]}}}\n"
)


def connector(stored: str) -> dict[str, object]:
    return {**BODIES["connectors"], "team": "noc", "name": "own", "credential": {"stored": stored}}


async def test_another_teams_stored_credential_is_not_copied_and_not_told_of(database: str) -> None:
    text = CONNECTOR.replace("TENANT", "one.example").replace("CREDENTIAL", "{secret: hush}")
    async with world_on(database) as world:
        await apply(world, read(SMALL + text + NOC))
        told: list[str] = []
        for name in ("soc/sentinel", "soc/nothing"):
            with pytest.raises(ConfigureError) as refused:
                await create(world, Kind.CONNECTOR, connector(name), TIM)
            told.append(str(refused.value).replace(name, "NAME"))
        assert told[0] == told[1], "what exists answers as what does not"
        assert not await select(world, "SELECT 1 FROM connector WHERE name = 'own'")
        made = await create(world, Kind.CONNECTOR, connector("soc/sentinel"), ADA)
        assert made["team"] == "noc", "an admin of the installation may"
