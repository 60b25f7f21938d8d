"""Floods, and what is done against them, that go wrong elsewhere; see docs/peer-bugs.md."""

from datetime import UTC, datetime, timedelta

from tests.actions.ringing import Rings, a_page, house
from tests.nights.night import night
from tests.peers.restarts import rang
from tests.store.scene import an_alert
from tocsin.actions.intake import Posted
from tocsin.core.event import Answer, AnswerKind, Event, Said

START = datetime(2026, 11, 24, 2, 58, tzinfo=UTC)


def _posted(*said: Said) -> Posted:
    return Posted(team=1, name="plant", inlet="signl4", said=said, integration=1)


async def test_a_problem_that_comes_and_goes_every_second_is_a_flood(database: str) -> None:
    async with night(database, START) as n:
        raised = Event(title="Link down", external_id="link")
        closed = Answer(kind=AnswerKind.CLOSE, external_id="link")
        for second in range(240):
            await n.intake.accept(_posted(raised if second % 2 == 0 else closed))
            await n.settle()
            await n.clock.move(timedelta(seconds=1))
        assert len(rang(n, "mara")) in range(1, 5)
        assert len(n.told) <= 2 * 4
        flapping = (await n.alert("link")).suppressed
        assert flapping == "flapping: raised 120 times in 10 minutes", "it is visible"


async def test_one_problem_that_fires_thousands_of_times_is_a_flood(database: str) -> None:
    async with night(database, START) as n:
        for _ in range(20):
            said = [Event(title="Memory", external_id="host 7") for _ in range(200)]
            await n.intake.accept(_posted(*said))
            await n.settle()
        alert = await n.alert("host 7")
        assert (alert.number, alert.seen_count) == (1, 4000)
        assert rang(n, "mara") == ["02:58:00"]


async def test_a_throttled_page_is_late_and_nothing_says_so(database: str) -> None:
    async with house(database) as h:
        await h.sql("""UPDATE contact_method SET body = '{"limits": {"per_minute": 1}}'""")
        first, second = an_alert(1), an_alert(2)
        await h.save(first, a_page())
        await h.deliver()
        assert len(Rings.rang) == 1, "the first page is never delayed"
        await h.after(5)
        await h.save(second, a_page(seconds=5), a_page(2, 5, user=2))
        await h.deliver()
        assert [message.user for message, _ in Rings.rang] == ["mara", "jonas"], "others are not"
        entries = await h.rows("SELECT alert_id, data FROM timeline WHERE kind = 'throttled'")
        assert [row["alert_id"] for row in entries] == [second.id]
        lines = await h.ledger(second)
        assert lines[-1][0] == "planned"
        assert lines[-1][1] is not None
        await h.after(60)
        assert [message.user for message, _ in Rings.rang] == ["mara", "jonas", "mara"]
