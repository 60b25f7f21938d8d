"""`settings.watchdog` and integrations with the inlet heartbeat: checked, kept, exported."""

import json

import pytest

from tests.actions.configured import SMALL, select, world_on
from tocsin.actions.configure import ConfigureError, apply, export, plan, read

WATCHDOG = """\
settings:
  watchdog:
    ping: https://other.example/heartbeat/first-site-secret-01
    every: 30s
    also:
      - {channel: webhook, address: "https://noc.example/tocsin"}
"""


def _heartbeat(settings: str) -> str:
    plant = "      plant: {inlet: signl4, secret: plant-secret-0001}\n"
    beat = f"      nightly: {{inlet: heartbeat, secret: nightly-secret-0001{settings}}}\n"
    return SMALL.replace(plant, plant + beat)


async def _faults(database: str, text: str) -> list[str]:
    async with world_on(database) as world:
        with pytest.raises(ConfigureError) as refused:
            await plan(world, read(text))
    return [f"{'.'.join(map(str, one.path))}: {one.what}" for one in refused.value.faults]


async def test_it_is_kept_and_exported_and_applying_twice_changes_nothing(database: str) -> None:
    text = _heartbeat(", settings: {every: 5m, grace: 1m}") + WATCHDOG
    async with world_on(database) as world:
        report = await apply(world, read(text))
        assert report.warnings == ()
        (row,) = await select(world, "SELECT body FROM setting WHERE name = 'watchdog'")
        assert json.loads(row["body"]) == {
            "ping": "https://other.example/heartbeat/first-site-secret-01",
            "every": "30s",
            "also": [{"channel": "webhook", "address": "https://noc.example/tocsin"}],
        }
        exported = await export(world)
        assert read(exported).value["settings"] == read(text).value["settings"]
        again = await apply(world, read(exported))
        assert not again.changes
        gone = await apply(world, read(_heartbeat(", settings: {every: 5m}")))
        assert [line.what for line in gone.removed] == ["setting watchdog"]


async def test_the_address_to_ping_may_stand_in_the_environment(database: str) -> None:
    text = SMALL + "settings: {watchdog: {ping: {secret_env: PING_SECRET}}}\n"
    async with world_on(database) as world:
        report = await apply(world, read(text))
    (warning,) = report.warnings
    assert warning.startswith(
        "settings.watchdog.ping: the environment variable PING_SECRET is not set"
    )


async def test_what_the_watchdog_cannot_use_is_a_fault(database: str) -> None:
    bad = (
        "settings: {watchdog: {ping: ftp://x, every: 1s, often: 2s,"
        " also: [{channel: webhook, address: nowhere}, {channel: carrier-pigeon}]}}\n"
    )
    faults = await _faults(database, SMALL + bad)
    assert [fault.partition(": ")[0] for fault in faults] == [
        "settings.watchdog.ping",
        "settings.watchdog.every",
        "settings.watchdog.also.0.address",
        "settings.watchdog.also.1",
        "settings.watchdog.also.1.channel",
        "settings.watchdog.often",
    ]
    assert "give an address such as https://host/heartbeat/SECRET" in faults[0]


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ("", "teams.soc.integrations.nightly.settings: `every` is missing"),
        (
            ", settings: {every: 0s}",
            "teams.soc.integrations.nightly.settings.every: give a duration from 1s to 366d",
        ),
        (
            ", settings: {every: 1m, cron: '0 3 * * *'}",
            "teams.soc.integrations.nightly.settings.cron: a calendar of expected times",
        ),
        (
            ", settings: often",
            "teams.soc.integrations.nightly.settings: give {every: 60s, grace: 30s}",
        ),
    ],
)
async def test_a_heartbeat_says_how_often_it_is_expected(
    database: str, settings: str, fault: str
) -> None:
    (found,) = await _faults(database, _heartbeat(settings))
    assert found.startswith(fault)
