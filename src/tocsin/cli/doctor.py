"""Checks database, public URL, clocks, channels and connectors, one line each with a hint."""

import sys

import typer

from tocsin.actions.examine import Finding, Grade, Setting, examine
from tocsin.actions.world import World
from tocsin.cli.running import settings, with_world
from tocsin.clock import SystemClock
from tocsin.settings import Settings, SettingsError, check_tls

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run() -> None:
    """Look everything over; exit 1 when something is wrong."""
    configured = settings()

    async def work(world: World) -> int:
        findings = await examine(world, _setting(configured))
        for finding in findings:
            print(line(finding))
        return 1 if any(finding.grade is Grade.FAULT for finding in findings) else 0

    with_world(work, configured)


def _setting(configured: Settings) -> Setting:
    tls_fault = None
    try:
        check_tls(configured)
    except SettingsError as fault:
        tls_fault = str(fault)
    return Setting(
        machine=SystemClock(),
        key_file=str(configured.key_file),
        public_url=configured.public_url is not None,
        mail_listen=configured.mail_listen is not None,
        tls_fault=tls_fault,
    )


def line(finding: Finding) -> str:
    """One finding as people read it."""
    mark = {Grade.OK: "✓", Grade.WARNING: "!", Grade.FAULT: "✗"}[finding.grade]
    if sys.stdout.encoding.lower() not in {"utf-8", "utf8"}:
        mark = {Grade.OK: "ok", Grade.WARNING: "warning", Grade.FAULT: "FAULT"}[finding.grade]
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{mark} {finding.what}: {finding.detail}{hint}"
