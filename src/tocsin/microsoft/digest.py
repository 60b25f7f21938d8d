"""What a responder wants to know of an incident's alerts: who, where, how."""

from collections.abc import Iterable, Mapping, Sequence

from tocsin.microsoft.fields import Record, distinct, record, records, strings, tamed, text

MOST_ALERTS = 50
_MOST_NAMES = 50

_Found = dict[str, list[str]]


def sentinel_digest(alerts: Sequence[Record], entities: Sequence[Record]) -> dict[str, object]:
    """From the alerts and entities of a Sentinel incident; what there is none of is left out."""
    found: _Found = {}
    for entity in entities:
        props = record(entity.get("properties"))
        for name, value in _entity(text(entity, "kind").casefold(), props):
            found.setdefault(name, []).append(value)
    shown = [_sentinel_alert(record(alert.get("properties"))) for alert in alerts[:MOST_ALERTS]]
    return _digest(shown, found)


def graph_digest(alerts: Sequence[Record]) -> dict[str, object]:
    """From alerts of Graph with their evidence; what there is none of is left out."""
    found: _Found = {}
    for alert in alerts:
        for evidence in records(alert.get("evidence")):
            for name, value in _evidence(evidence):
                found.setdefault(name, []).append(value)
    return _digest([_graph_alert(alert) for alert in alerts[:MOST_ALERTS]], found)


def _digest(alerts: list[dict[str, object]], found: _Found) -> dict[str, object]:
    digest: dict[str, object] = {"alerts": alerts}
    for name, values in found.items():
        digest[name] = list(distinct(values))[:_MOST_NAMES]
    for name in ("tactics", "techniques"):
        digest[name] = list(distinct(one for alert in alerts for one in strings(alert.get(name))))
    return {name: value for name, value in digest.items() if value}


def _sentinel_alert(props: Record) -> dict[str, object]:
    more = record(props.get("additionalData"))
    return _filled(
        {
            "id": text(props, "systemAlertId"),
            "title": text(props, "alertDisplayName", "friendlyName"),
            "text": text(props, "description")[:2000],
            "severity": text(props, "severity").casefold(),
            "product": text(props, "productName"),
            "tactics": list(strings(props.get("tactics"))),
            "techniques": list(strings(props.get("techniques"))),
            "compromised_entity": text(props, "compromisedEntity"),
            "url": text(props, "alertLink"),
            "started_at": text(props, "startTimeUtc"),
            "rule": text(more, "Analytic Rule Name"),
            "custom_details": more.get("Custom Details"),
        }
    )


def _graph_alert(alert: Record) -> dict[str, object]:
    return _filled(
        {
            "id": text(alert, "id"),
            "title": text(alert, "title"),
            "text": text(alert, "description")[:2000],
            "severity": text(alert, "severity").casefold(),
            "status": text(alert, "status"),
            "product": text(alert, "productName", "serviceSource"),
            "tactics": list(distinct((*strings(alert.get("categories")), text(alert, "category")))),
            "techniques": list(strings(alert.get("mitreTechniques"))),
            "url": text(alert, "alertWebUrl"),
            "started_at": text(alert, "firstActivityDateTime", "createdDateTime"),
            "custom_details": record(alert.get("customDetails")),
        }
    )


def _filled(values: Mapping[str, object]) -> dict[str, object]:
    return {name: tamed(value) for name, value in values.items() if value}


def _entity(kind: str, props: Record) -> Iterable[tuple[str, str]]:
    match kind:
        case "account":
            yield "accounts", _account(props)
        case "host":
            yield "hosts", text(props, "fqdn", "hostName", "netBiosName", "friendlyName")
        case "ip":
            yield "addresses", text(props, "address", "friendlyName")
        case "url":
            yield "urls", text(props, "url", "friendlyName")
        case "file":
            yield "files", text(props, "fileName", "friendlyName")
        case "process":
            yield "processes", text(props, "commandLine", "friendlyName")
        case "mailbox":
            yield "accounts", text(props, "upn", "mailboxPrimaryAddress", "friendlyName")
        case _:
            yield "others", text(props, "friendlyName")


def _account(props: Record) -> str:
    name = text(props, "accountName", "friendlyName")
    if upn := text(props, "userPrincipalName"):
        return upn
    if suffix := text(props, "upnSuffix"):
        return f"{name}@{suffix}"
    domain = text(props, "ntDomain", "dnsDomain")
    return f"{domain}\\{name}" if domain and name else name


def _evidence(evidence: Record) -> Iterable[tuple[str, str]]:
    """Evidence types as in the CSDL, `#microsoft.graph.security.deviceEvidence` and so on."""
    kind = text(evidence, "@odata.type").rpartition(".")[2].casefold()
    user = record(evidence.get("userAccount"))
    if user:
        yield "accounts", text(user, "userPrincipalName") or _domain_name(user)
    match kind:
        case "deviceevidence":
            yield "hosts", text(evidence, "deviceDnsName", "hostName", "mdeDeviceId")
        case "ipevidence":
            yield "addresses", text(evidence, "ipAddress")
        case "urlevidence":
            yield "urls", text(evidence, "url")
        case "fileevidence":
            yield "files", text(record(evidence.get("fileDetails")), "fileName")
        case "processevidence":
            yield "processes", text(evidence, "processCommandLine")
        case "mailboxevidence":
            yield "accounts", text(evidence, "primaryAddress", "displayName")
        case _:
            return


def _domain_name(user: Record) -> str:
    name, domain = text(user, "accountName"), text(user, "domainName")
    return f"{domain}\\{name}" if domain and name else name
