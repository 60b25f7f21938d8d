"""What a refused or broken call to Microsoft means in plain words, with what to do about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from tocsin.microsoft.clouds import Api
from tocsin.microsoft.fields import Record, record, text
from tocsin.ports import Failed, FailureKind, SourceError

_REQUEST_IDS = ("request-id", "x-ms-request-id", "x-ms-correlation-request-id", "client-request-id")
_ROLE = re.compile(r"\b(?:Security\w+|ThreatHunting)\.\w+\.All\b")
_LONGEST_WAIT = timedelta(hours=1)

_ENTRA_CAUSES = {
    "7000215": (
        "the client secret is wrong",
        "create a new secret for the app registration, then store its value (not its id)",
    ),
    "7000222": (
        "the client secret has expired",
        "create a new secret for the app registration, then store its value",
    ),
    "7000216": (
        "no client secret or certificate was sent",
        "check that the credential of this connector is set",
    ),
    "700016": (
        "the tenant does not know this application",
        "check client_id and tenant_id of the connector",
    ),
    "90002": ("there is no such tenant", "check tenant_id and cloud of the connector"),
    "900021": ("there is no such tenant", "check tenant_id and cloud of the connector"),
    "900023": ("there is no such tenant", "check tenant_id and cloud of the connector"),
    "700027": (
        "the certificate is not the one that the application has",
        "upload its public part to the app registration, or correct certificate_file",
    ),
    "700021": (
        "no federated credential fits the token in federated_token_file",
        "compare issuer, subject, audience with the app registration's federated credential",
    ),
    "70021": (
        "no federated credential fits the token in federated_token_file",
        "compare issuer, subject, audience with the app registration's federated credential",
    ),
    "700211": (
        "no federated credential fits the issuer of the token in federated_token_file",
        "correct the issuer in the app registration's federated credential",
    ),
    "7000112": (
        "the application is disabled in the tenant",
        "enable it under Enterprise applications",
    ),
    "500011": (
        "the tenant does not know the service that the token is for",
        "check cloud and tenant_id of the connector",
    ),
    "53003": (
        "a conditional access policy blocks the application",
        "exclude this workload identity, or this network, in the policy",
    ),
}
_ENTRA_CODE = re.compile(r"AADSTS(\d+)")
_ENTRA_TRACE = re.compile(r"(?:Trace|Correlation) ID: ([0-9a-fA-F-]{36})")

_PERMISSIONS = {
    Api.GRAPH: "grant the application permission {roles} in Entra, with admin consent",
    Api.ARM: "assign the role Microsoft Sentinel Responder to the application on the workspace",
    Api.LOGS: "assign Microsoft Sentinel Responder or Log Analytics Reader on the workspace",
    Api.INGESTION: "assign Monitoring Metrics Publisher on the data collection rule",
}


class CallError(SourceError):
    """A call that Microsoft answered badly, or not at all; `status` is None without an answer.

    `said` is Microsoft's code with its message, as it stands in the answer.
    """

    def __init__(self, failed: Failed, status: int | None = None, said: str = "") -> None:
        super().__init__(failed)
        self.status = status
        self.said = said


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked: `doing` completes "could not …"; `role` is the Graph permission it needs.

    `remedy` is what to do when permission is missing, where that depends on the call.
    `missing` says what a 404 means here; with `gone` it is the object that is no longer there.
    """

    api: Api
    doing: str
    writes: bool = False
    role: str = "SecurityIncident.ReadWrite.All"
    remedy: str = ""
    missing: str = "nothing is there"
    gone: bool = False


def refused(
    asked: Asked, status: int, headers: Mapping[str, str], body: Record, now: datetime
) -> CallError:
    """The fault behind an answer that is not 2xx."""
    trace = _trace(headers)
    said = _said(body)
    reason = f"Could not {asked.doing}: {_cause(asked, status, said)}{trace}"
    kind = FailureKind.PERMANENT if status == 404 and asked.gone else _kind(status)
    wait = retry_after(headers, now) if kind is FailureKind.TEMPORARY else None
    ambiguous = asked.writes and status >= 500
    return CallError(
        Failed(kind=kind, reason=reason, retry_after=wait, maybe_applied=ambiguous), status, said
    )


def unreadable(asked: Asked, headers: Mapping[str, str], status: int, what: str) -> CallError:
    """A 2xx answer that is not the JSON that was expected."""
    return temporary(
        asked,
        f"Microsoft answered {what}; a proxy, firewall or sign-in page may stand in between, "
        f"it is tried again{_trace(headers)}",
        status=status,
        maybe_applied=asked.writes,
    )


def temporary(
    asked: Asked,
    cause: str,
    *,
    status: int | None = None,
    retry_after: timedelta | None = None,
    maybe_applied: bool = False,
) -> CallError:
    """A fault that time may cure."""
    return CallError(
        Failed(
            kind=FailureKind.TEMPORARY,
            reason=f"Could not {asked.doing}: {cause}",
            retry_after=retry_after,
            maybe_applied=maybe_applied,
        ),
        status,
    )


def misconfigured(doing: str, cause: str) -> CallError:
    """A fault that an administrator has to put right."""
    return CallError(Failed(kind=FailureKind.CONFIGURATION, reason=f"Could not {doing}: {cause}"))


def entra_refusal(message: str) -> CallError:
    """Why Entra gave no token, from the AADSTS code in its message, which is not shown itself."""
    doing = "get a token from Entra"
    code = _ENTRA_CODE.search(message)
    trace = _ENTRA_TRACE.search(message)
    where = f" (trace {trace[1]})" if trace else ""
    if code is None:
        return misconfigured(
            doing, f"the sign-in was refused; check credential, tenant_id, client_id{where}"
        )
    cause, remedy = _ENTRA_CAUSES.get(
        code[1],
        ("the sign-in was refused", "look the code up at https://login.microsoftonline.com/error"),
    )
    return misconfigured(doing, f"{cause} (AADSTS{code[1]}): {remedy}{where}")


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The wait that the server asks for (RFC 9110: seconds or a date), at most an hour."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        wait = timedelta(seconds=float(value))
    except (ValueError, OverflowError):
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, TypeError):
            return None
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta()), _LONGEST_WAIT)


def request_id(headers: Mapping[str, str]) -> str | None:
    """Microsoft's name for one request, which its support asks for."""
    return next((headers[name] for name in _REQUEST_IDS if headers.get(name)), None)


def _trace(headers: Mapping[str, str]) -> str:
    found = request_id(headers)
    return f" (request id {found[:80]})" if found else ""


def _kind(status: int) -> FailureKind:
    if status in {408, 409, 412, 425, 429} or status >= 500:
        return FailureKind.TEMPORARY
    if status in {401, 403, 404} or 300 <= status < 400:
        return FailureKind.CONFIGURATION
    return FailureKind.PERMANENT


def _cause(asked: Asked, status: int, said: str) -> str:
    quoted = f', Microsoft says: "{said}"' if said else ""
    match status:
        case 401:
            return f"the token was refused (401): check tenant_id, cloud, credential{quoted}"
        case 403:
            return f"permission is missing (403): {_permission(asked, said)}{quoted}"
        case 404:
            return f"{asked.missing} (404){quoted}"
        case 409 | 412:
            return f"somebody else changed it at the same time ({status}){quoted}"
        case 429:
            return f"too many requests (429): waiting as long as Microsoft asks{quoted}"
        case _ if 300 <= status < 400:
            return f"it was redirected ({status}), which is not followed: check cloud"
        case _ if status >= 500:
            return f"Microsoft has a problem ({status}): it is tried again{quoted}"
        case _:
            return f"the request was not accepted ({status}){quoted}"


def _permission(asked: Asked, said: str) -> str:
    named = sorted(set(_ROLE.findall(said)))
    roles = asked.role if asked.role in named or not named else " or ".join(named)
    return asked.remedy or _PERMISSIONS[asked.api].format(roles=roles)


def _said(body: Record) -> str:
    error = record(body.get("error"))
    message = text(error, "message") or text(body, "message", "Message")
    code = text(error, "code")
    line = " ".join(f"{code}: {message}".split()) if code and message else message or code
    return "".join(char for char in line if char.isprintable())[:300]
