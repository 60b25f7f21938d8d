"""What the doctor looks at beyond the database: key, addresses, settings."""

from dataclasses import replace

import pytest

from tests.actions.configured import SMALL, execute, world_on
from tocsin.actions.configure import apply, read
from tocsin.actions.examine import Finding, Grade, Setting, examine
from tocsin.actions.targets import out_of_reach
from tocsin.cli.doctor import line
from tocsin.egress import Guard

SETTING = Setting(key_file="/var/lib/tocsin/secret.key", public_url=True)


def _named(findings: list[Finding], what: str) -> list[Finding]:
    return [finding for finding in findings if finding.what == what]


async def test_the_key_and_the_assets_have_a_line(database: str) -> None:
    async with world_on(database) as world:
        found = await examine(world, SETTING)
    (key,) = _named(found, "key")
    assert key.grade is Grade.OK
    assert "/var/lib/tocsin/secret.key is the one that this database belongs to" in line(key)
    (assets,) = _named(found, "front-end assets")
    assert (assets.grade, "later version" in assets.detail) == (Grade.OK, True)


async def test_no_public_url_is_told_with_what_serve_uses_instead(database: str) -> None:
    async with world_on(database) as world:
        found = await examine(world, replace(SETTING, public_url=False))
    (url,) = _named(found, "public URL")
    assert url.grade is Grade.WARNING
    assert "uses the address that it listens on, with --no-web http://localhost" in url.detail
    assert "set TOCSIN_PUBLIC_URL" in url.hint


async def test_settings_that_do_not_work_have_a_line(database: str) -> None:
    setting = replace(SETTING, mail_listen=True, tls_fault="the key is not that of the certificate")
    async with world_on(database) as world:
        found = await examine(world, setting)
    assert [finding.grade for finding in _named(found, "TLS")] == [Grade.FAULT]
    assert [finding.grade for finding in _named(found, "incoming mail")] == [Grade.WARNING]


async def test_addresses_that_pages_cannot_reach_are_a_fault(database: str) -> None:
    text = SMALL.replace("https://phone.example/mara", "http://127.0.0.1:9/mara")
    async with world_on(database) as world:
        await apply(world, read(text))
        found = await examine(world, SETTING)
        allowed = await examine(replace(world, allow_private=("127.0.0.0/8",)), SETTING)
        await execute(world, "UPDATE contact_method SET disabled = 'lost' WHERE name = 'phone'")
        unused = await examine(world, SETTING)
    fault = _named(found, "channel webhook")[-1]
    assert fault.grade is Grade.FAULT
    assert fault.detail.endswith("not public: mara/phone (127.0.0.1)")
    assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in fault.hint
    for findings in (allowed, unused):
        assert [one.grade for one in _named(findings, "channel webhook")] == [Grade.OK]


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://127.0.0.1:9/x", "127.0.0.1"),
        ("http://127.1/x", "127.1"),
        ("http://2130706433/x", "2130706433"),
        ("http://[::1]:8080/", "::1"),
        ("http://[::ffff:10.0.0.1]/", "::ffff:10.0.0.1"),
        ("https://192.168.1.7/x", "192.168.1.7"),
        ("http://169.254.169.254/", "169.254.169.254"),
        ("http://localhost:9000/", "localhost"),
        ("http://phone.localhost/", "phone.localhost"),
        ("https://8.8.8.8/x", None),
        ("https://phone.example/x", None),
        ("http://10.1.2.3/allowed", None),
        ("mara@localhost", None),
        ("http://[::1", None),
        ("+4930123456", None),
    ],
)
def test_only_what_needs_no_look_up_is_judged(address: str, host: str | None) -> None:
    assert out_of_reach(address, Guard.of(("10.0.0.0/8",) if "allowed" in address else ())) == host
