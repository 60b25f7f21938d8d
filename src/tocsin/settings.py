"""Typed settings, read once."""

import difflib
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BeforeValidator, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "TOCSIN_"
NOT_SETTINGS = ("_SECRET", "_PASSWORD", "_TOKEN")
"""Variables that end so belong to `secret_env` references."""
BUILD_ONLY = {"TOCSIN_SKIP_WEB_BUILD", "TOCSIN_TEST_DATABASE_URL"}


class SettingsError(Exception):
    """A setting that cannot be used; the message names it, the fault and the remedy."""


def _listed(value: object) -> object:
    return (
        [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, str)
        else value
    )


Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]


class Settings(BaseSettings):
    """Everything that environment or `TOCSIN_HOME/tocsin.toml` may say; the environment wins."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    home: Path
    database_url: str | None = None
    public_url: str | None = None
    secret_key_file: Path | None = None
    allow_private_targets: Listed = ()
    log_format: Literal["text", "json"] = "text"
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    trusted_proxies: Listed = ()
    mail_listen: str | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - handed by the library
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - handed by the library
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - handed by the library
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over what `read` found in the file."""
        return (env_settings, init_settings)

    @property
    def key_file(self) -> Path:
        """Where the installation's key stands."""
        return self.secret_key_file or self.home / "secret.key"


def default_home() -> Path:
    """The data folder when none is set: /var/lib/tocsin as root, else as the platform has it."""
    if sys.platform != "win32" and os.geteuid() == 0:
        return Path("/var/lib/tocsin")
    return Path(platformdirs.user_data_dir("tocsin", appauthor=False))


def read() -> Settings:
    """The settings of this process. Raises `SettingsError`."""
    _refuse_unknown(os.environ)
    home = Path(os.environ.get(f"{PREFIX}HOME") or default_home()).absolute()
    said: dict[str, Any] = {"home": home, **_file(home / "tocsin.toml")}
    try:
        return Settings(**said)
    except ValidationError as fault:
        told = "; ".join(
            f"{PREFIX}{'_'.join(map(str, error['loc'])).upper()}: {error['msg']}"
            for error in fault.errors()
        )
        raise SettingsError(told) from None


def _known() -> set[str]:
    return {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = _known()
    for name in environ:
        if not name.startswith(PREFIX) or name.endswith(NOT_SETTINGS):
            continue
        if name not in known and name not in BUILD_ONLY:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise SettingsError(f"there is no setting {name}; did you mean {near[0]}?")


def _file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        said = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as fault:
        raise SettingsError(f"{path} cannot be read: {fault}") from None
    unknown = sorted(set(said) - set(Settings.model_fields))
    if unknown:
        near = difflib.get_close_matches(unknown[0], Settings.model_fields, n=1, cutoff=0.0)
        raise SettingsError(f"{path}: there is no setting {unknown[0]}; did you mean {near[0]}?")
    return said
