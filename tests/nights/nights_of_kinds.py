"""Golden nights of kinds of alerts: categories, maintenance, turns, other teams' policies."""

from tests.nights.golden import (
    ADA,
    DUTY,
    NO_SHIFTS,
    START,
    Golden,
    another_policy,
    another_team,
    category,
    method,
    minutes,
    policy,
    rule,
    rules,
    shift,
    step,
    window,
)
from tocsin.core.kinds import Severity

KINDS_OF_ALERTS = (
    Golden(
        name="a category that is less urgent has other rules",
        start=START,
        lasts=minutes(10),
        title="backup of the pump failed",
        setup=(
            category("backups", keywords=["backup"], urgency="normal"),
            method("mara", "mail", 11),
            *rules("mara", rule("mail"), rule("phone", "1m", "30s"), urgency="normal"),
        ),
        shows=(
            "24 02:58:00 page: mara by mail, step 1, 1",
            "24 02:59:00 page: mara by phone, step 1, 1",
        ),
    ),
    Golden(
        name="a category by its name, with a policy of its own, in emergency mode",
        start=START,
        lasts=minutes(8),
        category="fire",
        setup=(
            category("fire", mode="emergency", policy="fire"),
            another_policy("fire", step(ADA, wait="3m"), repeat=1),
        ),
        shows=("24 02:58:00 step 1.1: mara, jonas, ada", "24 03:01:00 step 2.1: mara, jonas, ada"),
    ),
    Golden(
        name="what is only recorded pages nobody",
        start=START,
        lasts=minutes(5),
        severity=Severity.INFO,
        shows=("24 02:58:00 raised: ",),
    ),
    Golden(
        name="what its category suppresses pages nobody",
        start=START,
        lasts=minutes(5),
        title="weekly self-test",
        setup=(category("tests", keywords=["self-test"], suppress=True),),
        shows=("24 02:58:00 raised: (category tests)",),
    ),
    Golden(
        name="a maintenance window ends in the night, and what is open pages then",
        start=START,
        lasts=minutes(10),
        setup=(
            window("disks", "2026-11-24T03:00", "2026-11-24T04:01"),
            NO_SHIFTS,
            shift("mara", "2026-11-24 00:00Z", "2026-11-24 03:00Z"),
            shift("jonas", "2026-11-24 03:00Z", "2026-11-24 12:00Z"),
        ),
        shows=(
            "24 02:58:00 raised: (maintenance disks: new disks)",
            "24 03:01:00 suppression_ended: ",
            "24 03:01:00 step 1.1: jonas",
        ),
    ),
    Golden(
        name="one maintenance window after the other",
        start=START,
        lasts=minutes(12),
        setup=(
            window("first", "2026-11-24T03:00", "2026-11-24T04:00"),
            window(
                "second",
                "2026-11-24T03:59:30",
                "2026-11-24T04:04",
                match={"any": [{"field": "title", "contains": "pump"}]},
            ),
            window(
                "third",
                "2026-11-24T04:01",
                "2026-11-24T05:00",
                match={"any": [{"field": "title", "is": "something else"}]},
            ),
        ),
        shows=(
            "24 03:00:00 suppressed: (maintenance second: new disks)",
            "24 03:04:00 step 1.1: mara",
        ),
    ),
    Golden(
        name="round robin over two rounds",
        start=START,
        lasts=minutes(12),
        setup=(
            policy(
                step({"team": "soc"}, wait="1m", pick="round_robin"),
                step(DUTY, wait="1m"),
                repeat=3,
            ),
        ),
        shows=(
            "24 02:58:00 step 1.1: mara",
            "24 03:00:00 step 2.1: jonas",
            "24 03:02:00 step 3.1: ada",
            "24 03:04:00 step 4.1: mara",
        ),
    ),
    Golden(
        name="round robin on duty, and the one whose turn it is goes off duty",
        start=START,
        lasts=minutes(8),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-11-24 00:00Z", "2026-11-24 02:58:50Z"),
            shift("jonas", "2026-11-24 00:00Z", "2026-11-24 12:00Z"),
            policy(step(DUTY, wait="2m", pick="round_robin"), repeat=1),
        ),
        shows=("24 02:58:00 step 1.1: mara", "24 03:00:00 step 2.1: jonas"),
    ),
    Golden(
        name="another team's policy, with the duty of that team",
        start=START,
        lasts=minutes(12),
        setup=(
            *another_team(
                step(DUTY, wait="1m"),
                step({"team": "noc"}, wait="1m", when={"from": "20:00", "to": "23:00"}),
            ),
            shift("mara", "2026-11-24 02:58:20Z", "2026-11-24 12:00Z", team=2),
            policy(step(DUTY, {"policy": "noc/night"}, wait="4m"), step(ADA)),
        ),
        shows=(
            "24 02:58:00 step 1.1: mara",
            "24 02:59:00 passed_over 1.2: (outside its hours)",
            "24 02:59:00 step 1.3: ada",
        ),
    ),
    Golden(
        name="a shift of another team changes while its policy runs",
        start=START,
        lasts=minutes(12),
        setup=(
            *another_team(step(DUTY, wait="3m")),
            shift("jonas", "2026-11-24 00:00Z", "2026-11-24 02:59:20Z", team=2),
            shift("ada", "2026-11-24 02:59:20Z", "2026-11-24 12:00Z", team=2),
            policy(step({"policy": "noc/night"}, wait="4m"), step(DUTY)),
        ),
        shows=("24 02:58:00 step 1.1: jonas", "24 02:59:20 came_on_duty: ada"),
    ),
    Golden(
        name="an alert without news closes by itself",
        start=START,
        lasts=minutes(20),
        setup=(policy(step(DUTY), close_after="6m"),),
        shows=(
            "24 03:00:00 nobody_answered: ada",
            "24 03:06:00 closed: (nothing new for 6m)",
            "24 03:06:00 message: mara by phone, step 1, 1",
        ),
    ),
)
