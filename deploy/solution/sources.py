"""The hand-written parts of the solution, read from its folder."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ruamel.yaml import YAML

from tocsin.microsoft.table import USUAL_TABLE, checked_name

Json = dict[str, object]

FOLDER = Path(__file__).resolve().parents[1] / "sentinel-solution"
DATA_FILE = "Data/Solution_Tocsin.json"
LOGO = "Logos/Tocsin.svg"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of content: where it lies in the folder, and what it says."""

    path: str
    body: Json

    @property
    def stem(self) -> str:
        """The name without folder and ending."""
        path = Path(self.path)
        return path.parent.name if path.stem == "azuredeploy" else path.stem


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that a package is built from."""

    table: str
    data: Json
    metadata: Json
    release_notes: str
    logo: str
    connectors: Sequence[Part]
    workbooks: Sequence[Part]
    rules: Sequence[Part]
    hunts: Sequence[Part]
    playbooks: Sequence[Part]

    @property
    def version(self) -> str:
        """The version of the whole solution."""
        return str(self.data["Version"])

    @property
    def solution_id(self) -> str:
        """Publisher and offer, as the marketplace knows them."""
        return f"{self.metadata['publisherId']}.{self.metadata['offerId']}"


def read_sources(folder: Path = FOLDER, table: str = USUAL_TABLE) -> Sources:
    """The parts that the data file names, speaking of `table`. Raises ValueError, OSError."""
    checked_name(table)

    def named(key: str) -> list[Part]:
        paths = cast("list[str]", data[key])
        return [Part(path, _body(folder / path, table)) for path in paths]

    data = _body(folder / DATA_FILE, table)
    return Sources(
        table=table,
        data=data,
        metadata=_body(folder / str(data["Metadata"]), table),
        release_notes=(folder / "ReleaseNotes.md").read_text(encoding="utf-8"),
        logo=(folder / LOGO).read_text(encoding="utf-8"),
        connectors=named("Data Connectors"),
        workbooks=named("Workbooks"),
        rules=named("Analytic Rules"),
        hunts=named("Hunting Queries"),
        playbooks=named("Playbooks"),
    )


def _body(path: Path, table: str) -> Json:
    whole = re.sub(rf"\b{USUAL_TABLE}\b", table, path.read_text(encoding="utf-8"))
    read = json.loads(whole) if path.suffix == ".json" else _yaml(whole)
    if not isinstance(read, dict):
        raise ValueError(f"{path.name}: an object was expected")  # noqa: TRY004 - a fault of the file
    return cast("Json", read)


def _yaml(text: str) -> object:
    load = cast("Callable[[str], object]", YAML(typ="safe", pure=True).load)  # pyright: ignore[reportUnknownMemberType] - the package leaves it untyped
    return load(text)
