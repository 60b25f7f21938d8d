"""`tocsin azure` against a simulated tenant: plan, setup, check, teardown."""

import stat
from pathlib import Path

import pytest

from tests.microsoft.deployments import GROUP, HINT, Desk, KilledError, open_desk
from tocsin.microsoft.fields import record


async def test_first(tmp_path: Path) -> None:
    async with open_desk(tmp_path, lag=40, propagation=90) as desk:
        code = await desk.run("plan")
        print(desk.printed())
        assert code == 0
        code = await desk.run("setup")
        print(desk.printed())
        assert code == 0
        n = len(desk.writes())
        code = await desk.run("setup")
        print(desk.printed())
        assert code == 0
        code = await desk.run("plan")
        print(desk.printed())
        code = await desk.run("teardown", "--confirm")
        print(desk.printed())
        assert 0
