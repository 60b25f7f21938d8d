"""The one guarded HTTP client."""

from tocsin.egress.client import Answer, AnswerTooLargeError, GuardedClient
from tocsin.egress.guard import Guard, guarded_connector, vet

__all__ = [
    "Answer",
    "AnswerTooLargeError",
    "Guard",
    "GuardedClient",
    "guarded_connector",
    "vet",
]
