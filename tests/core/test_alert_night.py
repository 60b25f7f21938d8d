"""One night told minute by minute, with the policy and the people of the example configuration."""

from inline_snapshot import snapshot

from tests.core.nights import Night
from tests.core.stories import ADA, JONAS, MARA, Via, at, by
from tocsin.core.changes import Acknowledged, Closed, Raised, RespondersAdded, Snoozed, TakenOver
from tocsin.core.kinds import Actor


def test_a_night_in_which_nobody_answers_the_first_round() -> None:
    script = (
        (at(0), Raised(Actor("sentinel", via=Via.SOURCE))),
        (at(19.6), Acknowledged(by(JONAS))),  # in the first step of the second round
        (at(262.1), Snoozed(by(MARA), at(300))),  # paged again when Jonas had not closed it
        (at(303), Acknowledged(by(MARA))),
        (at(310), RespondersAdded(by(MARA), (ADA,))),
        (at(312.5), Acknowledged(by(ADA))),
        (at(320), TakenOver(by(JONAS))),
        (at(330), Closed(by(JONAS), "travel confirmed", "benignPositive")),
        (at(331), Acknowledged(by(MARA))),
    )
    assert Night().play(script, end=at(600)) == snapshot("""\
02:58 raised by sentinel; step 1 of round 1 for Mara -> mara.phone x2
02:59 -> mara.phone x2
03:00 step 2 of round 1 for Ada -> mara.mail, mara.phone x2, ada.phone
03:01 -> mara.phone x2
03:02 -> mara.phone x2
03:03 -> mara.phone x2
03:04 -> mara.phone x2
03:05 step 3 of round 1 for Mara, Jonas, Ada -> mara.phone x2, jonas.phone x2, ada.phone
03:06 -> mara.phone x2, jonas.phone x2
03:07 -> mara.mail, mara.phone x2, jonas.phone x2
03:08 -> mara.phone x2, jonas.phone x2
03:09 -> mara.phone x2, jonas.phone x2
03:10 -> mara.phone x2, jonas.phone x2
03:11 -> mara.phone x2, jonas.phone x2
03:12 -> mara.phone x2, jonas.phone x2
03:13 -> mara.phone x2, jonas.phone x2
03:14 -> mara.phone x2, jonas.phone x2
03:15 step 1 of round 2 for Mara -> jonas.phone x2, mara.phone x2
03:16 -> jonas.phone x2, mara.phone x2
03:17 step 2 of round 2 for Ada; acknowledged by Jonas; (source: acknowledged) -> mara.mail, jonas.phone x2, mara.phone x2, ada.phone, mara.phone (acknowledged), mara.mail (acknowledged), ada.phone (acknowledged)
07:17 acknowledgement expired; step 1 of round 1 for Mara; (source: note) -> mara.phone
07:18 -> mara.phone x2
07:19 step 2 of round 1 for Ada -> mara.phone x2, mara.mail, ada.phone
07:20 snoozed by Mara; (source: acknowledged) -> ada.phone (acknowledged)
07:58 snooze ended; step 1 of round 1 for Mara; (source: note) -> mara.phone x2
07:59 -> mara.phone x2
08:00 step 2 of round 1 for Ada -> mara.mail, mara.phone x2, ada.phone
08:01 acknowledged by Mara; (source: acknowledged) -> ada.phone (acknowledged)
08:08 responders added by Mara for Ada -> ada.phone (responder)
08:10 responder answered by Ada
08:18 taken over by Jonas; (source: acknowledged) -> mara.phone (update), mara.mail (update), jonas.phone (update)
08:28 closed by Jonas; (source: closed) -> mara.phone (resolved), mara.mail (resolved), ada.phone (resolved)
08:29 closed by Jonas at 07:28 UTC\
""")


def test_a_night_in_which_nobody_answers_at_all() -> None:
    script = ((at(0), Raised(Actor("sentinel", via=Via.SOURCE))),)
    assert Night().play(script, end=at(36)) == snapshot()
