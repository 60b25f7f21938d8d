"""One night told minute by minute, with the policy and the people of the example configuration."""

from inline_snapshot import snapshot

from tests.core.nights import Night
from tests.core.stories import ADA, JONAS, MARA, at, by
from tocsin.core.changes import Acknowledged, Closed, Raised, RespondersAdded, Snoozed, TakenOver
from tocsin.core.kinds import Actor, Via


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
02:58 raised by sentinel
      step 1 of round 1 for Mara
      rings: mara.phone x2
02:59 rings: mara.phone x2
03:00 step 2 of round 1 for Ada
      rings: mara.mail, mara.phone x2, ada.phone
03:01 rings: mara.phone x2
03:02 rings: mara.phone x2
03:03 rings: mara.phone x2
03:04 rings: mara.phone x2
03:05 step 3 of round 1 for Mara, Jonas, Ada
      rings: mara.phone x2, jonas.phone x2, ada.phone
03:06 rings: mara.phone x2, jonas.phone x2
03:07 rings: mara.mail, mara.phone x2, jonas.phone x2
03:08 rings: mara.phone x2, jonas.phone x2
03:09 rings: mara.phone x2, jonas.phone x2
03:10 rings: mara.phone x2, jonas.phone x2
03:11 rings: mara.phone x2, jonas.phone x2
03:12 rings: mara.phone x2, jonas.phone x2
03:13 rings: mara.phone x2, jonas.phone x2
03:14 rings: mara.phone x2, jonas.phone x2
03:15 step 1 of round 2 for Mara
      rings: jonas.phone x2, mara.phone x2
03:16 rings: jonas.phone x2, mara.phone x2
03:17 step 2 of round 2 for Ada
      acknowledged by Jonas
      to the source: acknowledged
      rings: mara.mail, jonas.phone x2, mara.phone x2, ada.phone
      acknowledged: mara.phone, mara.mail, ada.phone
07:07 owner asked
      still_on_it: jonas.phone
07:17 acknowledgement expired
      step 1 of round 1 for Mara
      to the source: note
      rings: mara.phone
07:18 rings: mara.phone x2
07:19 step 2 of round 1 for Ada
      rings: mara.phone x2, mara.mail, ada.phone
07:20 snoozed by Mara
      to the source: acknowledged
      acknowledged: ada.phone
07:58 snooze ended
      step 1 of round 1 for Mara
      to the source: note
      rings: mara.phone x2
07:59 rings: mara.phone x2
08:00 step 2 of round 1 for Ada
      rings: mara.mail, mara.phone x2, ada.phone
08:01 acknowledged by Mara
      to the source: acknowledged
      acknowledged: ada.phone
08:08 responders added by Mara for Ada
      responder: ada.phone
08:10 responder answered by Ada
08:18 taken over by Jonas
      to the source: acknowledged
      update: mara.phone, mara.mail, jonas.phone
08:28 closed by Jonas
      to the source: closed
      resolved: mara.phone, mara.mail, ada.phone
08:29 nothing changes: closed by Jonas at 07:28 UTC\
""")


def test_a_night_in_which_nobody_answers_at_all() -> None:
    script = ((at(0), Raised(Actor("sentinel", via=Via.SOURCE))),)
    assert Night().play(script, end=at(36)) == snapshot("""\
02:58 raised by sentinel
      step 1 of round 1 for Mara
      rings: mara.phone x2
02:59 rings: mara.phone x2
03:00 step 2 of round 1 for Ada
      rings: mara.mail, mara.phone x2, ada.phone
03:01 rings: mara.phone x2
03:02 rings: mara.phone x2
03:03 rings: mara.phone x2
03:04 rings: mara.phone x2
03:05 step 3 of round 1 for Mara, Jonas, Ada
      rings: mara.phone x2, jonas.phone x2, ada.phone
03:06 rings: mara.phone x2, jonas.phone x2
03:07 rings: mara.mail, mara.phone x2, jonas.phone x2
03:08 rings: mara.phone x2, jonas.phone x2
03:09 rings: mara.phone x2, jonas.phone x2
03:10 rings: mara.phone x2, jonas.phone x2
03:11 rings: mara.phone x2, jonas.phone x2
03:12 rings: mara.phone x2, jonas.phone x2
03:13 rings: mara.phone x2, jonas.phone x2
03:14 rings: mara.phone x2, jonas.phone x2
03:15 step 1 of round 2 for Mara
      rings: jonas.phone x2, mara.phone x2
03:16 rings: jonas.phone x2, mara.phone x2
03:17 step 2 of round 2 for Ada
      rings: mara.mail, jonas.phone x2, mara.phone x2, ada.phone
03:18 rings: jonas.phone x2, mara.phone x2
03:19 rings: jonas.phone x2, mara.phone x2
03:20 rings: jonas.phone x2, mara.phone x2
03:21 rings: jonas.phone x2, mara.phone x2
03:22 step 3 of round 2 for Mara, Jonas, Ada
      rings: mara.phone x2, jonas.phone x2, ada.phone
03:23 rings: mara.phone x2, jonas.phone x2
03:24 rings: mara.mail, mara.phone x2, jonas.phone x2
03:25 rings: mara.phone x2, jonas.phone x2
03:26 rings: mara.phone x2, jonas.phone x2
03:27 rings: mara.phone x2, jonas.phone x2
03:28 rings: mara.phone x2, jonas.phone x2
03:29 rings: mara.phone x2, jonas.phone x2
03:30 rings: mara.phone x2, jonas.phone x2
03:31 rings: mara.phone x2, jonas.phone x2
03:32 nobody answered for Ada
      rings: mara.phone x2, jonas.phone x2, ada.phone
03:33 rings: mara.phone x2, jonas.phone x2\
""")
