"""How each simulated service words a refusal."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime


class ServiceError(Exception):
    """A refusal with its HTTP status; the subclass knows the shape of its service's body."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self, now: datetime) -> dict[str, object]:
        """The JSON body; `now` is used by the services that put the time into it."""
        del now
        return {"error": {"code": self.code, "message": self.message}}


class ArmError(ServiceError):
    """Azure Resource Manager's shape, which Microsoft Sentinel uses."""


class GraphError(ServiceError):
    """Microsoft Graph's shape: the request's ids stand in `innerError`."""

    def body(self, now: datetime) -> dict[str, object]:
        request_id = str(uuid.uuid4())
        inner = {
            "date": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
            "request-id": request_id,
            "client-request-id": request_id,
        }
        return {"error": {"code": self.code, "message": self.message, "innerError": inner}}


class LogsError(ServiceError):
    """Log Analytics' shape: a correlation id stands beside the code."""

    def body(self, now: datetime) -> dict[str, object]:
        del now
        correlation = str(uuid.uuid4())
        return {"error": {"message": self.message, "code": self.code, "correlationId": correlation}}


class EntraError(ServiceError):
    """The token endpoint's shape: an OAuth error word beside the AADSTS number."""

    def __init__(self, status: int, word: str, number: int, message: str) -> None:
        super().__init__(status, word, message)
        self.number = number

    def body(self, now: datetime) -> dict[str, object]:
        when = f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        return {
            "error": self.code,
            "error_description": (
                f"AADSTS{self.number}: {self.message} Trace ID: {trace} "
                f"Correlation ID: {correlation} Timestamp: {when}"
            ),
            "error_codes": [self.number],
            "timestamp": when,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
