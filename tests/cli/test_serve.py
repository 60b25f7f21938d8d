"""How `serve` starts, warns and ends."""

import asyncio
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from tocsin.cli.serve import app
from tocsin.serving import serve, serving
from tocsin.settings import Settings


async def _end(name: str) -> None:
    """Have a part of the running process end by itself."""
    (part,) = (task for task in asyncio.all_tasks() if task.get_name() == name)
    part.cancel()


@pytest.mark.parametrize("part", ["worker", "web"])
async def test_a_part_that_ends_by_itself_ends_the_process_with_a_fault(
    database: str, tmp_path: Path, part: str
) -> None:
    settings = Settings(home=tmp_path, database_url=database)
    ready = asyncio.Event()

    def announce(line: str) -> None:
        if line.startswith("Tocsin is ready"):
            ready.set()

    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(
            serve(settings, host="127.0.0.1", port=0, web=True, worker=True, announce=announce)
        )
        await ready.wait()
        await _end(part)
        well = await running
    assert not well
    told = [line for line in logs if line["event"] == "stopped unexpectedly"]
    assert [line["part"] for line in told] == [part]


async def test_an_end_that_was_asked_for_is_no_fault(database: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=database)
    with structlog.testing.capture_logs() as logs:
        async with serving(settings, announce=lambda _: None) as running:
            running.stopped.set()
    assert running.fallen == []
    assert logs == []


async def test_a_worker_alone_without_public_url_and_incoming_mail_are_warned_of(
    database: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, database_url=database, mail_listen="127.0.0.1:2525")
    with structlog.testing.capture_logs() as logs:
        async with serving(settings, web=False, announce=lambda _: None):
            pass
    warned = [str(line) for line in logs if line["log_level"] == "warning"]
    assert len(warned) == 2
    assert "TOCSIN_MAIL_LISTEN is set, and incoming mail works from a later version" in warned[0]
    assert "TOCSIN_PUBLIC_URL is not set" in warned[1]
    assert "http://localhost:8080" in warned[1]


async def test_a_host_that_is_none_is_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql:///none")
    for host in ("256.256.256.256", "a" * 70, "::g"):
        with pytest.raises(OSError, match=r"cannot listen on .*choose another --host or --port"):
            async with serving(settings, host=host, announce=lambda _: None):
                pass


@pytest.mark.parametrize(
    ("options", "setting", "code", "told"),
    [
        ("--no-web --no-worker", {}, 2, "leave nothing to run"),
        ("--port 70000", {}, 2, "less than or equal to 65535"),
        ("--port -1", {}, 2, "greater than or equal to 0"),
        ("", {"TOCSIN_MAIL_LISTEN": "25"}, 1, "TOCSIN_MAIL_LISTEN: '25' is no HOST:PORT"),
        (
            "",
            {"TOCSIN_TLS_CERT_FILE": "/absent.pem", "TOCSIN_TLS_KEY_FILE": "/absent.key"},
            1,
            "TOCSIN_TLS_CERT_FILE: /absent.pem cannot be read: No such file",
        ),
    ],
)
def test_what_cannot_be_served_is_told_before_anything_starts(
    tmp_path: Path, options: str, setting: dict[str, str], code: int, told: str
) -> None:
    home = tmp_path / "home"
    result = CliRunner().invoke(app, options.split(), env={"TOCSIN_HOME": str(home), **setting})
    assert result.exit_code == code
    assert told in " ".join(result.output.split())
    assert not home.exists()
