"""The configuration: read, checked, planned, applied, exported, edited."""

from tocsin.actions.configure.applying import Choices, apply, plan
from tocsin.actions.configure.exporting import export
from tocsin.actions.configure.faults import ConfigureError, ConflictError, Fault, NotFoundError
from tocsin.actions.configure.reading import Document, read
from tocsin.actions.configure.report import Line, RefusedError, Report

__all__ = [
    "Choices",
    "ConfigureError",
    "ConflictError",
    "Document",
    "Fault",
    "Line",
    "NotFoundError",
    "RefusedError",
    "Report",
    "apply",
    "export",
    "plan",
    "read",
]
