"""Plans, makes, checks and removes what Tocsin needs in Azure: permissions, table, push hint."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from tocsin.microsoft.auth import Tokens
from tocsin.microsoft.client import Bearers, Client
from tocsin.microsoft.deploy import (
    STREAM,
    Azure,
    Deployment,
    Login,
    PersonalTokens,
    Prover,
    RefusedError,
    Step,
    StoreError,
    TableAddress,
    Verb,
    Verdict,
    Wish,
    address,
    block,
    both_doors,
    lines,
    parsed,
    unhurried,
    wish_of,
)
from tocsin.microsoft.faults import CallError
from tocsin.microsoft.network import CaFileError, Network
from tocsin.microsoft.settings import Mode, Settings, Unit, read_settings
from tocsin.ports import CommandContext, FailureKind, SecretMissingError, Secrets


def run(context: CommandContext) -> int:
    """`tocsin azure …`: 0 when all is well, 1 when something is missing or in the way."""
    return asyncio.run(perform(context))


async def perform(context: CommandContext) -> int:
    """As `run`, in a loop that runs."""
    options = parsed(context.arguments)
    try:
        if options.verb == "check":
            return await _check(context, options)
        hint_url = _hint_url(context, options.hint_env)
        wish = wish_of(options, hint_url)
        async with _deployment(context, options, wish, hint_url) as deployment:
            match options.verb:
                case "plan":
                    return _plan(context, await deployment.plan())
                case "setup":
                    return await _setup(context, options, wish, deployment)
                case _:
                    return await _teardown(context, options, deployment)
    except CallError as fault:
        if fault.failed.kind is FailureKind.TEMPORARY:
            context.tell("What was done stays done: run it again, and it goes on from there.")
        context.tell(f"tocsin: {fault.failed.reason}")
    except (CaFileError, RefusedError, SecretMissingError, StoreError, ValueError) as fault:
        context.tell(f"tocsin: {fault}")
    return 1


def _hint_url(context: CommandContext, name: str) -> str:
    if not name:
        return ""
    url = context.secret({"secret_env": name})
    parts = urlsplit(url)
    if parts.scheme != "https" or "/in/sentinel/" not in parts.path:
        # The address is a secret, so it is not shown.
        raise ValueError(f"{name} holds no address like https://…/in/sentinel/…")
    return url


@asynccontextmanager
async def _deployment(
    context: CommandContext, options: argparse.Namespace, wish: Wish, hint_url: str
) -> AsyncGenerator[Deployment]:
    network = Network(wish.cloud, context.allow_private)
    try:
        tokens = _operator(context, options, wish, network)
        client = Client(wish.cloud, tokens, network, context.clock)
        azure = Azure(wish.cloud, client, context.clock, context.tell, wish.wait)
        yield Deployment(wish, azure, context.clock, context.tell, hint_url)
    finally:
        await network.close()


def _operator(
    context: CommandContext, options: argparse.Namespace, wish: Wish, network: Network
) -> Bearers:
    login = Login(options.login)
    if login is not Login.CLIENT_SECRET:
        return PersonalTokens(login, wish.cloud, wish.tenant_id, context.tell)
    try:
        client_id = str(UUID(options.login_client_id))
    except ValueError:
        raise ValueError("--login-client-id: give the GUID of the application") from None
    settings = Settings(
        mode=Mode.GRAPH,
        unit=Unit.INCIDENT,
        tenant_id=wish.tenant_id,
        client_id=client_id,
        credential={"secret_env": options.login_secret_env},
        cloud=wish.cloud,
    )
    return Tokens(settings, context.secret, network, context.clock)


def _plan(context: CommandContext, steps: Iterable[Step]) -> int:
    code, changes = 0, 0
    for step in steps:
        refused = step.verb is Verb.REFUSE
        code = 1 if refused else code
        changes += step.verb in {Verb.CREATE, Verb.CHANGE}
        context.say(_line(step))
        context.say(f"    why: {step.wanted.why}")
        if step.verb in {Verb.CREATE, Verb.CHANGE}:
            context.say(f"    your account needs: {step.wanted.needs}")
    context.say("nothing to change" if not changes else f"{changes} to make or change, by setup")
    return code


def _line(step: Step) -> str:
    words = {
        Verb.CREATE: "create",
        Verb.CHANGE: "change",
        Verb.KEEP: "there",
        Verb.USE: "there",
        Verb.REFUSE: "IN THE WAY",
    }
    note = f" ({step.note})" if step.note else ""
    return f"{words[step.verb]}: {step.wanted.title}{note}"


async def _setup(
    context: CommandContext, options: argparse.Namespace, wish: Wish, deployment: Deployment
) -> int:
    done = await deployment.setup()
    if not any(step.verb in {Verb.CREATE, Verb.CHANGE} for step in done):
        context.tell("nothing to change")
    for line in lines(wish, deployment.known):
        context.say(line)
    if options.no_check:
        return 0
    values, verdicts = block(wish, deployment.known), list[Verdict]()
    secret = _from_store(context, wish)
    for each in both_doors(wish, values):
        prover = Prover(
            read_settings(each), secret, context.clock, unhurried(), context.allow_private
        )
        table = address(wish, deployment.known) if not verdicts else None
        known = {verdict.trial for verdict in verdicts}
        proved = await prover.patiently(table, wish.wait, context.tell)
        verdicts += [verdict for verdict in proved if verdict.trial not in known]
    return _tell(context, verdicts)


def _from_store(context: CommandContext, wish: Wish) -> Secrets:
    """The secret as setup has just stored it: it stands in no environment yet."""

    def secret(reference: Mapping[str, Any]) -> str:
        if reference.get("secret_env") != wish.env_name:
            return context.secret(reference)
        held = wish.store.read_text(encoding="utf-8").splitlines()[-1]
        return held.partition("=")[2]

    return secret


async def _check(context: CommandContext, options: argparse.Namespace) -> int:
    settings = read_settings(context.block(options.file, options.connector))
    if bool(options.table_endpoint) != bool(options.table_rule):
        raise ValueError("--table-endpoint and --table-rule go together")
    table = (
        TableAddress(endpoint=options.table_endpoint, rule_id=options.table_rule, stream=STREAM)
        if options.table_rule
        else None
    )
    prover = Prover(settings, context.secret, context.clock, unhurried(), context.allow_private)
    return _tell(context, await prover.prove(table))


def _tell(context: CommandContext, verdicts: Iterable[Verdict]) -> int:
    code = 0
    for verdict in verdicts:
        if verdict.fault:
            code = 1
            context.tell(f"missing: {verdict.trial.role}")
            context.tell(f"    {verdict.fault}")
        else:
            context.tell(f"proved: {verdict.trial.shows}")
    return code


async def _teardown(
    context: CommandContext, options: argparse.Namespace, deployment: Deployment
) -> int:
    steps = await deployment.own()
    if not steps:
        context.say("nothing of this deployment is there")
        return 0
    if options.confirm:
        await deployment.remove(steps)
        context.say(f"removed: {len(steps)} objects")
        return 0
    for step in steps:
        context.say(f"would remove: {step.wanted.title}")
    context.say("Nothing was removed. With --confirm it is, a table with all its rows.")
    return 0
