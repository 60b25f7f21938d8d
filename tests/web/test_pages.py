"""The page behind a link, as text: small, without scripts, hostile words escaped."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tocsin.core.alert import Alert, Answered, Closure, Origin
from tocsin.core.kinds import Severity, Status, Urgency, Via
from tocsin.web.pages import SIZE_LIMIT, Shown, alert_page, notice_page
from tocsin.web.wording import LANGUAGES, language

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
ALERT = Alert(
    team=1,
    id=UUID(int=7),
    number=12,
    title="Impossible travel",
    text="Two sign-ins, 4,000 km apart",
    created_at=NOW,
    updated_at=NOW,
    severity=Severity.HIGH,
    urgency=Urgency.URGENT,
    source=Origin("microsoft", "Sentinel", "https://portal.example.org/incident/1"),
    policy="p",
)
ACKNOWLEDGED = replace(
    ALERT, status=Status.ACKNOWLEDGED, owner=2, answers=(Answered("jonas", 2, NOW, Via.PAGE),)
)
CLOSED = replace(
    ACKNOWLEDGED,
    status=Status.CLOSED,
    closure=Closure("jonas", 2, NOW + timedelta(minutes=5), Via.PAGE),
)


def page(alert: Alert, spoken: str = "en", *, may_act: bool = True, said: str | None = None) -> str:
    shown = Shown(
        alert=alert,
        person=1,
        team="soc",
        names={1: "mara", 2: "jonas"},
        zone="Europe/Berlin",
        nonce="the-nonce",
        may_act=may_act,
    )
    response = alert_page(shown, spoken, said)
    return bytes(response.body).decode()


def test_an_open_alert_has_the_three_buttons_and_a_comment() -> None:
    text = page(ALERT)
    for action in ("acknowledge", "close", "escalate"):
        assert f'name="action" value="{action}"' in text
    assert 'name="comment"' in text
    assert 'name="nonce" value="the-nonce"' in text


def test_an_acknowledged_alert_says_by_whom_and_when_on_the_persons_clock() -> None:
    text = page(ACKNOWLEDGED)
    assert "Acknowledged by jonas at 2026-11-24 07:30 CET." in text
    assert 'value="acknowledge"' not in text


def test_somebody_asked_for_help_can_acknowledge_an_acknowledged_alert() -> None:
    assert 'value="acknowledge"' in page(replace(ACKNOWLEDGED, responders=(1,)))


def test_a_closed_alert_only_says_who_closed_it() -> None:
    text = page(CLOSED)
    assert "Closed by jonas at 2026-11-24 07:35 CET." in text
    assert "<form" not in text


def test_somebody_who_may_only_read_has_no_buttons() -> None:
    assert "<form" not in page(ALERT, may_act=False)


def test_a_german_page_has_no_english_words_of_ours() -> None:
    text = page(ALERT, "de")
    assert 'lang="de"' in text
    assert "Quittieren" in text
    assert "Acknowledge" not in text
    assert "Raised" not in text


@pytest.mark.parametrize("said", [None, "x" * 5_000, "<" * 5_000])
@pytest.mark.parametrize("filling", ["x", "<", "&", '"', "ä", "😀", "\n"])
def test_a_page_is_never_larger_than_ten_kilobytes(filling: str, said: str | None) -> None:
    alert = replace(
        CLOSED if said else ALERT,
        title=filling * 5_000,
        text=filling * 50_000,
        category=filling * 5_000,
        seen_count=10**9,
        source=Origin("microsoft", filling * 5_000, "https://example.org/" + filling * 5_000),
    )
    assert len(page(alert, "de", said=said).encode()) <= SIZE_LIMIT


def test_hostile_words_are_only_words() -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"
    text = page(
        replace(ALERT, title=evil, text=evil, category=evil, source=Origin(evil, evil, evil)),
        said=evil,
    )
    assert "<script" not in text
    assert "<img" not in text
    assert "{{7*7}}" in text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example.org"])
def test_only_web_addresses_become_links(url: str) -> None:
    assert "<a " not in page(replace(ALERT, source=Origin("x", "y", url)))


def test_the_headers_forbid_scripts_caching_framing_and_referrers() -> None:
    response = notice_page("no", "en", 404)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in response.headers["x-robots-tag"]


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,de;q=0.9", "en"),
        ("fr,de;q=0.2", "de"),
        ("de;q=0", "en"),
        ("de;q=x", "en"),
        ("*", "en"),
        ("," * 5_000, "en"),
    ],
)
def test_the_browsers_languages_choose_between_english_and_german(accept: str, wanted: str) -> None:
    assert language(accept) == wanted


def test_both_languages_say_everything() -> None:
    for words in LANGUAGES.values():
        assert set(words.severities) == set(Severity)
