"""Typed settings, read once."""

import difflib
import os
import ssl
import sys
import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import ip_interface, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BeforeValidator, ValidationError, model_validator
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


def _networks(parts: tuple[str, ...]) -> tuple[str, ...]:
    for part in parts:
        try:
            ip_network(part)
        except ValueError:
            raise ValueError(_no_network(part)) from None
    return parts


def _no_network(part: str) -> str:
    try:
        found = ip_interface(part)
    except ValueError:
        return f"{part!r} is no network; write it like 10.0.0.0/8 or fd00::/8"
    # Which of the two was meant decides what can be reached, so it is not guessed.
    return f"{part!r} is no network; write {found.network}, or {found.ip} for this address alone"


def _database_url(value: str) -> str:
    if not value.startswith(("postgresql://", "postgres://")):  # it may hold a password
        raise ValueError("write it like postgresql://USER:PASSWORD@HOST/DATABASE")
    return value


def _public_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or any(char <= " " or char in "?#@" for char in value):
        raise ValueError(
            f"{value!r} is not the address of a site; write it like https://tocsin.example.org, "
            "with neither user nor anything that begins at ? or #"
        )
    return value


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    known = bool(bare) and (":" not in bare or bare != host)
    if not known or not (port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
        raise ValueError(f"{value!r} is no HOST:PORT; write it like 127.0.0.1:2525 or [::1]:2525")
    return value


Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_networks)]


class Settings(BaseSettings):
    """Everything that environment or `TOCSIN_HOME/tocsin.toml` may say; the environment wins."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    home: Path
    database_url: Annotated[str, AfterValidator(_database_url)] | None = None
    public_url: Annotated[str, AfterValidator(_public_url)] | None = None
    secret_key_file: Path | None = None
    allow_private_targets: Networks = ()
    log_format: Literal["text", "json"] = "text"
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    trusted_proxies: Networks = ()
    mail_listen: Annotated[str, AfterValidator(_listen)] | None = None

    @model_validator(mode="after")
    def tls_files_go_together(self) -> "Settings":
        """One without the other serves nothing."""
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("TOCSIN_TLS_CERT_FILE and TOCSIN_TLS_KEY_FILE: set both, or neither")
        return self

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
    file = home / "tocsin.toml"
    try:
        if home.exists() and not home.is_dir():
            raise SettingsError(f"{PREFIX}HOME: {home} is not a folder")
        said = _file(file)
    except OSError as fault:
        raise SettingsError(f"{PREFIX}HOME: {home} cannot be used: {fault.strerror}") from None
    try:
        return Settings(home=home, **said)
    except ValidationError as fault:
        raise SettingsError("; ".join(_told(fault, said, file))) from None


def check_tls(settings: Settings) -> None:
    """Whether HTTPS can be served with the two files, if they are set. Raises `SettingsError`."""
    certificate, key = settings.tls_cert_file, settings.tls_key_file
    if certificate is None or key is None:
        return
    for name, path in (("TLS_CERT_FILE", certificate), ("TLS_KEY_FILE", key)):
        try:
            path.read_bytes()
        except OSError as fault:
            told = f"{PREFIX}{name}: {path} cannot be read: {fault.strerror}"
            raise SettingsError(told) from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password="")  # else it asks the terminal
    except (ssl.SSLError, ValueError) as fault:
        reason = getattr(fault, "reason", None) or str(fault)
        both = f"{PREFIX}TLS_CERT_FILE {certificate} and {PREFIX}TLS_KEY_FILE {key}"
        if reason == "KEY_VALUES_MISMATCH":
            raise SettingsError(f"{both}: the key is not that of the certificate") from None
        raise SettingsError(
            f"{both} cannot be used ({reason}): give PEM files, the chain beginning with this "
            "host's certificate, the key without a password"
        ) from None


def _told(fault: ValidationError, said: Mapping[str, Any], file: Path) -> Iterator[str]:
    """Each fault with the setting, what it is, and how to write it."""
    for error in fault.errors():
        what = error["msg"].removeprefix("Value error, ")
        if not error["loc"]:  # of several settings, which it names
            yield what
            continue
        field = str(error["loc"][0])
        name = f"{PREFIX}{field.upper()}"
        place = f"{field} in {file}" if field in said and not os.environ.get(name) else name
        shown = error["type"] != "value_error" and field != "database_url"
        yield f"{place}: {what} (it is {error['input']!r})" if shown else f"{place}: {what}"


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
    for key in sorted(said):
        if key == "home":
            raise SettingsError(f"{path}: `home` is where this file lies; set {PREFIX}HOME instead")
        if key not in Settings.model_fields:
            raise SettingsError(f"{path}: {_no_key(key)}")
    return said


def _no_key(key: str) -> str:
    """Keys are the settings' names in lower case, without the prefix."""
    bare = key.lower().removeprefix(PREFIX.lower())
    known = [name for name in Settings.model_fields if name != "home"]
    if bare in known:
        return f"write `{bare}` instead of `{key}`: the name in lower case, without {PREFIX}"
    near = difflib.get_close_matches(bare, known, n=1, cutoff=0.0)
    return f"there is no setting `{key}`; did you mean `{near[0]}`?"
