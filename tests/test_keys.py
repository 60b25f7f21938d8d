"""Signing, sealing and hashing with the installation's key."""

import base64
import pickle
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from tocsin.keys import (
    KeyFileError,
    Keys,
    SealError,
    load,
    load_or_create,
    new_nonce,
    new_signing_key,
    new_token,
    signing_key_bytes,
    token_is_wellformed,
    webhook_signature,
)

KEYS = Keys(bytes(range(32)))
OTHER = Keys(bytes(32))


def test_a_link_secret_is_the_same_for_a_retry_only() -> None:
    secret = KEYS.link_secret("reply", "n-1")
    assert secret == Keys(bytes(range(32))).link_secret("reply", "n-1")
    others = {
        KEYS.link_secret("page", "n-1"),
        KEYS.link_secret("reply", "n-2"),
        OTHER.link_secret("reply", "n-1"),
    }
    assert len(others - {secret}) == 3
    assert len(secret) == 32
    assert set(secret) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_derivation_stays_as_it_is_or_stored_hashes_and_links_die() -> None:
    assert KEYS.link_secret("reply", "n-1") == "nPyPoh4ZarEKUsLH-e5ryrpiKizfj4LD"
    assert (
        KEYS.hash("plant-secret-0001").hex()
        == "3594625e716ace8a08bc96e608d58abc3362945edefcc2a97831392e3bee2030"
    )


def test_a_hash_is_keyed_and_matches_only_its_text() -> None:
    hashed = KEYS.hash("plant-secret-0001")
    assert KEYS.matches("plant-secret-0001", hashed)
    assert not KEYS.matches("plant-secret-0002", hashed)
    assert not OTHER.matches("plant-secret-0001", hashed)
    assert not KEYS.matches("\ud800", hashed)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens_again_in_its_context(plain: bytes, context: str) -> None:
    sealed = KEYS.seal(plain, context)
    assert KEYS.open(sealed, context) == plain
    with pytest.raises(SealError, match="changed or belongs"):
        KEYS.open(sealed, context + "x")


def test_no_bit_of_a_sealed_value_can_be_changed() -> None:
    sealed = KEYS.seal("smtp password", "connector 1")
    assert b"smtp" not in sealed
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealError):
            KEYS.open(bytes(changed), "connector 1")
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            KEYS.open(sealed[:length], "connector 1")


def test_sealing_twice_shows_no_equality_and_another_key_is_named_as_the_fault() -> None:
    assert KEYS.seal("x", "c") != KEYS.seal("x", "c")
    with pytest.raises(SealError, match="another key"):
        OTHER.open(KEYS.seal("x", "c"), "c")


def test_keys_show_and_hand_out_nothing_of_themselves() -> None:
    shown = f"{KEYS!r} {KEYS}"
    assert shown == "Keys(...) Keys(...)"
    with pytest.raises(TypeError):
        pickle.dumps(KEYS)
    with pytest.raises(ValueError, match="32 bytes, not 5") as caught:
        Keys(b"short")
    assert "short" not in str(caught.value)


def test_a_token_shows_typing_errors_before_the_database_is_asked() -> None:
    token = new_token()
    assert token.startswith("tcs_")
    assert token_is_wellformed(token)
    assert new_token() != token
    for position in range(len(token)):
        wrong = "A" if token[position] != "A" else "B"
        assert not token_is_wellformed(token[:position] + wrong + token[position + 1 :])
    for other in ("", "tcs_", token[:-1], token + "A", token.replace("tcs_", "TCS_"), "é" * 42):
        assert not token_is_wellformed(other)


def test_a_signature_is_what_the_reference_library_computes_and_takes() -> None:
    key = new_signing_key()
    body = '{"text": "Größe"}'
    now = int(datetime.now(UTC).timestamp())  # noqa: TID251 - the library compares with real time
    ours = webhook_signature(key, "n-1", now, body.encode())
    assert ours == Webhook(key).sign("n-1", datetime.fromtimestamp(now, UTC), body)
    headers = {"webhook-id": "n-1", "webhook-timestamp": str(now), "webhook-signature": ours}
    assert Webhook(key).verify(body, headers) == {"text": "Größe"}


def test_a_signing_key_that_is_none_is_refused_without_being_shown() -> None:
    assert len(signing_key_bytes(new_signing_key())) == 32
    plain = base64.b64encode(b"x" * 24).decode()
    for wrong in ("", "whsec_", plain, "whsec_no base64!", "whsec_é"):
        with pytest.raises(ValueError, match="whsec_ followed by base64") as caught:
            signing_key_bytes(wrong)
        assert not wrong.removeprefix("whsec_") or wrong not in str(caught.value)


def test_nonces_differ() -> None:
    assert len({new_nonce() for _ in range(100)}) == 100


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    made = load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create(path).hash("x") == made.hash("x")
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]


def test_a_fingerprint_tells_keys_apart() -> None:
    assert KEYS.fingerprint == Keys(bytes(range(32))).fingerprint
    assert KEYS.fingerprint != OTHER.fingerprint


def test_a_key_file_that_is_only_read_is_never_made(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    with pytest.raises(KeyFileError, match=r"does not exist.*restore the file.*SECRET_KEY_FILE"):
        load(path)
    assert not path.exists()
    assert load_or_create(path).fingerprint == load(path).fingerprint


def test_processes_that_start_at_once_use_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(load_or_create, [tmp_path / "secret.key"] * 32))
    assert len({keys.hash("x") for keys in loaded}) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_key_file_that_cannot_be_used_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    with pytest.raises(KeyFileError, match=r"absent.*No such file"):
        load_or_create(tmp_path / "absent" / "secret.key")
    with pytest.raises(KeyFileError, match=str(tmp_path)):
        load_or_create(tmp_path)
    for content in (b"", b"tocsin-key-1:", b"hello", b"\xff\xfe", b"tocsin-key-1:AAAA"):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(KeyFileError, match=r"secret\.key"):
            load_or_create(path)
    path.unlink()
    load_or_create(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_or_create(path)
