"""Builds the package of the Microsoft Sentinel solution, and refuses one that breaks a rule."""

import argparse
import sys
import zipfile
from pathlib import Path

from deploy.solution.package import main_template, written
from deploy.solution.rules import faults
from deploy.solution.sources import FOLDER, Sources, read_sources
from deploy.solution.wizard import create_ui_definition
from tocsin.microsoft.table import USUAL_TABLE

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # no file in the archive tells when it was built


def main(arguments: list[str] | None = None) -> int:
    """0 when the package was written, 1 when the solution breaks a rule."""
    parser = argparse.ArgumentParser(prog="make solution", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/sentinel-solution"))
    parser.add_argument("--table", default=USUAL_TABLE, help="the custom table (NAME_CL)")
    given = parser.parse_args(arguments)
    try:
        sources = read_sources(FOLDER, given.table)
    except ValueError as error:
        parser.error(str(error))
    if found := faults(sources):
        print(*found, sep="\n", file=sys.stderr)
        return 1
    for path in build(sources, given.out):
        print(path)
    return 0


def build(sources: Sources, out: Path) -> list[Path]:
    """Write both files and an archive of them to `out`; the same sources give the same bytes."""
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "mainTemplate.json": written(main_template(sources)),
        "createUiDefinition.json": written(create_ui_definition(sources)),
    }
    archive = out / f"{sources.version}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8")
            packed.writestr(zipfile.ZipInfo(name, _EARLIEST), text, zipfile.ZIP_DEFLATED)
    return [*(out / name for name in files), archive]


if __name__ == "__main__":
    sys.exit(main())
