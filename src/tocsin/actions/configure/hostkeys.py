"""What only a file or an admin may say: references to the host, clouds of one's own."""

from collections.abc import Iterator

from tocsin.actions.configure.faults import Fault, Path
from tocsin.actions.configure.sealing import target
from tocsin.core.notation import listing, mapping
from tocsin.store.configuration import Held, Kind

_HOST = (
    "secret_env", "certificate_file", "federated_token_file", "ca_file", "managed_identity",
)  # fmt: skip


def host_faults(former: Held | None, wanted: Held, place: Path) -> list[Fault]:
    """References that an editor who is no admin adds, or turns towards another target."""
    held = dict(_references(former.body if former else {}, ()))
    asked = dict(_references(wanted.body, ()))
    faults = [
        Fault((*place, *path), "only apply or an admin refers to the host or describes a cloud")
        for path, value in asked.items()
        if held.get(path) != value
    ]
    turned = former is not None and target(former.body) != target(wanted.body)
    if asked and turned and wanted.key.kind is Kind.CONNECTOR and not faults:
        what = "its secret belongs to the host: only apply or an admin sends it elsewhere"
        faults.append(Fault((*place, "credential"), what))
    return faults


def _references(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    for key, inner in mapping(value).items():
        if key in _HOST or (key == "cloud" and not isinstance(inner, str)):
            yield (*path, key), inner
        yield from _references(inner, (*path, key))
    for index, inner in enumerate(listing(value)):
        yield from _references(inner, (*path, index))
