"""The configuration: read, checked, planned, applied, exported, edited."""

from tocsin.actions.configure.absent import absent_on_duty
from tocsin.actions.configure.ahead import Look
from tocsin.actions.configure.applying import Choices, apply, plan
from tocsin.actions.configure.bodies import bodies
from tocsin.actions.configure.editing import Altering, Editor, create, delete, update
from tocsin.actions.configure.exporting import export
from tocsin.actions.configure.faults import ConfigureError, ConflictError, Fault, NotFoundError
from tocsin.actions.configure.finding import Guard, everywhere
from tocsin.actions.configure.later import LATER
from tocsin.actions.configure.preview import preview
from tocsin.actions.configure.reading import Document, read
from tocsin.actions.configure.report import Line, RefusedError, Report
from tocsin.actions.configure.showing import RESOURCES
from tocsin.actions.configure.tokens import create_token, delete_token, rotate_key, show_tokens
from tocsin.actions.configure.viewing import rule_notes, show, show_all

__all__ = [
    "LATER",
    "RESOURCES",
    "Altering",
    "Choices",
    "ConfigureError",
    "ConflictError",
    "Document",
    "Editor",
    "Fault",
    "Guard",
    "Line",
    "Look",
    "NotFoundError",
    "RefusedError",
    "Report",
    "absent_on_duty",
    "apply",
    "bodies",
    "create",
    "create_token",
    "delete",
    "delete_token",
    "everywhere",
    "export",
    "plan",
    "preview",
    "read",
    "rotate_key",
    "rule_notes",
    "show",
    "show_all",
    "show_tokens",
    "update",
]
