"""Golden nights of every day: steps, waits, rounds, rules, whole teams."""

from tests.nights.golden import (
    ADA,
    DUTY,
    START,
    Golden,
    method,
    minutes,
    policy,
    punch,
    rule,
    rules,
    shift,
    step,
)

EVERYDAY = (
    Golden(
        name="nobody answers two rounds, and the admin is told",
        start=START,
        lasts=minutes(20),
        shows=(
            "24 02:58:30 page: mara by phone, step 1, 2",
            "24 03:05:00 step 2.1: mara",
            "24 03:12:00 nobody_answered: ada",
        ),
    ),
    Golden(
        name="four rounds, and repetitions that go on beside them",
        start=START,
        lasts=minutes(8),
        setup=(policy(step(DUTY, wait="1m"), step(ADA, wait="30s"), repeat=3),),
        shows=("24 03:02:30 step 4.1: mara", "24 03:04:00 nobody_answered: ada"),
    ),
    Golden(
        name="rules at once, after five and after ten minutes, each repeated",
        start=START,
        lasts=minutes(14),
        setup=(
            policy(step(DUTY, wait="12m")),
            method("mara", "sms", 11),
            method("mara", "voice", 12),
            *rules("mara", rule("phone"), rule("sms", "5m", "2m"), rule("voice", "10m", "90s")),
        ),
        shows=(
            "24 03:03:00 page: mara by sms, step 1, 1",
            "24 03:05:00 page: mara by sms, step 1, 2",
            "24 03:09:30 page: mara by voice, step 1, 2",
        ),
    ),
    Golden(
        name="a step that comes again before the minute of the second rule",
        start=START,
        lasts=minutes(6),
        setup=(
            policy(step(DUTY, wait="1m"), repeat=4),
            method("mara", "sms", 11),
            *rules("mara", rule("phone"), rule("sms", "2m")),
        ),
        shows=("24 03:00:00 page: mara by sms, step 1, 1",),
    ),
    Golden(
        name="steps without a wait start together",
        start=START,
        lasts=minutes(6),
        setup=(policy(step(DUTY, wait="0s"), step({"user": "jonas"}, wait="0s"), step(ADA)),),
        shows=("24 02:58:00 step 1.3: ada", "24 02:58:00 page: jonas by phone, step 2, 1"),
    ),
    Golden(
        name="the whole team is paged, and its manager on duty",
        start=START,
        lasts=minutes(6),
        setup=(
            policy(step({"team": "soc"}), step({"duty": "manager"})),
            shift("ada", "2026-11-24 00:00Z", "2026-11-25 00:00Z", "manager"),
        ),
        shows=("24 02:58:00 step 1.1: mara, jonas, ada", "24 03:00:00 step 1.2: ada"),
    ),
    Golden(
        name="a person without rules and one without contact methods",
        start=START,
        lasts=minutes(6),
        setup=(
            policy(step(DUTY, {"user": "jonas"}, ADA)),
            *rules("mara"),
            "DELETE FROM contact_method WHERE id = 2",
        ),
        shows=("24 02:58:00 step 1.1: mara, ada not jonas",),
    ),
    Golden(
        name="a team without a policy tells its admins",
        start=START,
        lasts=minutes(6),
        setup=("DELETE FROM escalation_policy",),
        shows=("24 02:58:00 nobody_answered: ada",),
    ),
    Golden(
        name="somebody is punched in beside the shift, and out again in mid-step",
        start=START,
        lasts=minutes(8),
        setup=(punch("jonas", "2026-11-24 02:00Z", "2026-11-24 02:59:10Z"),),
        shows=("24 02:58:00 step 1.1: mara, jonas", "24 02:59:10 left_duty: jonas"),
    ),
)
