"""Golden nights of answers: what is foreseen anew after each, in every mode."""

from tests.nights.golden import (
    ADA,
    DUTY,
    NO_SHIFTS,
    START,
    WEEK,
    Act,
    Golden,
    category,
    minutes,
    person,
    policy,
    rule,
    rules,
    shift,
    step,
)
from tocsin.core.changes import (
    Acknowledged,
    Closed,
    EscalatedByHand,
    Reassigned,
    Reopened,
    RespondersAdded,
    SeverityRaised,
    Snoozed,
    TakenOver,
    Unacknowledged,
)
from tocsin.core.kinds import Actor, Severity, Urgency, Via
from tocsin.core.rules import Method, Person, Rule

MARA = Actor("mara", 1, Via.REPLY)
JONAS = Actor("jonas", 2, Via.REPLY)
HELP = Person(
    2,
    "jonas",
    (Method(2, "phone", "webhook"),),
    {Urgency.URGENT: (Rule(minutes(0.5), "phone", minutes(1)),)},
)

ANSWER_NIGHTS = (
    Golden(
        name="single: acknowledged, asked before it expires, and paged again",
        start=START,
        lasts=minutes(30),
        setup=(policy(step(DUTY), step(ADA), acknowledge_timeout="12m"),),
        acts=(Act(after=minutes(1.2), asks=Acknowledged(MARA)),),
        shows=(
            "24 03:08:12 owner_asked: ",
            "24 03:08:12 message: mara by phone, step 1, 1",
            "24 03:11:12 acknowledgement_expired: ",
            "24 03:11:12 step 1.1: mara",
        ),
    ),
    Golden(
        name="multi: two have to acknowledge",
        start=START,
        lasts=minutes(8),
        setup=(
            policy(step(DUTY, {"user": "jonas"}, ADA, wait="3m"), step(DUTY), mode="multi"),
            *rules("jonas", rule("phone", every="1m")),
        ),
        acts=(
            Act(after=minutes(1.2), asks=Acknowledged(MARA)),
            Act(after=minutes(2.2), asks=Acknowledged(JONAS)),
        ),
        shows=("24 03:00:00 page: jonas by phone, step 1, 3",),
    ),
    Golden(
        name="emergency: everybody until everybody has acknowledged",
        start=START,
        lasts=minutes(9),
        setup=(
            policy(step(DUTY, wait="3m"), step(ADA), mode="emergency"),
            *rules("jonas", rule("phone", every="1m")),
        ),
        acts=(Act(after=minutes(1.2), asks=Acknowledged(MARA)),),
        shows=(
            "24 02:58:00 step 1.1: mara, jonas, ada",
            "24 03:01:00 step 1.2: jonas, ada",
            "24 03:03:00 nobody_answered: ada",
        ),
    ),
    Golden(
        name="modes mixed: the category's before the policy's",
        start=START,
        lasts=minutes(8),
        category="flood",
        setup=(
            category("flood", mode="multi", acknowledgements=3),
            policy(step(DUTY, wait="3m"), step({"team": "soc"}), mode="emergency"),
        ),
        acts=(
            Act(after=minutes(0.7), asks=Acknowledged(MARA)),
            Act(after=minutes(1.4), asks=Acknowledged(JONAS)),
        ),
        shows=("24 03:01:00 step 1.2: ada",),
    ),
    Golden(
        name="acknowledged, and the shift changes: who comes is told once",
        start=START,
        lasts=minutes(8),
        setup=(
            NO_SHIFTS,
            shift("mara", "2026-11-24 00:00Z", "2026-11-24 03:01Z"),
            shift("jonas", "2026-11-24 03:01Z", "2026-11-24 12:00Z"),
        ),
        acts=(Act(after=minutes(1), asks=Acknowledged(MARA)),),
        shows=(
            "24 03:01:00 came_on_duty: jonas",
            "24 03:01:00 message: jonas by phone, step 1, 1",
        ),
    ),
    Golden(
        name="news that quiet hours hold is no news any more when they end",
        start=START,
        lasts=minutes(6),
        severity=Severity.MEDIUM,
        setup=(
            person("mara", quiet_hours=[{"days": WEEK, "from": "22:00", "to": "04:01"}]),
            policy(step(DUTY, {"user": "jonas"}, wait="6m")),
        ),
        acts=(
            Act(after=minutes(0.5), asks=Acknowledged(JONAS)),
            Act(after=minutes(1), asks=Unacknowledged(JONAS)),
        ),
        shows=(
            "24 02:58:30 quiet: mara by phone, step 1, 1",
            "24 02:59:00 quiet: mara by phone, step 1, 1",
            "24 03:01:00 page: mara by phone, step 1, 1",
        ),
    ),
    Golden(
        name="snoozed, and back from the first step",
        start=START,
        lasts=minutes(16),
        acts=(Act(after=minutes(1.2), asks=Snoozed(MARA, START + minutes(7))),),
        shows=("24 03:05:00 snooze_ended: ", "24 03:05:00 step 1.1: mara"),
    ),
    Golden(
        name="taken over, given back, closed and reopened",
        start=START,
        lasts=minutes(16),
        acts=(
            Act(after=minutes(1.2), asks=Acknowledged(MARA)),
            Act(after=minutes(2), asks=TakenOver(JONAS)),
            Act(after=minutes(3), asks=Unacknowledged(JONAS)),
            Act(after=minutes(4.2), asks=Closed(MARA)),
            Act(after=minutes(6), asks=Reopened(MARA)),
        ),
        shows=("24 03:06:00 step 1.2: ada",),
    ),
    Golden(
        name="escalated by hand, then given to somebody else",
        start=START,
        lasts=minutes(10),
        acts=(
            Act(after=minutes(0.7), asks=EscalatedByHand(MARA)),
            Act(after=minutes(1.4), asks=Reassigned(MARA, (HELP,), "jonas")),
        ),
        shows=(
            "24 02:59:54 page: jonas by phone, step 2, 1",
            "24 03:03:42 step 2.1: mara",
        ),
    ),
    Golden(
        name="asked for help, and acknowledged by somebody else meanwhile",
        start=START,
        lasts=minutes(10),
        acts=(
            Act(after=minutes(0.7), asks=RespondersAdded(MARA, (HELP,))),
            Act(after=minutes(1), asks=Acknowledged(MARA)),
        ),
        shows=("24 02:59:12 page: jonas by phone, step 1, 1",),
    ),
    Golden(
        name="worse than it was: the rules of the new urgency",
        start=START,
        lasts=minutes(8),
        severity=Severity.LOW,
        setup=(*rules("mara", rule("phone"), urgency="normal"),),
        acts=(
            Act(
                after=minutes(0.7),
                asks=SeverityRaised(Severity.CRITICAL, Urgency.URGENT),
            ),
        ),
        shows=("24 02:59:12 page: mara by phone, step 1, 2",),
    ),
)
