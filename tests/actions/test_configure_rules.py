"""Every rule of the configuration file: what is refused, with its place and line; what is noted."""

from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.actions.configured import PLUG_INS, SMALL, world_on
from tocsin.actions.configure import LATER, ConfigureError, RefusedError, apply, plan, read
from tocsin.actions.configure.check import Check, known_names
from tocsin.actions.configure.faults import with_lines
from tocsin.actions.configure.tree import check_tree


async def _faults(dsn: str, text: str) -> list[str]:
    async with world_on(dsn) as world:
        with pytest.raises(ConfigureError) as refused:
            await plan(world, read(text))
    return [str(fault) for fault in refused.value.faults]


def _changed(old: str, new: str) -> str:
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("version: 1", "version: 2", "line 1: version: this program reads version 1"),
        ("version: 1", "versoin: 1", "line 1: versoin: there is no such key here; did you mean"),
        ("name: Mara", "nmae: Mara", "users.mara.nmae: there is no such key here; did you mean"),
        ("name: Mara", "name: 7", "line 4: users.mara.name: give a text; '7' is none"),
        ("name: Mara", "role: boss", "users.mara.role: 'boss' is not one of viewer, user"),
        ("name: Mara", "time_zone: Mars", "users.mara.time_zone: 'Mars' is not a time zone"),
        ("name: Mara", "email: nobody", "users.mara.email: give an address"),
        ("  mara:\n    name", '  "a/b":\n    name', "users.a/b: a name has no slash"),
        ("channel: email", "channel: pigeon", "'pigeon' is not one of webhook, email"),
        ("address: mara@example.org", "address: mara", "the address is not like name@host"),
        ("https://phone.example/mara", "ftp://x", "the address is not like https://"),
        ("channel: email, address: mara@example.org", "channel: sms, address: 030123",
         "address: give a text; '30123' is none"),
        ("channel: email, address: mara@example.org", 'channel: sms, address: "030123"',
         "give a phone number in E.164"),
        ("{channel: email, address: mara@example.org}", "{channel: email}", "`address` is missing"),
        ("after: 2m", "after: 2 minutes", "'2 minutes' is not a duration"),
        ("after: 2m", "after: 120", "'120' is not written like 30s"),
        ("via: mail", "via: fax", "mara has no contact method 'fax'; known are mail, phone"),
        ("{after: 2m, via: mail}", "{after: 2m}", "`via` is missing"),
        ("repeat_every: 30s", "repeat_every: 0s", "give a duration from 1s"),
        ("[mara, {user: jonas", "[marra, {user: jonas",
         "teams.soc.members[0]: there is no user 'marra'; did you mean mara?"),
        ("role: team_admin", "role: admin", "'admin' is not one of viewer"),
        ("[mara, {user: jonas, role: team_admin}]", "[mara, mara]", "mara is a member already"),
        ("    time_zone: Europe/Berlin\n", "", "teams.soc: `time_zone` is missing"),
        ("tier: 1", "tier: 4", "'4' is not one of 1, 2, 3, manager"),
        ("participants: [mara, jonas]", "participants: [mara, [jonas, eve]]",
         "participants[1][1]: there is no user 'eve'"),
        ("participants: [mara, jonas]", "participants: []", "name at least one participant"),
        ("start: 2026-11-02T09:00", "start: 2026-11-31T09:00", "is not in the calendar"),
        ("start: 2026-11-02T09:00", "start: 2026-11-02T09:00Z", "keeps wall-clock time"),
        ("unit: week", "unit: fortnight", "'fortnight' is not one of hour, day"),
        ("unit: week", 'unit: week, restrictions: [{days: [mo], from: "9", to: "24:30"}]',
         "'mo' is not one of mon"),
        ("unit: week", 'unit: week, restrictions: [{from_day: mon, from: "09:00"}]',
         "`to_day` is missing"),
        ("to: 2026-12-25T09:00", "to: 2026-12-24T09:00", "it ends before it begins"),
        ("from: 2026-12-24", "from: 0001-12-24", "give a year from 1901 to 8899"),
        ("to: 2026-12-25", "to: 9999-12-25", "give a year from 1901 to 8899"),
        ("{user: jonas, from", "{from", "an override names `user`, `replaces` or both"),
        ("{user: jonas, from", "{user: jonas, replaces: mara, extra: true, from",
         "an extra person"),
        ("[{duty: 1}]", "[{duty: 9}]", "'9' is not one of 1, 2, 3, manager"),
        ("[{duty: 1}]", "[{duty: 1, user: mara}]", "a target is one of"),
        ("[{duty: 1}]", "[{team: noc}]", "there is no team 'noc'"),
        ("[{duty: 1}]", "[{policy: soc/none}]", "has no escalation policy 'none'"),
        ("[{duty: 1}]", "[]", "name at least one target"),
        ("wait: 5m}", "wait: 5m, if_nobody: wait}", "'wait' is not one of skip, continue, hold"),
        ("wait: 5m}", "wait: 5m, hold_for: 2m}", "it goes with `if_nobody: hold`"),
        ("[{duty: 1}]", "[{webhook: siem}]", "there is no webhook 'siem'"),
        ("[{duty: 1}]", "[{policy: soc/default}]", "soc/default leads back to soc/default"),
        ("[{duty: 1}], wait: 5m}", "[{user: mara}], wait: 5m, pick: next}", "with a duty target"),
        ("wait: 5m}", "wait: 5m, when: {severity: awful}}", "'awful' is not one of critical"),
        ("wait: 5m}", "wait: 5m, when: {from: noon}}", "'noon' is not a time of day"),
        ("      default:\n", "      night:\n", "needs an escalation policy named `default`"),
        ("suppress: true", "policy: none", "there is no escalation policy of soc 'none'"),
        ("suppress: true", "color: blue", "give a colour"),
        ("suppress: true", "mode: single, acknowledgements: 2", "it goes with mode multi"),
        ("inlet: signl4", "inlet: signl5", "'signl5' is not one of signl4"),
        ("plant-secret-0001", "short", "take one of at least 16 characters"),
        ("plant-secret-0001", '"with blanks and more"', "it stands in addresses"),
        ("secret: plant-secret-0001", "secret: {stored: plant}", "'soc/plant' is not stored here"),
        ("secret: plant-secret-0001", "secret: {secret_env: A_SECRET}", "give the text itself"),
    ],
)  # fmt: skip
def test_a_fault_is_refused_with_its_place(old: str, new: str, fault: str) -> None:
    document = read(_changed(old, new))
    check = Check(known_names(document.value), PLUG_INS)
    check_tree(document.value, check)
    found = [str(one) for one in with_lines(check.faults.found, document.lines)]
    assert any(fault in line for line in found), found
    assert all(line.startswith("line ") for line in found), found


async def test_all_faults_are_named_at_once_in_the_order_of_the_file(database: str) -> None:
    text = _changed("name: Mara", "role: boss").replace("duty: 1", "duty: 9")
    text = text.replace("plant-secret-0001", "short")
    found = await _faults(database, text)
    lines = [int(line.split(":")[0].removeprefix("line ")) for line in found]
    assert len(found) == 3
    assert lines == sorted(lines)


async def test_a_secret_of_two_senders_is_refused(database: str) -> None:
    text = SMALL + "      other: {inlet: signl4, secret: plant-secret-0001}\n"
    (fault,) = await _faults(database, text)
    assert fault.endswith("integration soc/other has the same secret; take another")
    assert "plant-secret-0001" not in fault


async def test_a_connector_is_checked_by_its_plug_in(database: str) -> None:
    connector = "    connectors:\n      s: {source: microsoft, tenant_id: a.example, nonsense: 1}\n"
    (fault,) = await _faults(database, SMALL + connector)
    assert fault.startswith("line 36: teams.soc.connectors.s.nonsense: nonsense is not a key")


async def test_channel_settings_are_checked_by_their_plug_in(database: str) -> None:
    (fault,) = await _faults(database, SMALL + "settings: {channels: {email: {port: 25}}}\n")
    assert fault.startswith("line 35: settings.channels.email: ")


async def test_references_to_secrets_have_names_that_say_so(database: str) -> None:
    settings = (
        "settings:\n  channels:\n    email: {host: h, from: a@b.example, username: u,"
        " password: {secret_env: PATH}}\n"
    )
    found = await _faults(database, SMALL + settings)
    assert any("ends in _SECRET, _PASSWORD or _TOKEN" in line for line in found)


async def test_a_bad_file_changes_nothing(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(ConfigureError):
            await apply(world, read(_changed("duty: 1", "duty: 9").replace("Mara", "Other")))
        assert not (await plan(world, read(SMALL))).changes


LATER_THINGS = """\
version: 1
users:
  mara:
    contact_methods:
      a: {channel: sms, address: "+4930123456"}
      b: {channel: webpush}
    notification_rules: {normal: [{via: a}]}
teams:
  soc:
    time_zone: Europe/Berlin
    members: [mara]
    holidays: {country: DE, days: [{date: 2026-12-24, name: Eve}], calendar: "https://x.example/c"}
    time_off: [{user: mara, from: 2026-11-01, to: 2026-11-05}]
    schedules:
      primary:
        combine: everybody
        rotations:
          - participants: [[mara]]
            start: 2026-11-02T09:00
            unit: month
            on_holidays: skip
            restrictions: [{from_day: fri, from: "17:00", to_day: mon, to: "24:00"}]
        temporary:
          - {from: 2026-12-01, to: 2026-12-02,
             shifts: [{user: mara, from: 2026-12-01, to: 2026-12-02}]}
        events: [{users: [mara], from: 2026-12-01T09:00Z, to: 2026-12-01T10:00Z, rrule: FREQ=DAILY}]
    escalation_policies:
      default:
        mode: multi
        acknowledgements: 2
        steps:
          - {notify: [{webhook: siem}, {user: mara}], wait: 1h30m}
    routing:
      - {match: {all: [{field: title, regex: "^a"}]}, severity: low, delay: 5m, links: ["https://x"]}
    integrations:
      alarms: {inlet: grafana, secret: grafana-secret-001, limits: {per_minute: 5}}
maintenance_windows:
  night: {team: soc, integration: alarms, from: 2026-12-01T00:00, to: 2026-12-01T04:00,
          reason: move}
webhooks:
  siem: {url: "https://siem.example/in", team: soc, events: [closed], format: cloudevents,
         signing_key: {secret_env: SIEM_SECRET}}
"""


UNTOLD = (
    "teams.soc: nobody is told when nobody answers: no team admin or admin has a contact method"
)


async def test_what_comes_later_is_stored_and_named_once_per_kind(database: str) -> None:
    async with world_on(database, {"SIEM_SECRET": "x"}) as world:
        report = await apply(world, read(LATER_THINGS))
        assert not (await plan(world, read(LATER_THINGS))).changes
    assert report.warnings == snapshot(
        (
            "channel sms: stored, works from a later version",
            "channel webpush: stored, works from a later version",
            "inlet grafana: stored, works from a later version",
            "integration limits: stored, works from a later version",
            "routing rules: stored, works from a later version",
            "webhook: events: stored, works from a later version",
            (
                "teams.soc: nobody is told when nobody answers:"
                " no team admin or admin has a contact method"
            ),
        )
    )


def test_the_list_of_what_comes_later_only_shrinks() -> None:
    assert (
        snapshot(
            (
                "channel apprise",
                "channel homeassistant",
                "channel mattermost",
                "channel ntfy",
                "channel pushover",
                "channel slack",
                "channel sms",
                "channel teams",
                "channel telegram",
                "channel voice",
                "channel webpush",
                "inlet alertmanager",
                "inlet azure-monitor",
                "inlet cloudevents",
                "inlet email",
                "inlet generic",
                "inlet grafana",
                "inlet opsgenie",
                "inlet pagerduty",
                "inlet sentinel",
                "inlet victorops",
                "integration limits",
                "routing rules",
                "webhook: events",
            )
        )
        == LATER
    )


async def test_the_example_is_accepted_whole(database: str, shared: Path) -> None:
    text = (shared / "examples/soc.yaml").read_text(encoding="utf-8")
    async with world_on(database, {"TOCSIN_SENTINEL_SECRET": "x"}) as world:
        local = replace(world, allow_private=("127.0.0.0/8",))  # as for whoever tries the example
        report = await apply(local, read(text))
        assert not report.refused
    assert report.warnings == snapshot(
        (
            "inlet alertmanager: stored, works from a later version",
            "inlet pagerduty: stored, works from a later version",
        )
    )


async def test_a_step_that_can_reach_nobody_is_noted(database: str) -> None:
    text = _changed("{notify: [{duty: 1}], wait: 5m}", "{notify: [{duty: manager}], wait: 5m}")
    async with world_on(database) as world:
        report = await plan(world, read(text))
    step = "teams.soc.escalation_policies.default.steps[0]"
    assert report.warnings == (f"{step}: its targets mean nobody; the next step starts at once",)


async def test_a_member_without_contact_method_is_noted(database: str) -> None:
    text = SMALL.replace(
        "  jonas:\n    contact_methods:", "  jonas:\n    name: J\n  eve:\n    contact_methods:"
    )
    async with world_on(database) as world:
        report = await plan(world, read(text))
    why = "users.jonas: has no contact method, so no page reaches them"
    assert report.warnings == (why, UNTOLD)  # jonas is the team's admin


async def test_a_missing_environment_variable_is_only_noted(database: str) -> None:
    text = _changed(
        'address: "https://phone.example/jonas"',
        'address: "https://phone.example/jonas", signing_key: {secret_env: JONAS_SECRET}',
    )
    async with world_on(database) as world:
        report = await apply(world, read(text))
    assert [line.split(":")[0] for line in report.warnings] == [
        "users.jonas.contact_methods.phone.signing_key"
    ]


async def test_a_refusal_is_a_refusal_and_no_fault_of_the_file(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        with pytest.raises(RefusedError):
            await apply(world, read("version: 1\nteams: {noc: {time_zone: UTC}}\n"))
