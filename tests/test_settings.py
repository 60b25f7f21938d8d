"""Settings: what is refused, in which words; where they come from."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tocsin.clock import SystemClock
from tocsin.settings import Settings, SettingsError, check_tls, read


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path))
    return tmp_path


def _refused() -> str:
    with pytest.raises(SettingsError) as refused:
        read()
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ALLOW_PRIVATE_TARGETS", "127.0.0.1/8", "write 127.0.0.0/8, or 127.0.0.1 for this addr"),
        ("ALLOW_PRIVATE_TARGETS", "10.0.0.0/8, lan", "'lan' is no network; write it like 10.0.0.0"),
        ("TRUSTED_PROXIES", "*", "'*' is no network"),
        ("TRUSTED_PROXIES", "fd00::1/8", "write fd00::/8, or fd00::1 for this address alone"),
        ("PUBLIC_URL", "tocsin.example.org", "write it like https://tocsin.example.org"),
        ("PUBLIC_URL", "ftp://tocsin.example.org", "'ftp://tocsin.example.org' is not the addr"),
        ("PUBLIC_URL", "https://", "is not the address of a site"),
        ("PUBLIC_URL", "https://tocsin.example.org/?a=b", "anything that begins at ? or #"),
        ("PUBLIC_URL", "https://u:p@tocsin.example.org", "with neither user nor"),
        ("PUBLIC_URL", "https://tocsin.example.org:http", "is not the address of a site"),
        ("PUBLIC_URL", "https://[::1", "is not the address of a site"),
        ("MAIL_LISTEN", "2525", "'2525' is no HOST:PORT; write it like 127.0.0.1:2525"),
        ("MAIL_LISTEN", "localhost:smtp", "is no HOST:PORT"),
        ("MAIL_LISTEN", "::1:25", "or [::1]:2525"),
        ("MAIL_LISTEN", "localhost:70000", "is no HOST:PORT"),
        ("LOG_FORMAT", "xml", "Input should be 'text' or 'json' (it is 'xml')"),
        ("DATABASE_URL", "mysql://u:hidden@h/d", "write it like postgresql://"),
    ],
)
def test_a_wrong_setting_is_one_line_with_its_name_and_how_to_write_it(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TOCSIN_{name}", value)
    line = _refused()
    assert line.startswith(f"TOCSIN_{name}: ")
    assert told in line
    assert "hidden" not in line
    assert "\n" not in line


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_PUBLIC_URL", "here")
    monkeypatch.setenv("TOCSIN_MAIL_LISTEN", "there")
    line = _refused()
    assert "TOCSIN_PUBLIC_URL: " in line
    assert "TOCSIN_MAIL_LISTEN: " in line


def test_right_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_ALLOW_PRIVATE_TARGETS", " 10.0.0.0/8,192.168.1.7, fd00::/8 ")
    monkeypatch.setenv("TOCSIN_PUBLIC_URL", "https://example.org:8443/tocsin/")
    monkeypatch.setenv("TOCSIN_MAIL_LISTEN", "[::1]:2525")
    settings = read()
    assert settings.allow_private_targets == ("10.0.0.0/8", "192.168.1.7", "fd00::/8")
    assert settings.public_url == "https://example.org:8443/tocsin/"
    assert settings.mail_listen == "[::1]:2525"


def test_the_file_is_read_and_the_environment_wins(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "tocsin.toml").write_text(
        'public_url = "https://file.example"\n'
        'log_format = "json"\n'
        'allow_private_targets = ["10.0.0.0/8"]\n'
    )
    monkeypatch.setenv("TOCSIN_PUBLIC_URL", "https://environment.example")
    settings = read()
    assert settings.public_url == "https://environment.example"
    assert settings.log_format == "json"
    assert settings.allow_private_targets == ("10.0.0.0/8",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('TOCSIN_PUBLIC_URL = "x"', "write `public_url` instead of `TOCSIN_PUBLIC_URL`"),
        ('Public_Url = "x"', "write `public_url` instead of `Public_Url`"),
        ('TOCSIN_PUBLIC_URI = "x"', "no setting `TOCSIN_PUBLIC_URI`; did you mean `public_url`?"),
        ('home = "/x"', "set TOCSIN_HOME instead"),
        ('log_format = "xml"', "log_format in "),
        ("public_url = 5", "Input should be a valid string (it is 5)"),
        ("log_format", "cannot be read: "),
    ],
)
def test_a_wrong_line_of_the_file_is_told_with_the_file(home: Path, text: str, told: str) -> None:
    (home / "tocsin.toml").write_text(text)
    line = _refused()
    assert str(home / "tocsin.toml") in line
    assert told in line


def test_a_home_that_is_no_folder_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").touch()
    monkeypatch.setenv("TOCSIN_HOME", str(home / "file"))
    assert _refused() == f"TOCSIN_HOME: {home / 'file'} is not a folder"
    monkeypatch.setenv("TOCSIN_HOME", str(home / ("long" * 100)))
    assert _refused().endswith("cannot be used: File name too long")


def test_one_tls_file_without_the_other_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_TLS_CERT_FILE", "/etc/tocsin.pem")
    assert _refused() == "TOCSIN_TLS_CERT_FILE and TOCSIN_TLS_KEY_FILE: set both, or neither"


def test_tls_files_that_serve_nothing_are_named_with_the_reason(home: Path) -> None:
    certificate, key = _pair(home, "one")
    _, other = _pair(home, "other")
    locked = _locked(home, "one")
    broken = home / "broken.pem"
    broken.write_text("no certificate")
    check_tls(Settings(home=home, tls_cert_file=certificate, tls_key_file=key))
    for cert_file, key_file, told in (
        (home / "absent.pem", key, "TLS_CERT_FILE: .*absent.pem cannot be read: No such file"),
        (certificate, home, "TLS_KEY_FILE: .* cannot be read: Is a directory"),
        (certificate, other, "the key is not that of the certificate"),
        (broken, key, "cannot be used .*give PEM files"),
        (certificate, locked, "the key without a password"),
    ):
        with pytest.raises(SettingsError, match=told):
            check_tls(Settings(home=home, tls_cert_file=cert_file, tls_key_file=key_file))


def _pair(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for this host and its key, in files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = SystemClock().now()
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(_written(key, serialization.NoEncryption()))
    return paths


def _locked(folder: Path, name: str) -> Path:
    """The key of that name behind a password."""
    key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    path = folder / f"{name}.locked"
    path.write_bytes(_written(key, serialization.BestAvailableEncryption(b"secret")))
    return path


def _written(
    key: ec.EllipticCurvePrivateKey, lock: serialization.KeySerializationEncryption
) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, lock)
