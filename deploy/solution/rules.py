"""What Microsoft's repository of solutions asks of one, and what Tocsin asks of its own.

Rules of Azure-Sentinel's validators (`.script`), in own words: what they check on each change.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import cast
from uuid import UUID

from deploy.solution import arm
from deploy.solution.content import analytic_rule, connector, hunt, playbook, workbook
from deploy.solution.package import main_template, written
from deploy.solution.pieces import pieces
from deploy.solution.sources import DATA_FILE, FOLDER, LOGO, Json, Sources
from deploy.solution.wizard import create_ui_definition

DOMAINS = frozenset({
    "Application", "Cloud Provider", "Compliance", "DevOps", "Identity",
    "Internet of Things (IoT)", "IT Operations", "Migration", "Networking", "Platform",
    "Security - Others", "Security - Threat Intelligence", "Security - Threat Protection",
    "Security - 0-day Vulnerability", "Security - Automation (SOAR)", "Security - Cloud Security",
    "Security - Information Protection", "Security - Insider Threat", "Security - Network",
    "Security - Vulnerability Management", "Storage", "Training and Tutorials",
    "User Behavior (UEBA)",
})  # fmt: skip
VERTICALS = frozenset({
    "Aeronautics", "Education", "Finance", "Healthcare", "Manufacturing", "Retail",
})  # fmt: skip
_LISTS = ("Data Connectors", "Workbooks", "Analytic Rules", "Hunting Queries", "Playbooks")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_BRAND = re.compile(r"(?<!Microsoft )(?<!-)\bSentinel\b")


def faults(sources: Sources, folder: Path = FOLDER) -> list[str]:
    """What is wrong with the solution, and with the package that is built from it."""
    template = main_template(sources)
    wizard = create_ui_definition(sources)
    return [
        *data_file(sources.data, folder),
        *solution_metadata(sources.metadata),
        *versions(sources),
        *(fault for part in sources.connectors for fault in connector(part, sources.table)),
        *(fault for part in sources.workbooks for fault in workbook(part, sources.table)),
        *(fault for part in sources.rules for fault in analytic_rule(part, sources)),
        *(fault for part in sources.hunts for fault in hunt(part, sources)),
        *(fault for part in sources.playbooks for fault in playbook(part)),
        *logo(sources.logo),
        *(f"mainTemplate: {fault}" for fault in arm.faults(template)),
        *outputs(wizard, template),
        *branding("mainTemplate", written(template)),
        *branding("createUiDefinition", written(wizard)),
        *solution_id(template),
    ]


def data_file(data: Json, folder: Path) -> Iterator[str]:
    """Its keys are there, and it names exactly the content that lies in the folder."""
    wanted = ("Name", "Author", "Logo", "Description", "BasePath", "Version", "Metadata")
    for key in (*wanted, *_LISTS, "TemplateSpec"):
        if key not in data:
            yield f"{DATA_FILE}: {key} is missing"
    named = {path for key in _LISTS for path in cast("list[str]", data.get(key, []))}
    there = {
        str(path.relative_to(folder))
        for key in _LISTS
        for path in (folder / key).rglob("*")
        if path.suffix in {".json", ".yaml"}
    }
    for path in sorted(named ^ there):
        yield f"{path} is {'not in the folder' if path in named else 'named nowhere'}"


def solution_metadata(metadata: Json) -> Iterator[str]:
    """Publisher, offer, dates, categories, support."""
    for key in ("publisherId", "offerId"):
        if not re.fullmatch(r"[a-z0-9-]+", str(metadata.get(key))):
            yield f"{key}: small letters, digits and hyphens are wanted"
    for key in ("firstPublishDate", "lastPublishDate"):
        try:
            date.fromisoformat(str(metadata.get(key)))
        except ValueError:
            yield f"{key}: a date is wanted, as in 2026-11-24"
    if not metadata.get("providers"):
        yield "providers: at least one is wanted"
    categories = cast("Mapping[str, list[str]]", metadata.get("categories", {}))
    if not categories.get("domains"):
        yield "categories: at least one domain is wanted"
    for key, known in (("domains", DOMAINS), ("verticals", VERTICALS)):
        for name in sorted(set(categories.get(key, [])) - known):
            yield f"categories: {name} is not one of Microsoft's {key}"
    yield from support(cast("Json", metadata.get("support", {})))


def support(given: Json) -> Iterator[str]:
    """A name, and a mail address or a link; what is there has its form."""
    mail, link = str(given.get("email", "")).strip(), str(given.get("link", "")).strip()
    if not str(given.get("name", "")).strip():
        yield "support: a name is missing"
    if not mail and not link:
        yield "support: email or link is missing"
    if mail and not _MAIL.fullmatch(mail):
        yield f"support: {mail} is not a mail address"
    if link and not re.fullmatch(r"https?://\S+", link):
        yield f"support: {link} is not a link"
    if given.get("tier") not in {"Microsoft", "Partner", "Community"}:
        yield "support: tier is Microsoft, Partner or Community"


def versions(sources: Sources) -> Iterator[str]:
    """Three numbers, told first in the release notes; each piece's identity is its own."""
    if not _VERSION.fullmatch(sources.version):
        yield f"Version: {sources.version} is not three numbers"
    rows = re.findall(
        r"^\| (\d\S*) +\| (\d\d-\d\d-\d{4}) +\| \S", sources.release_notes, re.MULTILINE
    )
    if not rows or rows[0][0] != sources.version:
        yield f"ReleaseNotes.md: the first row has to tell of {sources.version}"
    identities = [piece.content_id for piece in pieces(sources)]
    for name in sorted({one for one in identities if identities.count(one) > 1}):
        yield f"{name} is the id of two pieces"


def logo(svg: str) -> Iterator[str]:
    """Plain SVG: no styles, no links, no title, no pictures inside; ids are GUIDs."""
    for banned in ("style=", "cls=", "xmlns:xlink", "data-name", "xlink:href", "<title>", "<image"):
        if banned in svg:
            yield f"{LOGO}: {banned} is not allowed"
    for name in re.findall(r'\bid="([^"]*)"', svg):
        try:
            UUID(name)
        except ValueError:
            yield f"{LOGO}: the id {name} is not a GUID"


def outputs(wizard: Json, template: Json) -> Iterator[str]:
    """The wizard hands over parameters that there are, and all that have no default."""
    parameters = cast("dict[str, Json]", template["parameters"])
    given = set(cast("Json", cast("Json", wizard["parameters"])["outputs"]))
    for name in sorted(given - set(parameters)):
        yield f"createUiDefinition: {name} is not a parameter of the template"
    needed = {name for name, value in parameters.items() if "defaultValue" not in value}
    for name in sorted(needed - given):
        yield f"createUiDefinition: {name} is not asked for"


def branding(name: str, text: str) -> Iterator[str]:
    """The product is called by its whole name."""
    for found in _BRAND.finditer(text):
        near = text[max(0, found.start() - 30) : found.end()]
        yield f"{name}: 'Sentinel' without 'Microsoft' in {near!r}"


def solution_id(template: Json) -> Iterator[str]:
    """publisher.offer, in small letters."""
    found = str(cast("Json", template["variables"]).get("solutionId", ""))
    if not re.fullmatch(r"[^.A-Z]+\.[^.A-Z]+", found):
        yield f"solutionId: {found!r} is not publisher.offer in small letters"
