"""The made-up attacks that the simulated cloud tells of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scene:
    """What one alert says; `category` in Graph's words is also the only tactic."""

    title: str
    description: str
    category: str
    technique: str


SCENES = (
    Scene(
        "Sign-ins from two continents within one hour",
        "One account signed in from Lisbon and from Osaka, 41 minutes apart.",
        "InitialAccess",
        "T1078",
    ),
    Scene(
        "Shadow copies deleted on a file server",
        "A script removed all shadow copies of three volumes and stopped the backup service.",
        "Impact",
        "T1490",
    ),
    Scene(
        "New inbox rule forwards mail outside",
        "A rule that forwards messages with the word invoice was made right after a risky sign-in.",
        "Exfiltration",
        "T1114",
    ),
    Scene(
        "Scheduled task runs an encoded command",
        "A task made by a service account starts a shell with an encoded argument each hour.",
        "Persistence",
        "T1053",
    ),
)

ACCOUNT = {"friendlyName": "r.lindqvist", "accountName": "r.lindqvist", "upnSuffix": "example.org"}
HOST = {"friendlyName": "files-07", "hostName": "files-07", "dnsDomain": "example.org"}


def scene(number: int) -> Scene:
    """The scenes in turn, so that several alerts of one incident differ."""
    return SCENES[number % len(SCENES)]


def evidence(created: str) -> list[dict[str, object]]:
    """The typed evidence of a Graph alert: the host and the account of the story."""
    common: dict[str, object] = {
        "createdDateTime": created,
        "verdict": "suspicious",
        "remediationStatus": "none",
        "remediationStatusDetails": None,
        "roles": [],
        "detailedRoles": [],
        "tags": [],
    }
    return [
        {
            "@odata.type": "#microsoft.graph.security.deviceEvidence",
            **common,
            "deviceDnsName": f"{HOST['hostName']}.{HOST['dnsDomain']}",
            "osPlatform": "WindowsServer2025",
            "healthStatus": "active",
            "riskScore": "high",
        },
        {
            "@odata.type": "#microsoft.graph.security.userEvidence",
            **common,
            "userAccount": {
                "accountName": ACCOUNT["accountName"],
                "domainName": "EXAMPLE",
                "userSid": None,
                "azureAdUserId": None,
                "userPrincipalName": f"{ACCOUNT['accountName']}@{ACCOUNT['upnSuffix']}",
                "displayName": "R. Lindqvist",
            },
        },
    ]
