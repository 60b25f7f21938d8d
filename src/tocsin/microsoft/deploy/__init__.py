"""The automated deployment in Azure: what is wanted, planned, made, proved, removed."""

from tocsin.microsoft.deploy.azure import Azure, unhurried
from tocsin.microsoft.deploy.deciding import Step, Verb
from tocsin.microsoft.deploy.deployment import Deployment, RefusedError
from tocsin.microsoft.deploy.login import Login, PersonalTokens
from tocsin.microsoft.deploy.options import parsed, wish_of
from tocsin.microsoft.deploy.printing import address, block, both_doors, lines
from tocsin.microsoft.deploy.proving import Prover, TableAddress, Verdict
from tocsin.microsoft.deploy.storing import StoreError
from tocsin.microsoft.deploy.templates import STREAM
from tocsin.microsoft.deploy.wish import Door, Proof, Role, Wish

__all__ = [
    "STREAM",
    "Azure",
    "Deployment",
    "Door",
    "Login",
    "PersonalTokens",
    "Proof",
    "Prover",
    "RefusedError",
    "Role",
    "Step",
    "StoreError",
    "TableAddress",
    "Verb",
    "Verdict",
    "Wish",
    "address",
    "block",
    "both_doors",
    "lines",
    "parsed",
    "unhurried",
    "wish_of",
]
