"""Golden nights of clocks: summer time begins and ends, hours of teams and people, holidays."""

from tests.nights.golden import (
    ADA,
    DUTY,
    NO_SHIFTS,
    START,
    Golden,
    at,
    minutes,
    person,
    policy,
    rule,
    rules,
    shift,
    step,
    team,
)

CLOCK_NIGHTS = (
    Golden(
        name="Berlin goes to summer time while a shift ends and a window opens",
        start=at("2026-03-29T00:56:00"),
        lasts=minutes(12),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-03-28 12:00+01", "2026-03-29 03:00+02"),
            shift("jonas", "2026-03-29 03:00+02", "2026-03-29 12:00+02"),
            policy(
                step(ADA, when={"from": "02:00", "to": "02:59"}),
                step(DUTY, wait="5m"),
                step(ADA, when={"from": "03:00", "to": "04:00"}),
            ),
        ),
        shows=(
            "29 00:56:00 passed_over 1.1: (outside its hours)",
            "29 01:00:00 came_on_duty: jonas",
            "29 01:01:00 step 1.3: ada",
        ),
    ),
    Golden(
        name="Berlin sets its clocks back: a window opens twice, a shift ends in the second hour",
        start=at("2026-10-25T00:35:00"),
        lasts=minutes(80),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-10-24 12:00+02", "2026-10-25 02:40+01"),
            shift("jonas", "2026-10-25 02:40+01", "2026-10-25 12:00+01"),
            *rules("mara", rule("phone", every="4m")),
            policy(
                step(DUTY, wait="10m", when={"from": "02:30", "to": "03:00"}),
                step(ADA, wait="50m", when={"from": "02:00", "to": "03:00"}),
                repeat=1,
            ),
        ),
        shows=(
            "25 00:35:00 step 1.1: mara",
            "25 00:45:00 step 1.2: ada",
            "25 01:35:00 step 2.1: mara",
            "25 01:40:00 came_on_duty: jonas",
            "25 01:45:00 step 2.2: ada",
        ),
    ),
    Golden(
        name="New York sets its clocks back for a responder there",
        start=at("2026-11-01T05:50:00"),
        lasts=minutes(30),
        setup=(
            "UPDATE team SET time_zone = 'America/New_York' WHERE id = 1",
            person("ada", time_zone="America/New_York"),
            person("jonas", time_zone="Europe/Berlin"),
            NO_SHIFTS,
            shift("mara", "2026-11-01 00:00-04", "2026-11-01 01:05-05"),
            shift("jonas", "2026-11-01 01:05-05", "2026-11-01 12:00-05"),
            policy(
                step(DUTY, wait="18m"),
                step(
                    ADA,
                    {"user": "jonas"},
                    when={"from": "01:00", "to": "02:00", "clock": "responder"},
                ),
            ),
            *rules("mara", rule("phone", every="4m")),
        ),
        shows=("01 06:05:00 came_on_duty: jonas", "01 06:08:00 step 1.2: ada"),
    ),
    Golden(
        name="only in the team's night, and only for what is bad enough",
        start=START,
        lasts=minutes(10),
        setup=(
            policy(
                step(ADA, when={"from": "08:00", "to": "18:00"}),
                step(ADA, when={"severity": ["critical"]}),
                step(DUTY, when={"days": ["tue"], "from": "22:00", "to": "06:00"}),
                step(DUTY, when={"days": ["mon"], "from": "22:00", "to": "06:00"}),
            ),
        ),
        shows=(
            "24 02:58:00 passed_over 1.1: (outside its hours)",
            "24 02:58:00 passed_over 1.2: (severity high)",
            "24 02:58:00 passed_over 1.3: (outside its hours)",
            "24 02:58:00 step 1.4: mara",
        ),
    ),
    Golden(
        name="responders who are awake on their own clocks",
        start=START,
        lasts=minutes(10),
        setup=(
            person("ada", time_zone="America/New_York"),
            person("jonas", time_zone="Asia/Tokyo"),
            policy(
                step(
                    DUTY,
                    ADA,
                    {"user": "jonas"},
                    when={"clock": "responder", "from": "08:00", "to": "22:00"},
                ),
                step(DUTY, when={"clock": "responder", "from": "08:00", "to": "22:00"}),
            ),
        ),
        shows=(
            "24 02:58:00 step 1.1: ada, jonas",
            "24 03:00:00 passed_over 1.2: (outside its hours for everybody)",
        ),
    ),
    Golden(
        name="hours that end while the step waits and duty changes",
        start=START,
        lasts=minutes(10),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-11-24 00:00Z", "2026-11-24 03:00:30Z"),
            shift("jonas", "2026-11-24 03:00:30Z", "2026-11-24 12:00Z"),
            policy(step(DUTY, wait="5m", when={"from": "22:00", "to": "04:00"}), step(ADA)),
        ),
        shows=("24 02:58:00 step 1.1: mara", "24 03:03:00 step 1.2: ada"),
    ),
    Golden(
        name="a holiday that begins at the team's midnight",
        start=at("2026-12-24T22:58:00"),
        lasts=minutes(8),
        setup=(
            team(holidays={"days": [{"date": "2026-12-25", "name": "Christmas"}]}),
            shift("mara", "2026-12-24", "2026-12-26"),
            policy(
                step({"user": "jonas"}, when={"holiday": True}),
                step(DUTY, wait="3m", when={"holiday": False}),
                step(ADA, when={"holiday": True}),
            ),
        ),
        shows=(
            "24 22:58:00 passed_over 1.1: (no holiday)",
            "24 22:58:00 step 1.2: mara",
            "24 23:01:00 step 1.3: ada",
        ),
    ),
    Golden(
        name="a step for what is older than three minutes",
        start=START,
        lasts=minutes(10),
        setup=(policy(step(ADA, when={"older_than": "3m"}), step(DUTY), repeat=2),),
        shows=("24 02:58:00 passed_over 1.1: (not old enough)", "24 03:02:00 step 3.1: ada"),
    ),
)
