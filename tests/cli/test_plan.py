"""What `tocsin plan` says about duty, to people, to programs and by its exit code."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.soc import SOC
from tocsin.actions.configure import apply, read
from tocsin.app import opened
from tocsin.settings import Settings

TOCSIN = Path(sys.executable).with_name("tocsin")
ALONE = SOC.replace("[mara, jonas], start", "[mara], start")
OFFICE = ALONE.replace(
    "unit: week}", 'unit: week, restrictions: [{days: [mon], from: "09:00", to: "12:00"}]}'
)


@dataclass(frozen=True)
class Planner:
    """Runs `tocsin plan` on a text, where the small configuration stands."""

    home: Path
    database: str

    def run(self, text: str, *options: str) -> subprocess.CompletedProcess[str]:
        file = self.home.with_name("wanted.yaml")
        file.write_text(text)
        return subprocess.run(
            [TOCSIN, "plan", "-f", str(file), *options],
            env={
                "PATH": os.environ["PATH"],
                "TOCSIN_HOME": str(self.home),
                "TOCSIN_DATABASE_URL": self.database,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def read(self, text: str, *options: str) -> Any:  # noqa: ANN401 - JSON
        done = self.run(text, "--json", *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
async def planner(tmp_path: Path, database: str) -> Planner:
    home = tmp_path / "home"
    settings = Settings(home=home, database_url=database)
    async with opened(settings, log=lambda _: None) as world:
        await apply(world, read(SOC))
    return Planner(home, database)


async def test_a_change_of_duty_is_told_to_people(planner: Planner) -> None:
    told = planner.run(ALONE, "--days", "30")
    assert told.returncode == 0, told.stderr
    for part in (
        "would change: schedule soc/primary",
        "duty of soc from ",
        "(Europe/Berlin):",
        ": jonas -> mara",
        "  tier 1 is paged by default step 1\n",
        "coverage of tier 1: 100 % -> 100 %",
        "  mara: ",
        "-> 720 h, 30 nights, ",
        "new: mara has 30 nights in a row",
        "no more: jonas has 7 nights in a row",
    ):
        assert part in told.stdout, told.stdout
    unchanged = planner.run(SOC)
    assert "duty of soc" not in unchanged.stdout
    assert "nothing to change" in unchanged.stdout


async def test_a_change_of_duty_is_told_to_programs(planner: Planner) -> None:
    found = planner.read(ALONE, "--days", "30", "--nights", "30")
    assert found["changes"]
    assert [line["what"] for line in found["changed"]] == ["schedule soc/primary"]
    assert (found["created"], found["refused"]) == ([], [])
    assert {one["team"] for one in found["duty"]["before"]} == {"soc"}
    soc = found["teams"]["soc"]
    assert soc["time_zone"] == "Europe/Berlin"
    people = {(*one["before"], *one["after"]) for one in soc["differences"]}
    assert people == {("jonas", "mara")}
    assert soc["differences"][0]["paged_by"] == ["default step 1"]
    assert soc["coverage"]["after"]["team"] == {
        "score": 1.0,
        "covered_hours": 720.0,
        "hours": 720.0,
        "gaps": [],
    }
    assert [one["after"]["nights"] for one in soc["fairness"]] == [0, 30]
    assert soc["findings"] == []


async def test_a_plan_fails_on_what_it_is_told_to_fail_on(planner: Planner) -> None:
    for text, options, code in (
        (SOC, ("--fail-on", "warnings"), 3),  # seven nights in a row, as before
        (SOC, ("--fail-on", "new-warnings"), 0),
        (SOC, ("--fail-on", "warnings", "--nights", "7"), 0),
        (OFFICE, ("--fail-on", "gaps"), 3),
        (OFFICE, ("--fail-on", "new-gaps", "--json"), 3),
    ):
        done = planner.run(text, *options)
        assert done.returncode == code, (options, done.stdout, done.stderr)
        assert ("--fail-on" in done.stderr) == (code == 3)
    assert json.loads(planner.run(OFFICE, "--fail-on", "new-gaps", "--json").stdout)["changes"]


async def test_a_bad_option_is_one_clear_line(planner: Planner) -> None:
    refused = planner.run(SOC, "--rest", "eleven")
    assert (refused.returncode, "--rest: 'eleven' is not a duration" in refused.stderr) == (1, True)
    assert planner.run(SOC, "--fail-on", "sorrow").returncode == 2
    bad = planner.run(SOC.replace("Europe/Berlin", "Mars/Base"), "--json")
    assert (bad.returncode, bad.stdout) == (1, "")
