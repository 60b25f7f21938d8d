"""The certificate or secret of a deployment: made, registered, renewed, stored."""

import base64
from datetime import datetime, timedelta

from tocsin.microsoft.deploy.azure import Ask, Azure
from tocsin.microsoft.deploy.deciding import Step, Verb
from tocsin.microsoft.deploy.model import Known, Wanted
from tocsin.microsoft.deploy.storing import (
    RENEW_BEFORE,
    Held,
    StoreError,
    make_certificate,
    pending,
    read_certificate,
    read_secret,
    write_secret,
)
from tocsin.microsoft.deploy.wish import Proof, Wish
from tocsin.microsoft.faults import CallError
from tocsin.microsoft.fields import Record, records, text

_NEEDS = "Application Administrator or Cloud Application Administrator in Entra"


def decide_credential(
    wanted: Wanted, wish: Wish, application: Record | None, now: datetime
) -> Step:
    """Kept while the application knows it and it lasts for 30 days more. Raises `StoreError`."""
    held = _held(wish)
    if held is None:
        return Step(verb=Verb.CREATE, wanted=wanted)
    if held.ends - now <= RENEW_BEFORE:
        days = max(0, (held.ends - now).days)
        return Step(verb=Verb.CHANGE, wanted=wanted, note=f"it ends in {days} days")
    if application is None or not _registered(held, application):
        note = "the application does not know the one in the file yet"
        return Step(verb=Verb.CREATE, wanted=wanted, note=note)
    if _earlier(wish, held, application):
        return Step(verb=Verb.CHANGE, wanted=wanted, note="earlier secrets are still valid")
    return Step(verb=Verb.KEEP, wanted=wanted)


async def settle_credential(
    wish: Wish, known: Known, application: Record, azure: Azure, now: datetime
) -> None:
    """Afterwards the file holds one that the application knows. Raises `CallError`, `StoreError`.

    Whatever is interrupted, the file never holds less than before.
    """
    if wish.proof is Proof.CERTIFICATE:
        await _settle_certificate(wish, known, application, azure, now)
    else:
        await _settle_secret(wish, known, application, azure, now)


def remove_credential(wish: Wish, application: Record) -> bool:
    """Removes the files that this deployment made. Raises `StoreError`."""
    held = _held(wish)
    if wish.proof is Proof.CERTIFICATE:
        pending(wish.store).unlink(missing_ok=True)
    if held is None or not _registered(held, application):
        return False
    wish.store.unlink()
    return True


def is_stored(wish: Wish, application: Record) -> bool:
    """Whether the file is there and the application knows what it holds. Raises `StoreError`."""
    held = _held(wish)
    return held is not None and _registered(held, application)


def _held(wish: Wish) -> Held | None:
    return (read_certificate if wish.proof is Proof.CERTIFICATE else read_secret)(wish.store)


def _registered(held: Held, application: Record) -> bool:
    if isinstance(held.proof, str):
        found = (text(key, "keyId") for key in records(application.get("passwordCredentials")))
        return held.proof in found
    ours = base64.b64encode(held.proof).decode()
    return any(_key(key) == ours for key in records(application.get("keyCredentials")))


def _key(credential: Record) -> str:
    value = credential.get("key")
    return value if isinstance(value, str) else ""


async def _settle_certificate(
    wish: Wish, known: Known, application: Record, azure: Azure, now: datetime
) -> None:
    source, held = wish.store, read_certificate(wish.store)
    if held is None or held.ends - now <= RENEW_BEFORE:
        source, held = pending(wish.store), read_certificate(pending(wish.store))
        if held is None or held.ends - now <= RENEW_BEFORE:
            make_certificate(source, wish.name, now, wish.valid)
            held = read_certificate(source)
    if held is None or not isinstance(held.proof, bytes):
        raise StoreError(f"{source} vanished while it was used")
    if not _registered(held, application):
        key = {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "displayName": wish.mark,
            "key": base64.b64encode(held.proof).decode(),
        }
        kept = [dict(old) for old in records(application.get("keyCredentials"))]
        await azure.send(
            Ask(
                method="PATCH",
                path=f"/v1.0/applications/{known.application_id}",
                doing="register the certificate",
                needs=_NEEDS,
                body={"keyCredentials": [*kept, key]},
            )
        )
    if source != wish.store:
        source.replace(wish.store)


async def _settle_secret(
    wish: Wish, known: Known, application: Record, azure: Azure, now: datetime
) -> None:
    path = f"/v1.0/applications/{known.application_id}"
    held = read_secret(wish.store)
    if held is None or held.ends - now <= RENEW_BEFORE or not _registered(held, application):
        held = await _new_secret(wish, path, azure, now)
    for key_id in _earlier(wish, held, application):
        try:
            await azure.send(
                Ask(
                    method="POST",
                    path=f"{path}/removePassword",
                    doing="remove an earlier secret",
                    needs=_NEEDS,
                    body={"keyId": key_id},
                )
            )
        except CallError as error:
            if "No password credential found" not in error.said:
                raise


def _earlier(wish: Wish, held: Held, application: Record) -> list[str]:
    """Other secrets of this deployment, also those whose answer was lost on the way."""
    if wish.proof is Proof.CERTIFICATE:
        return []
    return [
        text(old, "keyId")
        for old in records(application.get("passwordCredentials"))
        if text(old, "displayName") == wish.mark and text(old, "keyId") != held.proof
    ]


async def _new_secret(wish: Wish, path: str, azure: Azure, now: datetime) -> Held:
    ends = now.replace(microsecond=0) + wish.valid
    wanted = {"displayName": wish.mark, "endDateTime": _stamp(ends)}
    made = await azure.send(
        Ask(
            method="POST",
            path=f"{path}/addPassword",
            doing="make the client secret",
            needs=_NEEDS,
            body={"passwordCredential": wanted},
            again=False,
        )
    )
    secret = made.get("secretText")
    if not isinstance(secret, str) or not secret:
        raise StoreError("Microsoft made a secret and did not show it: run setup again")
    held = Held(text(made, "keyId"), ends)
    write_secret(wish.store, held, wish.env_name, secret)
    return held


def _stamp(at: datetime) -> str:
    return (at - (at.utcoffset() or timedelta())).strftime("%Y-%m-%dT%H:%M:%SZ")
