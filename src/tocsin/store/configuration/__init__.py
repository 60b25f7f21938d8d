"""What people configure, object by object, with who made each."""

from tocsin.store.configuration.needs import dependents, quiet
from tocsin.store.configuration.objects import Held, Holdings, Key, Kind, override_name
from tocsin.store.configuration.reading import load, lock
from tocsin.store.configuration.writing import (
    bump,
    drop,
    hold,
    keep_members,
    new_id,
    place_address,
    put,
    touch,
)

__all__ = [
    "Held",
    "Holdings",
    "Key",
    "Kind",
    "bump",
    "dependents",
    "drop",
    "hold",
    "keep_members",
    "load",
    "lock",
    "new_id",
    "override_name",
    "place_address",
    "put",
    "quiet",
    "touch",
]
