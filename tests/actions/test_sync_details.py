"""The parts of an object that cannot be read now are tried again, and keep no other waiting."""

from collections.abc import Mapping
from datetime import timedelta

from tests.actions.syncing import Script, Watch, remote, scripted
from tests.store.scene import NOW
from tocsin.actions import sync
from tocsin.ports import Failed, FailureKind

HALF = timedelta(seconds=30)


async def details(n: Watch) -> dict[str, Mapping[str, object]]:
    return {alert.external_id or "": alert.details for alert in await n.alerts()}


async def test_an_object_whose_parts_fail_keeps_no_other_from_its_turn(database: str) -> None:
    """The newest always answers 503: the others are read in the same poll, and it is spared."""

    async def some(key: str) -> Mapping[str, object] | Failed:
        if key == "newest":
            return Failed(kind=FailureKind.TEMPORARY, reason="503")
        return {"hosts": [key]}

    script = Script(detail=some)
    others = [remote(f"{number}") for number in range(4)]
    script.show(remote("newest", NOW + HALF), *others)
    async with scripted(database, script) as n:
        await n.pass_time(minutes=1)
        await n.poll()
        found = await details(n)
        assert all(found[one.key] == {"hosts": [one.key]} for one in others)
        assert found["newest"] == {}, "nothing is shown of what time puts right"
        for _ in range(20):
            await n.pass_time(seconds=30)
            await n.poll()
        assert script.asked.count("newest") == 4, "at once, then after 1, 2, 4 minutes"
        script.detail = None
        await n.pass_time(minutes=10)
        await n.poll()
        assert (await n.sql("SELECT count(*) AS n FROM remote_object WHERE details_due"))[0][
            "n"
        ] == 0


async def test_after_a_day_the_details_say_why_they_are_missing(database: str) -> None:
    async def fails(_: str) -> Failed:
        return Failed(kind=FailureKind.TEMPORARY, reason="503 by the service")

    script = Script(detail=fails)
    script.show(remote("one"))
    async with scripted(database, script) as n:
        for _ in range(40):
            await n.poll()
            await n.pass_time(hours=1)
        assert len(script.asked) == 30
        assert await details(n) == {"one": {"details_error": "503 by the service"}}


async def test_what_an_administrator_puts_right_is_read_then(database: str) -> None:
    async def refused(_: str) -> Failed:
        return Failed(kind=FailureKind.CONFIGURATION, reason="403: the role is missing")

    async def found(_: str) -> Mapping[str, object]:
        return {"hosts": ["dc01"]}

    script = Script(detail=refused)
    script.show(remote("one"))
    async with scripted(database, script) as n:
        await n.poll()
        assert await details(n) == {"one": {"details_error": "403: the role is missing"}}
        script.detail = found
        await n.pass_time(minutes=1)
        await n.poll()
        assert script.asked == ["one"], "not at each poll"
        await n.pass_time(minutes=10)
        await n.poll()
        assert await details(n) == {"one": {"hosts": ["dc01"], "details_error": None}}


async def test_what_is_gone_for_good_is_asked_once(database: str) -> None:
    async def gone(_: str) -> Failed:
        return Failed(kind=FailureKind.PERMANENT, reason="it is gone")

    script = Script(detail=gone)
    script.show(remote("one"))
    async with scripted(database, script) as n:
        for _ in range(3):
            await n.poll()
            await n.pass_time(hours=1)
        assert script.asked == ["one"]
        assert await details(n) == {"one": {"details_error": "it is gone"}}


async def test_details_read_after_the_lease_was_lost_are_not_written(database: str) -> None:
    script = Script()
    script.show(remote("one"))
    async with scripted(database, script) as n:

        async def overtaken(_: str) -> Mapping[str, object]:
            await n.run("UPDATE poll SET lease_until = now() - interval '1 s', run_at = $1", NOW)
            assert len(await sync.poll_due(n.world)) == 1
            return {"hosts": ["old"]}

        script.detail = overtaken
        await n.poll()
        assert await details(n) == {"one": {}}
        assert await n.leased("poll") == 1, "the new holder's"


async def test_a_source_that_breaks_at_the_parts_of_one_object_is_polled_on(database: str) -> None:
    async def breaks(key: str) -> Mapping[str, object]:
        raise KeyError(key)

    script = Script(detail=breaks)
    script.show(remote("one"))
    async with scripted(database, script) as n:
        await n.poll()
        health = await n.health()
        assert (health.error, health.succeeded_at) == (None, NOW)
