"""Shows the changes that would bring this installation to what a file says."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tocsin.actions.configure import Choices, ConfigureError, Look, Report, plan
from tocsin.actions.world import World
from tocsin.cli.differences import FailOn, as_object, difference_lines, reasons_to_fail
from tocsin.cli.reporting import document, lines, refuse
from tocsin.cli.running import fail, tell, with_world
from tocsin.core.coverage import Limits
from tocsin.core.notation import duration

FAILED = 3
"""The exit code of a plan that `--fail-on` does not let pass."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    file: Annotated[Path, typer.Option("-f", "--file", help="The configuration file.")],
    keep_current: Annotated[
        bool,
        typer.Option(help="Changed schedules wait until the shifts that run now end."),
    ] = False,
    days: Annotated[
        int, typer.Option(min=1, max=400, help="How many days ahead duty is compared.")
    ] = 28,
    rest: Annotated[
        str, typer.Option(help="Less rest than this between two shifts is pointed out.")
    ] = "11h",
    nights: Annotated[
        int, typer.Option(min=0, max=400, help="More nights in a row are pointed out.")
    ] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    fail_on: Annotated[
        list[FailOn] | None,
        typer.Option(help="Exit 3 when the file leads to this; may be given several times."),
    ] = None,
) -> None:
    """Show what `tocsin apply` would do; exit 1 when it would refuse."""
    wanted = document(file)
    limits = Limits(_rest(rest), nights)
    look = Look(ahead=timedelta(days=days), limits=limits, every=as_json or bool(fail_on))

    async def work(world: World) -> int:
        try:
            report = await plan(world, wanted, Choices(keep_current=keep_current), look)
        except ConfigureError as fault:
            refuse(file, fault)
        _show(report, as_json=as_json)
        if report.refused:
            return 1
        reasons = reasons_to_fail(report.compared, fail_on or ())
        for reason in reasons:
            tell(reason)
        return FAILED if reasons else 0

    with_world(work)


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(as_object(report))).decode())
        return
    for line in lines(report, would=True):
        print(line)
    for team, found in report.compared.items():
        for line in difference_lines(team, found):
            print(line)


def _rest(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as fault:
        fail(f"--rest: {fault}")
