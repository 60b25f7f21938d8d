"""The sockets that plug-ins fit."""

from tocsin.ports.channel import (
    Address,
    Capabilities,
    Channel,
    ChannelContext,
    MessageKind,
    Outgoing,
    Sent,
)
from tocsin.ports.command import CommandContext
from tocsin.ports.common import (
    Budget,
    Clock,
    Egress,
    EgressError,
    Failed,
    FailureKind,
    Granted,
    Lease,
    Response,
    SecretMissingError,
    Secrets,
    WaitUntil,
)
from tocsin.ports.inlet import (
    Handled,
    Inlet,
    Reply,
    Request,
    Unreadable,
)
from tocsin.ports.sink import (
    Published,
    Sink,
)
from tocsin.ports.source import (
    Allowance,
    Cadence,
    ReadPlan,
    Source,
    SourceContext,
    SourceError,
    Wrote,
)

__all__ = [
    "Address",
    "Allowance",
    "Budget",
    "Cadence",
    "Capabilities",
    "Channel",
    "ChannelContext",
    "Clock",
    "CommandContext",
    "Egress",
    "EgressError",
    "Failed",
    "FailureKind",
    "Granted",
    "Handled",
    "Inlet",
    "Lease",
    "MessageKind",
    "Outgoing",
    "Published",
    "ReadPlan",
    "Reply",
    "Request",
    "Response",
    "SecretMissingError",
    "Secrets",
    "Sent",
    "Sink",
    "Source",
    "SourceContext",
    "SourceError",
    "Unreadable",
    "WaitUntil",
    "Wrote",
]
