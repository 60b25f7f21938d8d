"""The options of `tocsin azure` on the command line."""

import argparse
import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from tocsin.microsoft.clouds import read_cloud
from tocsin.microsoft.deploy.login import Login
from tocsin.microsoft.deploy.wish import Door, Proof, Role, Wish, check

_VERBS = {
    "plan": "show each object and permission that setup would make, and why",
    "setup": "make what is missing; run it again after an interruption",
    "teardown": "list what setup made; with --confirm remove exactly that",
}


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; prints help or a fault and exits as programs do."""
    parser = argparse.ArgumentParser(
        prog="tocsin azure", description="What Tocsin needs in Azure and Entra.", allow_abbrev=False
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="plan|setup|check|teardown")
    for verb, sentence in _VERBS.items():
        each = verbs.add_parser(verb, help=sentence, description=sentence, allow_abbrev=False)
        _whereabouts(each)
        _wishes(each)
        _login(each)
        if verb == "setup":
            each.add_argument("--no-check", action="store_true", help="do not prove permissions")
        if verb == "teardown":
            each.add_argument("--confirm", action="store_true", help="really remove it")
    sentence = "prove every permission of a connector by a real call"
    proving = verbs.add_parser("check", help=sentence, description=sentence, allow_abbrev=False)
    proving.add_argument("-f", "--file", type=Path, required=True, help="configuration file")
    proving.add_argument("--connector", required=True, help="name of the connector in it")
    proving.add_argument("--table-endpoint", default="", help="as setup prints it")
    proving.add_argument("--table-rule", default="", help="as setup prints it: dcr-…")
    return parser.parse_args(list(arguments))


def wish_of(options: argparse.Namespace, hint_url: str) -> Wish:
    """The wish behind the options. Raises ValueError that names the option."""
    given = vars(options)
    door = Door(options.mode)
    role = options.role or (Role.QUERY_ONLY if door is Door.GRAPH else Role.RESPONDER)
    table = "" if options.no_table or not options.workspace_name else options.table
    name = options.cloud
    cloud_name: object = json.loads(name) if name.startswith("{") else name
    seal = hashlib.sha256(hint_url.encode()).hexdigest()[:16] if hint_url else ""
    wish = Wish(
        name=options.name,
        tenant_id=_guid("--tenant-id", options.tenant_id),
        cloud=read_cloud(cloud_name),
        cloud_name=cloud_name,
        door=door,
        per_alert=options.unit == "alert",
        subscription_id=_guid("--subscription-id", options.subscription_id),
        resource_group=options.resource_group,
        workspace_name=options.workspace_name,
        role=Role(role),
        proof=Proof(options.credential),
        store=options.store,
        env_name=options.env_name,
        valid=timedelta(days=options.valid_days),
        table=table,
        hint_seal=seal,
        wait=timedelta(minutes=options.wait_minutes),
    )
    check(wish, given)
    return wish


def _whereabouts(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("where").add_argument
    add("--tenant-id", required=True, help="the tenant's GUID")
    add("--subscription-id", default="", help="the workspace's subscription, a GUID")
    add("--resource-group", default="")
    add("--workspace-name", default="")
    add("--cloud", default="public", help="public, usgov, china, or the JSON of a cloud object")


def _wishes(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what").add_argument
    add("--name", default="tocsin", help="name of the deployment and of everything in it")
    add("--mode", choices=list(Door), default=Door.AUTO, help="as in the connector")
    add("--unit", choices=("incident", "alert"), default="incident")
    add("--role", choices=list(Role), help="on the workspace: responder, or a custom role")
    add("--credential", choices=list(Proof), default=Proof.CERTIFICATE)
    add("--store", type=Path, default=Path("tocsin-azure.pem"), help="its file, made with 0600")
    add("--env-name", default="TOCSIN_SENTINEL_SECRET", help="variable of a client secret")
    add("--valid-days", type=int, default=365)
    add("--table", default="SIGNL4_CL", help="custom table for events")
    add("--no-table", action="store_true")
    add("--hint-env", default="", help="variable (…_SECRET) with the address of the push hint")
    add("--wait-minutes", type=int, default=10, help="for Microsoft to spread what is new")


def _login(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("your own sign-in").add_argument
    add("--login", choices=list(Login), default=Login.CLI)
    add("--login-client-id", default="", help="with client-secret: the application's id")
    add("--login-secret-env", default="TOCSIN_AZURE_LOGIN_SECRET", help="and its secret")


def _guid(option: str, value: str) -> str:
    if not value:
        return ""
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError(f"{option}: {value!r} is not a GUID") from None
