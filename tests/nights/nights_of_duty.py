"""Golden nights of duty: shifts that change, gaps, holding, who comes next, people who leave."""

from tests.nights.golden import (
    ADA,
    DUTY,
    NO_SHIFTS,
    START,
    Act,
    Golden,
    minutes,
    policy,
    rule,
    rules,
    shift,
    step,
)

DUTY_NIGHTS = (
    Golden(
        name="a shift changes in mid-step",
        start=START,
        lasts=minutes(12),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-11-24 00:00Z", "2026-11-24 02:59Z"),
            shift("jonas", "2026-11-24 02:59Z", "2026-11-24 12:00Z"),
            *rules("jonas", rule("phone", every="1m")),
        ),
        shows=(
            "24 02:59:00 came_on_duty: jonas",
            "24 02:59:00 left_duty: mara",
            "24 02:59:00 page: mara by phone, step 1, 3",
            "24 02:59:30 relieved: mara by phone, step 1, 4",
            "24 03:00:00 page: jonas by phone, step 1, 2",
        ),
    ),
    Golden(
        name="a shift changes in mid-repeat, and the successor's rule takes its time",
        start=START,
        lasts=minutes(12),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-11-24 00:00Z", "2026-11-24 02:58:40Z"),
            shift("jonas", "2026-11-24 02:58:40Z", "2026-11-24 12:00Z"),
            *rules("jonas", rule("phone", "1m", "30s")),
        ),
        shows=(
            "24 02:58:40 came_on_duty: jonas",
            "24 02:59:30 page: mara by phone, step 1, 4",
            "24 02:59:40 page: jonas by phone, step 1, 1",
            "24 03:00:00 relieved: mara by phone, step 1, 5",
        ),
    ),
    Golden(
        name="an empty shift after the one that ends in mid-step",
        start=START,
        lasts=minutes(14),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-11-24 00:00Z", "2026-11-24 02:58:40Z"),
            shift("jonas", "2026-11-24 03:06:10Z", "2026-11-24 12:00Z"),
            *rules("jonas", rule("phone", every="1m")),
        ),
        shows=(
            "24 02:58:40 left_duty: mara",
            "24 03:00:00 page: mara by phone, step 1, 5",
            "24 03:05:00 nobody 2.1: (nobody on duty)",
        ),
    ),
    Golden(
        name="the gap is filled while the step still waits",
        start=START,
        lasts=minutes(14),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-11-24 00:00Z", "2026-11-24 02:58:40Z"),
            shift("jonas", "2026-11-24 03:01:10Z", "2026-11-24 12:00Z"),
            policy(step(DUTY, wait="5m"), step(ADA)),
        ),
        shows=(
            "24 03:01:10 came_on_duty: jonas",
            "24 03:01:30 relieved: mara by phone, step 1, 8",
        ),
    ),
    Golden(
        name="a gap: nobody on duty, and the next step starts at once",
        start=START,
        lasts=minutes(12),
        setup=(NO_SHIFTS,),
        shows=(
            "24 02:58:00 nobody 1.1: (nobody on duty)",
            "24 02:58:00 step 1.2: ada",
            "24 03:08:00 nobody_answered: ada",
        ),
    ),
    Golden(
        name="an empty step whose wait runs",
        start=START,
        lasts=minutes(8),
        setup=(NO_SHIFTS, policy(step(DUTY, if_nobody="continue"), step(ADA))),
        shows=("24 02:58:00 step 1.1: ", "24 03:00:00 step 1.2: ada"),
    ),
    Golden(
        name="an empty step that goes on, and somebody comes while its wait runs",
        start=START,
        lasts=minutes(8),
        setup=(
            NO_SHIFTS,
            shift("jonas", "2026-11-24 02:59Z", "2026-11-24 12:00Z"),
            policy(step(DUTY, if_nobody="continue"), step(ADA)),
        ),
        shows=("24 02:59:00 page: jonas by phone, step 1, 1",),
    ),
    Golden(
        name="held until somebody comes on duty",
        start=START,
        lasts=minutes(20),
        setup=(
            NO_SHIFTS,
            shift("jonas", "2026-11-24 03:07:30Z", "2026-11-24 12:00Z"),
            policy(step(DUTY, if_nobody="hold", hold_for="30m"), step(ADA)),
        ),
        shows=(
            "24 02:58:00 held 1.1: (nobody on duty)",
            "24 03:07:30 step 1.1: jonas",
            "24 03:09:30 step 1.2: ada",
        ),
    ),
    Golden(
        name="held in vain",
        start=START,
        lasts=minutes(12),
        setup=(
            NO_SHIFTS,
            shift("jonas", "2026-11-24 03:30Z", "2026-11-24 12:00Z"),
            policy(step(DUTY, if_nobody="hold", hold_for="5m"), step(ADA)),
        ),
        shows=("24 03:03:00 step 1.2: ada",),
    ),
    Golden(
        name="the next on duty, who comes on duty in mid-step",
        start=START,
        lasts=minutes(10),
        setup=(
            shift("jonas", "2026-11-24 02:59Z", "2026-11-24 12:00Z"),
            shift("ada", "2026-11-24 12:00Z", "2026-11-24 20:00Z"),
            policy(step(DUTY, pick="next", wait="3m"), step(DUTY), step(DUTY, pick="next")),
        ),
        shows=(
            "24 02:58:00 step 1.1: jonas",
            "24 03:01:00 step 1.2: mara, jonas",
            "24 03:03:00 step 1.3: ada",
        ),
    ),
    Golden(
        name="a shift changes after nobody answered",
        start=START,
        lasts=minutes(12),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-11-24 00:00Z", "2026-11-24 03:04Z"),
            shift("jonas", "2026-11-24 03:04Z", "2026-11-24 12:00Z"),
            policy(step(DUTY)),
        ),
        shows=(
            "24 03:00:00 nobody_answered: ada",
            "24 03:04:00 came_on_duty: jonas",
            "24 03:04:30 relieved: mara by phone, step 1, 14",
        ),
    ),
    Golden(
        name="no step has anybody, and somebody comes on duty after the admins were told",
        start=START,
        lasts=minutes(12),
        setup=(
            NO_SHIFTS,
            shift("jonas", "2026-11-24 03:04Z", "2026-11-24 12:00Z"),
            policy(step(DUTY)),
        ),
        shows=("24 02:58:00 nobody_answered: ada", "24 03:04:00 step 1.1: jonas"),
    ),
    Golden(
        name="back on duty after a break within one step",
        start=START,
        lasts=minutes(12),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-11-24 00:00Z", "2026-11-24 02:59:10Z"),
            shift("jonas", "2026-11-24 02:59:10Z", "2026-11-24 03:02:20Z"),
            shift("mara", "2026-11-24 03:02:20Z", "2026-11-24 12:00Z"),
            policy(step(DUTY, wait="8m")),
            *rules("jonas", rule("phone", every="1m")),
        ),
        shows=(
            "24 03:02:20 came_on_duty: mara",
            "24 03:03:10 relieved: jonas by phone, step 1, 5",
        ),
    ),
    Golden(
        name="one of two on duty is deactivated in mid-step",
        start=START,
        lasts=minutes(8),
        setup=(
            shift("jonas", "2026-11-24 00:00Z", "2026-11-24 12:00Z"),
            *rules("jonas", rule("phone", every="1m")),
        ),
        acts=(Act(after=minutes(1.25), sql="UPDATE app_user SET active = false WHERE id = 1"),),
        shows=(
            "24 02:59:15 left_duty: mara (deactivated)",
            "24 03:00:00 page: jonas by phone, step 1, 3",
        ),
    ),
    Golden(
        name="the only one on duty is deactivated in mid-step",
        start=START,
        lasts=minutes(10),
        acts=(
            Act(after=minutes(1.25), sql="UPDATE app_user SET active = false WHERE id = 1"),
            Act(after=minutes(3), sql="UPDATE app_user SET active = true WHERE id = 1"),
        ),
        shows=(
            "24 02:59:15 left_duty: mara (deactivated)",
            "24 02:59:15 step 1.2: ada",
            "24 03:04:15 step 2.1: mara",
        ),
    ),
    Golden(
        name="a contact method is switched off in mid-step, then another comes",
        start=START,
        lasts=minutes(10),
        acts=(
            Act(
                after=minutes(1.25),
                sql="UPDATE contact_method SET disabled = 'switched off' WHERE id = 1",
            ),
            Act(
                after=minutes(3),
                sql="UPDATE contact_method SET disabled = NULL WHERE id = 1",
            ),
        ),
        shows=("24 03:05:00 page: mara by phone, step 1, 1",),
    ),
)
