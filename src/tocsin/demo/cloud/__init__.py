"""The simulated Microsoft cloud that stands beside the house for demo and tests."""

from tocsin.demo.cloud.faults import Fault, Faults, Mishap
from tocsin.demo.cloud.records import GraphAlert, GraphIncident, Owner, SentinelIncident
from tocsin.demo.cloud.requests import RequestLog, SeenRequest
from tocsin.demo.cloud.server import CloudServer, settings_block
from tocsin.demo.cloud.stage import Cloud

__all__ = [
    "Cloud",
    "CloudServer",
    "Fault",
    "Faults",
    "GraphAlert",
    "GraphIncident",
    "Mishap",
    "Owner",
    "RequestLog",
    "SeenRequest",
    "SentinelIncident",
    "settings_block",
]
