"""What this version stores and does not act on yet."""

from collections.abc import Iterable
from typing import Final

LATER: Final = (
    "channel apprise",
    "channel homeassistant",
    "channel mattermost",
    "channel ntfy",
    "channel pushover",
    "channel slack",
    "channel sms",
    "channel teams",
    "channel telegram",
    "channel voice",
    "channel webpush",
    "inlet alertmanager",
    "inlet azure-monitor",
    "inlet cloudevents",
    "inlet email",
    "inlet generic",
    "inlet grafana",
    "inlet opsgenie",
    "inlet pagerduty",
    "inlet sentinel",
    "inlet victorops",
    "integration limits",
    "routing rules",
    "webhook: events",
)
"""Each kind of thing once; an issue that brings one takes its line away."""


def warnings(things: Iterable[str]) -> tuple[str, ...]:
    """One line for each kind of thing that a configuration uses and that waits for a version."""
    return tuple(f"{thing}: stored, works from a later version" for thing in sorted(set(things)))
