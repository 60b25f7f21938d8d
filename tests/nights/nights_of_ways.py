"""Golden nights of the ways to people: what fails, what is limited, quiet hours, webhooks."""

from tests.nights.golden import (
    ADA,
    DUTY,
    NO_SHIFTS,
    START,
    WEEK,
    Golden,
    method,
    minutes,
    person,
    policy,
    rule,
    rules,
    shift,
    step,
    webhook,
)
from tocsin.core.kinds import Severity

WAYS = (
    Golden(
        name="a contact method that fails: the next rule runs at once",
        start=START,
        lasts=minutes(14),
        setup=(
            policy(step(DUTY, wait="12m")),
            method("mara", "sms", 11),
            method("mara", "voice", 12),
            *rules("mara", rule("phone"), rule("sms", "5m"), rule("voice", "10m")),
        ),
        dead=frozenset({"mara", "ada"}),
        failing=frozenset({"phone"}),
        shows=(
            "24 02:58:00 failed: mara by phone, step 1, 1",
            "24 02:58:00 page: mara by sms, step 1, 1",
            "24 03:08:00 page: mara by voice, step 1, 1",
        ),
    ),
    Golden(
        name="two that fail and repeat, then one that rings",
        start=START,
        lasts=minutes(8),
        setup=(
            policy(step(DUTY, wait="3m"), step(ADA), repeat=1),
            method("mara", "sms", 11),
            method("mara", "voice", 12),
            *rules(
                "mara",
                rule("sms", every="1m"),
                rule("voice", "2m", "1m"),
                rule("phone", "4m", "30s"),
            ),
        ),
        dead=frozenset({"mara-sms", "mara-voice"}),
        failing=frozenset({"sms", "voice"}),
        shows=(
            "24 02:58:00 failed: mara by voice, step 1, 1",
            "24 02:58:00 page: mara by phone, step 1, 1",
            "24 02:59:00 failed: mara by sms, step 1, 2",
        ),
    ),
    Golden(
        name="a channel that fails takes everything with it",
        start=START,
        lasts=minutes(14),
        dead=frozenset({"mara", "jonas", "ada"}),
        failing=frozenset({"webhook"}),
        shows=("24 03:12:00 failed: ada by phone, step 2, 1",),
    ),
    Golden(
        name="outgoing webhooks: one that is configured, one that is not",
        start=START,
        lasts=minutes(6),
        setup=(
            webhook("siem"),
            policy(step({"webhook": "siem"}, DUTY), step({"webhook": "gone"}), step(ADA)),
        ),
        shows=(
            "24 02:58:00 call: - by siem, step 1, 1",
            "24 03:00:00 failed: - by gone, step 2, 1",
            "24 03:02:00 step 1.3: ada",
        ),
    ),
    Golden(
        name="a second rule for the same method at the moment of a repetition",
        start=START,
        lasts=minutes(6),
        setup=(
            policy(step(DUTY, wait="5m")),
            *rules("mara", rule("phone", every="1m"), rule("phone", "2m")),
        ),
        shows=(
            "24 03:00:00 page: mara by phone, step 1, 1",
            "24 03:01:00 page: mara by phone, step 1, 2",
            "24 03:04:00 page: mara by phone, step 1, 5",
        ),
    ),
    Golden(
        name="two rules that repeat the same method, and meet every minute",
        start=START,
        lasts=minutes(8),
        setup=(
            policy(step(DUTY, wait="5m")),
            *rules("mara", rule("phone", every="1m"), rule("phone", "90s", "30s")),
        ),
        shows=(
            "24 02:59:30 page: mara by phone, step 1, 1",
            "24 03:00:00 page: mara by phone, step 1, 3",
            "24 03:00:30 page: mara by phone, step 1, 4",
        ),
    ),
    Golden(
        name="two messages a minute are enough",
        start=START,
        lasts=minutes(6),
        setup=(
            """UPDATE contact_method SET body = '{"limits": {"per_minute": 2}}' WHERE id = 1""",
            *rules("mara", rule("phone", every="10s")),
            policy(step(DUTY, wait="3m"), step(ADA, wait="1m")),
        ),
        shows=(
            "24 02:58:10 page: mara by phone, step 1, 2",
            "24 02:58:20 throttled: mara by phone, step 1, 3",
            "24 02:59:00 page: mara by phone, step 1, 3",
        ),
    ),
    Golden(
        name="quiet hours hold what is not urgent",
        start=START,
        lasts=minutes(8),
        severity=Severity.MEDIUM,
        setup=(
            person("mara", quiet_hours=[{"days": WEEK, "from": "22:00", "to": "04:01"}]),
            *rules("mara", rule("phone", every="1m"), urgency="normal"),
        ),
        shows=(
            "24 02:58:00 quiet: mara by phone, step 1, 1",
            "24 03:01:00 page: mara by phone, step 1, 1",
            "24 03:02:00 page: mara by phone, step 1, 2",
        ),
    ),
    Golden(
        name="quiet hours and urgent: not on duty, then on duty",
        start=START,
        lasts=minutes(8),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-11-24 02:59:30Z", "2026-11-25"),
            person(
                "mara",
                quiet_hours=[{"days": WEEK, "from": "22:00", "to": "04:04"}],
                time_zone="UTC",
            ),
            policy(step({"user": "mara"}, wait="1m"), step(DUTY, wait="3m")),
        ),
        shows=(
            "24 02:58:00 quiet: mara by phone, step 1, 1",
            "24 02:59:00 nobody 1.2: (nobody on duty)",
        ),
    ),
)
