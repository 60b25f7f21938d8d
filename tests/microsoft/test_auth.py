"""Tokens come by the configured credential; what goes wrong is told without secrets."""

import logging
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.microsoft.oddities import odd_server
from tests.microsoft.skies import LONG_AGO, SECRET, Sky, open_sky
from tocsin.microsoft.faults import entra_refusal
from tocsin.microsoft.fields import record
from tocsin.ports import Failed, FailureKind, SourceError


@pytest.fixture
async def sky(tmp_path: Path) -> AsyncGenerator[Sky]:
    async with open_sky(tmp_path) as opened:
        yield opened


async def _failure(sky: Sky) -> Failed:
    with pytest.raises(SourceError) as caught:
        await sky.poll()
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error) + repr(error)
        error = error.__cause__ or error.__context__
    return caught.value.failed


async def test_a_token_is_asked_for_once_and_renewed_before_it_ends(sky: Sky) -> None:
    await sky.poll()
    await sky.poll()
    assert len(sky.cloud.requests.of("POST", "oauth2")) == 1
    sky.clock.move(timedelta(days=1))
    await sky.poll()
    assert len(sky.cloud.requests.of("POST", "oauth2")) == 2


async def test_a_refused_token_is_replaced_once(sky: Sky) -> None:
    await sky.poll()
    sky.cloud.identity.forget_tokens()
    await sky.poll()
    assert len(sky.cloud.requests.of("POST", "oauth2")) == 2


async def test_a_new_secret_is_used_without_a_restart(sky: Sky) -> None:
    sky.secrets["TOCSIN_SENTINEL_SECRET"] = "an old one"
    failed = await _failure(sky)
    assert failed.kind is FailureKind.CONFIGURATION
    assert "the client secret is wrong (AADSTS7000215)" in failed.reason
    assert "an old one" not in failed.reason
    sky.secrets["TOCSIN_SENTINEL_SECRET"] = SECRET
    assert await sky.poll() == []


async def test_an_expired_secret_says_what_to_do(sky: Sky) -> None:
    sky.cloud.identity.secret_expires = LONG_AGO
    failed = await _failure(sky)
    assert "has expired (AADSTS7000222): create a new secret" in failed.reason


async def test_an_unknown_application_or_tenant_names_the_key_to_check(sky: Sky) -> None:
    await sky.anew(client_id="99999999-9999-9999-9999-999999999999")
    assert "check client_id" in (await _failure(sky)).reason
    await sky.anew(tenant_id="99999999-9999-9999-9999-999999999999")
    assert "check tenant_id" in (await _failure(sky)).reason


async def test_a_missing_secret_names_the_reference(sky: Sky) -> None:
    sky.secrets.clear()
    failed = await _failure(sky)
    assert failed.kind is FailureKind.CONFIGURATION
    assert "TOCSIN_SENTINEL_SECRET is not set" in failed.reason


async def test_entra_in_trouble_is_temporary_and_obeyed(sky: Sky) -> None:
    sky.cloud.faults.add("oauth2", "POST", 503, retry_after=40)
    failed = await _failure(sky)
    assert failed.kind is FailureKind.TEMPORARY
    assert failed.retry_after == timedelta(seconds=40)


async def test_entra_that_cannot_be_trusted_or_reached_is_temporary(
    sky: Sky, tmp_path: Path
) -> None:
    async with odd_server(tmp_path) as odd:
        await sky.anew(cloud={**sky.block["cloud"], "ca_file": str(odd.ca_file)})
        failed = await _failure(sky)
    assert failed.kind is FailureKind.TEMPORARY
    assert "ca_file" in failed.reason


async def test_a_ca_file_that_is_missing_or_none_is_named(sky: Sky, tmp_path: Path) -> None:
    await sky.anew(cloud={**sky.block["cloud"], "ca_file": str(tmp_path / "absent.pem")})
    failed = await _failure(sky)
    assert failed.kind is FailureKind.CONFIGURATION
    assert "absent.pem cannot be used: No such file" in failed.reason
    (tmp_path / "odd.pem").write_text("no certificate", encoding="utf-8")
    await sky.anew(cloud={**sky.block["cloud"], "ca_file": str(tmp_path / "odd.pem")})
    assert "odd.pem cannot be used" in (await _failure(sky)).reason


async def test_the_secret_is_in_no_log_line_nor_repr(
    sky: Sky, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        await sky.poll()
        sky.cloud.identity.client_secret = "another"
        sky.cloud.identity.forget_tokens()
        await _failure(sky)
    captured = capsys.readouterr()
    assert SECRET not in caplog.text + captured.out + captured.err + repr(vars(sky.source))


async def test_a_certificate_signs_the_request_for_a_token(sky: Sky, tmp_path: Path) -> None:
    path = _certificate(tmp_path, rsa.generate_private_key(65537, 2048))
    await sky.anew(credential={"certificate_file": str(path)})
    # The simulated tenant knows no certificates; what counts is that the assertion was sent.
    await _failure(sky)
    (request,) = sky.cloud.requests.of("POST", "oauth2")
    assert "client_assertion" in record(request.body)
    assert "client_secret" not in record(request.body)


async def test_a_certificate_that_is_no_rsa_or_missing_is_told(sky: Sky, tmp_path: Path) -> None:
    path = _certificate(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    await sky.anew(credential={"certificate_file": str(path)})
    failed = await _failure(sky)
    assert failed.kind is FailureKind.CONFIGURATION
    assert "RSA only" in failed.reason
    await sky.anew(credential={"certificate_file": str(tmp_path / "absent.pem")})
    assert "absent.pem cannot be read" in (await _failure(sky)).reason


async def test_a_federated_token_is_read_each_time(sky: Sky, tmp_path: Path) -> None:
    path = tmp_path / "token"
    await sky.anew(credential={"federated_token_file": str(path)})
    assert "token cannot be read" in (await _failure(sky)).reason
    path.write_text("a.federated.token\n", encoding="utf-8")
    await _failure(sky)
    (request,) = sky.cloud.requests.of("POST", "oauth2")
    assert "client_assertion" in record(request.body)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("700016", "check client_id"),
        ("90002", "check tenant_id"),
        ("700027", "certificate"),
        ("700211", "issuer"),
        ("70021", "federated"),
        ("99999999", "look the code up"),
    ],
)
def test_each_refusal_has_a_remedy_and_its_trace(code: str, word: str) -> None:
    trace = "0b4a2b4a-5c1f-4b0e-8d6e-3a2f1e0d9c8b"
    error = entra_refusal(f"(invalid_client) AADSTS{code}: words. Trace ID: {trace} Timestamp: x")
    assert error.failed.kind is FailureKind.CONFIGURATION
    assert word in error.failed.reason
    assert f"AADSTS{code}" in error.failed.reason
    assert trace in error.failed.reason


def _certificate(folder: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> Path:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tocsin")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=400))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / f"{type(key).__name__}.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
