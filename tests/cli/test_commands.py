"""The commands as people type them, on a database of their own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.soc import SOC
from tocsin.actions.configure import apply, read
from tocsin.app import opened
from tocsin.settings import Settings

TOCSIN = Path(sys.executable).with_name("tocsin")


@dataclass(frozen=True)
class Shell:
    """Runs `tocsin` with the settings of one installation."""

    home: Path
    database: str

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TOCSIN, *arguments],
            env={
                "PATH": os.environ["PATH"],
                "TOCSIN_HOME": str(self.home),
                "TOCSIN_DATABASE_URL": self.database,
                "LANG": "C.UTF-8",
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def shell(tmp_path: Path, database: str) -> Shell:
    return Shell(tmp_path / "home", database)


@pytest.fixture
def soc(tmp_path: Path) -> Path:
    path = tmp_path / "soc.yaml"
    path.write_text(SOC)
    return path


def test_help_names_every_command_with_its_sentence(shell: Shell) -> None:
    shown = shell.run("--help")
    assert shown.returncode == 0
    for name in ("serve", "demo", "plan", "apply", "export", "who", "token", "doctor", "azure"):
        assert f"  {name}" in shown.stdout
    assert "not installed" not in shown.stdout


def test_a_command_that_does_not_exist_exits_2_and_shows_help(shell: Shell) -> None:
    shown = shell.run("sing")
    assert (shown.returncode, "no command sing" in shown.stderr) == (2, True)


def test_apply_twice_changes_nothing_and_export_applies_unchanged(shell: Shell, soc: Path) -> None:
    planned = shell.run("plan", "-f", str(soc))
    assert planned.returncode == 0, planned.stderr
    assert "would create: team soc" in planned.stdout
    first = shell.run("apply", "-f", str(soc))
    assert first.returncode == 0, first.stderr
    assert "create: team soc" in first.stdout
    second = shell.run("apply", "-f", str(soc))
    assert second.returncode == 0
    assert "nothing to change" in second.stdout
    exported = shell.run("export")
    again = soc.with_name("exported.yaml")
    again.write_text(exported.stdout)
    third = shell.run("apply", "-f", str(again))
    assert third.returncode == 0, third.stdout + third.stderr
    assert "nothing to change" in third.stdout


def test_a_bad_file_is_refused_as_a_whole_with_every_fault_and_its_line(
    shell: Shell, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "version: 1\nusers:\n  mara: {role: king, time_zone: Mars/Olympus}\n"
        "teams:\n  soc: {time_zone: Europe/Berlin, members: [nobody]}\n"
    )
    refused = shell.run("apply", "-f", str(bad))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    for part in ("line 3", "line 5", "king", "Mars/Olympus", "nobody"):
        assert part in refused.stderr
    assert refused.stdout == ""


async def _configure(shell: Shell) -> None:
    """As `tocsin apply`, without another process."""
    settings = Settings(home=shell.home, database_url=shell.database)
    async with opened(settings, log=lambda _: None) as world:
        await apply(world, read(SOC))


async def test_a_token_stands_alone_on_standard_output(shell: Shell) -> None:
    await _configure(shell)
    made = shell.run("token", "create", "--user", "mara", "--scope", "read", "--expires", "90d")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("tcs_")
    assert len(made.stdout.split()) == 1
    unknown = shell.run("token", "create", "--user", "nobody")
    assert (unknown.returncode, unknown.stdout) == (1, "")


async def test_who_tells_the_escalation_step_by_step(shell: Shell) -> None:
    await _configure(shell)
    told = shell.run("who", "--team", "soc", "--at", "2026-12-24T03:00")
    assert told.returncode == 0, told.stderr
    assert "jonas by phone (webhook), again every 30s" in told.stdout
    assert "nobody answered; told: ada" in told.stdout
    assert "03:00:30" not in told.stdout
    unfolded = shell.run("who", "--team", "soc", "--at", "2026-12-24T03:00", "--all")
    assert "03:00:30    jonas by phone (webhook), again (2)" in unfolded.stdout
    for arguments, words in (
        (("--team", "nobody"), "there is no team nobody; there are: soc"),
        (("--team", "soc", "--category", "fire"), "the team soc has no category 'fire'"),
        (("--team", "soc", "--at", "tonight"), "--at: 'tonight' is not a date"),
    ):
        refused = shell.run("who", *arguments)
        assert (refused.returncode, words in refused.stderr) == (1, True), refused.stderr


async def test_who_takes_what_decides_who_is_paged(shell: Shell) -> None:
    await _configure(shell)
    asked = ("who", "--team", "soc", "--at", "2026-12-24T03:00")
    recorded = shell.run(*asked, "--severity", "info")
    assert "is only recorded; nobody is paged." in recorded.stdout
    failing = shell.run(*asked, "--failing", "webhook", "--title", "Pump down")
    assert "jonas by phone (webhook) fails: assumed to fail" in failing.stdout


async def test_doctor_tells_what_is_wrong_and_exits_1_for_it(shell: Shell) -> None:
    await _configure(shell)
    found = shell.run(
        "doctor", TOCSIN_PUBLIC_URL="https://tocsin.example.org", PYTHONIOENCODING="ascii"
    )
    assert found.returncode == 1, found.stdout + found.stderr
    assert " database: PostgreSQL" in found.stdout
    assert "ok public URL: https://tocsin.example.org" in found.stdout
    assert f"ok key: {shell.home / 'secret.key'} is the one" in found.stdout
    assert "FAULT channel webhook: pages are not sent to addresses that" in found.stdout
    assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in found.stdout


def test_an_unknown_setting_names_the_nearest_known_one(shell: Shell) -> None:
    refused = shell.run("doctor", TOCSIN_DATABASE_URI="postgresql:///x")
    assert refused.returncode == 1
    assert "TOCSIN_DATABASE_URI" in refused.stderr
    assert "did you mean TOCSIN_DATABASE_URL" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_database_that_cannot_be_reached_is_one_clear_line(tmp_path: Path) -> None:
    away = Shell(tmp_path, f"postgresql://tocsin@/tocsin?host={tmp_path}")
    refused = away.run("doctor")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "TOCSIN_DATABASE_URL" in refused.stderr
