"""The rules for categories, integrations, connectors, routing, maintenance windows, webhooks."""

import re
from collections.abc import Mapping
from datetime import timedelta

from tocsin.actions.configure.blocks import Block
from tocsin.actions.configure.check import Check
from tocsin.actions.configure.escalation import check_answers
from tocsin.actions.configure.faults import place_of
from tocsin.actions.configure.later import LATER
from tocsin.actions.configure.watching import check_heartbeat
from tocsin.core.kinds import Severity, Urgency
from tocsin.core.matching import How, pattern
from tocsin.core.notation import mapping
from tocsin.core.timewindow import first_time, window

INLETS = (
    "signl4", "pagerduty", "opsgenie", "victorops", "alertmanager", "grafana", "azure-monitor",
    "cloudevents", "sentinel", "email", "heartbeat", "generic",
)  # fmt: skip
SOURCES = ("microsoft",)
EVENT_FORMATS = ("signl4", "cloudevents", "pagerduty")
SHORTEST_SECRET = 16
_SECRET = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_COLOR = re.compile(r"#[0-9A-Fa-f]{3}(?:[0-9A-Fa-f]{3})?")
_TESTS = tuple(How)


def check_category(team: str, block: Block, check: Check) -> None:
    """One entry of a team's `categories`."""
    if any(not word.strip() for word in block.words("keywords")):
        block.fault("keywords", "an empty keyword would match every alert; take it out")
    block.choice("match", ("any", "all"))
    color = block.text("color")
    if color is not None and not _COLOR.fullmatch(color):
        block.fault("color", 'give a colour such as "#3350cc" (in quotes)')
    block.text("icon")
    block.flag("suppress")
    block.choice("urgency", tuple(Urgency))
    check_answers(block)
    check.policy(block, team)
    block.end()


def check_integration(team: str, name: str, block: Block, check: Check) -> None:
    """One entry of a team's `integrations`."""
    block.need("inlet", "secret")
    inlets = tuple(dict.fromkeys((*INLETS, *check.plug_ins.inlets)))
    inlet = block.choice("inlet", inlets)
    if inlet is not None and inlet not in check.plug_ins.inlets and f"inlet {inlet}" in LATER:
        check.waits(f"inlet {inlet}")
    _sender_secret(f"{team}/{name}", block, check)
    check.policy(block, team)
    block.flag("enabled")
    settings = block.anything("settings")
    if inlet == "heartbeat":
        check_heartbeat(settings, block)
    if block.anything("limits") is not None:
        check.waits("integration limits")
    block.end()


def check_connector(team: str, name: str, block: Block, check: Check) -> None:
    """One entry of a team's `connectors`; what the source itself needs, its plug-in checks."""
    block.need("source")
    source = block.choice("source", tuple(dict.fromkeys((*SOURCES, *check.plug_ins.sources))))
    check.policy(block, team)
    block.flag("enabled")
    for key in block.value:
        block.anything(key)
    _credential(f"{team}/{name}", block, check)
    if source is None:
        return
    load = check.plug_ins.sources.get(source)
    if load is None:
        check.notes.append(f"source {source}: no plug-in is installed; it is not read")
    elif (wrong := load().check_settings(_as_stored(team, name, block.value))) is not None:
        place = _named_key(wrong, block)
        check.faults.add((*block.path, *place), wrong.removeprefix(f"{''.join(place)}: "))


def check_route(team: str, block: Block, check: Check) -> None:
    """One entry of a team's `routing`."""
    check.waits("routing rules")
    _match(block)
    block.text("category")
    block.choice("severity", tuple(Severity))
    block.choice("urgency", tuple(Urgency))
    if (other := block.raw("team")) is not None:
        check.team((*block.path, "team"), other)
        team = str(other)
    check.policy(block, team)
    check_answers(block)
    block.text("title", most=1000)
    block.text("text", most=4000)
    block.words("links", most=2000)
    block.flag("suppress")
    block.duration("delay", most=timedelta(days=7))
    block.end()


def check_maintenance(block: Block, check: Check) -> None:
    """One entry of `maintenance_windows`."""
    block.need("from", "to", "reason")
    team = block.raw("team")
    if team is not None:
        check.team((*block.path, "team"), team)
    integration, category = block.text("integration"), block.text("category")
    names = check.known.teams.get(str(team))
    if names is not None and integration is not None and integration not in names.integrations:
        block.fault("integration", f"team {team} has no integration {integration!r}")
    if names is not None and category is not None and category not in names.categories:
        block.fault("category", f"team {team} has no category {category!r}")
    _match(block)
    _open_times(block, check)
    block.text("reason", most=1000)
    block.end()


def check_webhook(block: Block, check: Check) -> None:
    """One entry of `webhooks`."""
    block.need("url")
    url = block.text("url", most=2000)
    if url is not None and not url.startswith(("https://", "http://")):
        block.fault("url", "give an address such as https://host/path")
    if (team := block.raw("team")) is not None:
        check.team((*block.path, "team"), team)
    if block.words("events"):  # the steps that name it call it in any case
        check.waits("webhook: events")
    block.choice("format", EVENT_FORMATS)
    key = block.block("signing_key")
    if key is not None:
        check.reference(key.path, key.value)
        if set(key.value) not in ({"secret_env"}, {"stored"}):
            key.fault(None, "give {secret_env: NAME_SECRET}")
    block.end()


def _open_times(block: Block, check: Check) -> None:
    """When a window is open; whether that can be is the same in every zone."""
    begin, end = block.moment("from"), block.moment("to")
    rrule = block.text("rrule", most=1000)
    if begin is None or end is None:
        return
    try:
        window(begin, end, None, "UTC")
    except ValueError as error:
        block.fault("to", str(error))
        return
    start = begin.replace(tzinfo=None)
    try:
        opens = first_time(window(start, start + (end - begin), rrule, "UTC"))
    except ValueError as error:
        block.fault("rrule", str(error))
        return
    if opens is not None and opens != start:
        what = f"`from` is no time of `rrule`: it opens for the first time at {opens.isoformat()}"
        check.notes.append(f"{place_of(block.path)}: {what}")


def _sender_secret(own: str, block: Block, check: Check) -> None:
    secret = block.raw("secret")
    if isinstance(secret, dict):
        given = mapping(block.value["secret"])
        if set(given) != {"stored"}:
            block.fault("secret", "give the text itself, or {stored: NAME} to keep what is stored")
        else:
            check.reference((*block.path, "secret"), _own_name(own, given))
    elif secret is not None and (text := block.text("secret")) is not None:
        if len(text) < SHORTEST_SECRET:
            block.fault("secret", f"take one of at least {SHORTEST_SECRET} characters")
        elif not _SECRET.fullmatch(text):
            what = "it stands in addresses: use at most 128 letters, digits and . _ ~ -"
            block.fault("secret", what)


def _credential(own: str, block: Block, check: Check) -> None:
    """`{secret: TEXT}` enters a secret that is then stored; `{stored: NAME}` keeps it."""
    given = mapping(block.value.get("credential"))
    place = (*block.path, "credential")
    secret = given.get("secret")
    if secret is not None:
        if set(given) != {"secret"} or not isinstance(secret, str) or not secret.strip():
            check.faults.add(place, "give {secret: TEXT} alone")
        return
    check.references_in(_own_name(own, given), place)
    rest = {key: value for key, value in block.value.items() if key != "credential"}
    check.references_in(rest, block.path)


def _own_name(own: str, given: Mapping[str, object]) -> Mapping[str, object]:
    """`{stored: plant}` within team soc means `{stored: soc/plant}`."""
    return {**given, "stored": own} if given.get("stored") == own.partition("/")[2] else given


def _as_stored(team: str, name: str, body: Mapping[str, object]) -> dict[str, object]:
    """The block as the source will get it: an entered secret is one that is stored."""
    if "secret" not in mapping(body.get("credential")):
        return dict(body)
    return {**body, "credential": {"stored": f"{team}/{name}"}}


def _named_key(wrong: str, block: Block) -> tuple[str, ...]:
    """The key that a plug-in's words begin with, where the block has it."""
    words = re.split(r"[:\s]", wrong, maxsplit=1)[0].split(".")
    return (words[0],) if words[0] in block.value else ()


def _match(block: Block) -> None:
    match = block.block("match")
    if match is None:
        return
    for key in ("all", "any"):
        if match.raw(key) == []:
            match.fault(key, "name at least one test, or leave it out")
        for test in match.blocks(key):
            test.need("field")
            test.text("field")
            given = [word for word in _TESTS if test.raw(word) is not None]
            if len(given) != 1:
                test.fault(None, "give one of `is`, `contains`, `regex`")
            for word in given:
                _test(word, test)
            test.end()
    match.end()


def _test(word: str, test: Block) -> None:
    if word == "is":
        test.anything("is")
        return
    text = test.text(word, most=1000)
    if word == "regex" and text is not None:
        try:
            pattern(text)
        except ValueError as error:
            test.fault("regex", str(error))
