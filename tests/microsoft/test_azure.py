"""`tocsin azure` against a simulated tenant: plan, setup, check, teardown."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncGenerator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.microsoft.deployments import (
    GROUP,
    HINT,
    LOGIN_SECRET,
    OPERATOR,
    Desk,
    KilledError,
    open_desk,
)
from tests.microsoft.skies import TENANT
from tocsin.actions.configure import read
from tocsin.demo.cloud import Mishap

WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/law-night"
STEPS = 14
WRITES = [
    *[("PATCH", number) for number in range(2)],
    *[("POST", number) for number in range(2)],
    *[("PUT", number) for number in range(10)],
]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


def _everything(desk: Desk) -> dict[str, Any]:
    """What the tenant holds, for comparison."""
    directory = desk.cloud.identity.directory
    return deepcopy(
        {
            "applications": directory.applications,
            "principals": {
                key: value
                for key, value in directory.principals.items()
                if value.display_name != "tocsin-hint-tocsin"
            },
            "grants": directory.grants,
            "assignments": directory.assignments,
            "resources": desk.cloud.resources,
        }
    )


def _block(desk: Desk) -> dict[str, Any]:
    """The connector as setup printed it."""
    document: Any = read("\n".join(desk.said)).value
    found: dict[str, Any] = document["connectors"]["tocsin"]
    return found


def _made_once(desk: Desk) -> None:
    """One of everything, whatever happened on the way."""
    directory = desk.cloud.identity.directory
    ours = [a for a in directory.applications.values() if a.unique_name == "tocsin"]
    (application,) = ours
    principals = [p for p in directory.principals.values() if p.app_id == application.app_id]
    (principal,) = principals
    assert len(application.key_credentials) == 1
    assert len([g for g in directory.grants.values() if g.principal_id == principal.id]) == 1
    assert len([a for a in directory.assignments.values() if a.principal_id == principal.id]) == 2
    assert len(desk.cloud.resources) == 10


async def test_plan_shows_each_object_and_permission_with_its_reason_and_makes_nothing(
    desk: Desk,
) -> None:
    before = _everything(desk)
    assert await desk.run("plan") == 0
    shown = desk.printed()
    for what in (
        "application registration tocsin",
        "certificate (RSA, self-signed, 365 days)",
        "SecurityIncident.ReadWrite.All with admin consent",
        "Microsoft Sentinel Responder on the workspace law-night",
        "custom table SIGNL4_CL",
        "Monitoring Metrics Publisher on dcr-tocsin",
        "Logic App tocsin-hint-tocsin",
        "automation rule for incidents that are updated",
        "Privileged Role Administrator",
    ):
        assert what in shown
    assert shown.count("create: ") == shown.count("why: ") == STEPS
    assert (desk.writes(), _everything(desk), desk.store.exists()) == ([], before, False)


async def test_setup_makes_all_proves_it_and_a_second_run_changes_nothing(desk: Desk) -> None:
    assert await desk.run("setup") == 0
    _made_once(desk)
    assert desk.printed().count("proved: ") == 9
    assert stat.S_IMODE(desk.store.stat().st_mode) == 0o600
    block, before, written = _block(desk), _everything(desk), desk.writes()
    assert block["credential"] == {"certificate_file": str(desk.store)}
    assert block["workspace_id"] == desk.cloud.workspace_id
    certificate = desk.store.read_bytes()
    desk.cloud.requests.clear()
    assert await desk.run("setup", "--no-check") == 0
    assert "nothing to change" in desk.printed()
    assert (desk.writes(), _everything(desk), _block(desk)) == ([], before, block)
    assert desk.store.read_bytes() == certificate
    assert len(written) > STEPS
    assert await desk.run("plan") == 0
    assert desk.said[-1] == "nothing to change"


async def test_no_secret_is_printed_or_logged(
    desk: Desk, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    desk.cloud.faults.add("automationRules", "PUT", 400)
    assert await desk.run("setup", "--credential", "secret") == 1
    shown = desk.printed()
    assert await desk.run("setup", "--credential", "secret") == 0
    name, _, secret = desk.store.read_text().splitlines()[-1].partition("=")
    captured = capsys.readouterr()
    everything = f"{shown}{desk.printed()}{captured.out}{captured.err}{caplog.text}"
    for hidden in (secret, HINT, LOGIN_SECRET):
        assert hidden not in everything
    assert name == "TOCSIN_SENTINEL_SECRET"
    assert stat.S_IMODE(desk.store.stat().st_mode) == 0o600
    assert _block(desk)["credential"] == {"secret_env": name}
    assert HINT not in str(desk.cloud.resources)


@pytest.mark.parametrize("step", range(STEPS))
async def test_killed_before_any_step_it_is_run_again_and_complete(desk: Desk, step: int) -> None:
    before = _everything(desk)
    desk.kill_at = step
    with pytest.raises(KilledError):
        await desk.run("setup")
    desk.kill_at = None
    assert await desk.run("setup") == 0
    _made_once(desk)
    desk.kill_at = step
    with pytest.raises(KilledError):
        await desk.run("teardown", "--confirm")
    desk.kill_at = None
    assert await desk.run("teardown", "--confirm") == 0
    assert _everything(desk) == before
    assert not desk.store.exists()


@pytest.mark.parametrize("mishap", ["reset", "reset_after_apply"])
@pytest.mark.parametrize(("method", "number"), WRITES)
async def test_a_connection_that_breaks_at_any_write_leaves_nothing_twice(
    desk: Desk, method: str, number: int, mishap: Mishap
) -> None:
    pattern = r"^/(v1\.0|subscriptions)"
    fault = desk.cloud.faults.add(pattern, method, mishap, skip=number)
    if await desk.run("setup", "--no-check"):
        assert await desk.run("setup", "--no-check") == 0
    assert fault.left == 0
    _made_once(desk)
    assert await desk.run("plan") == 0
    assert desk.said[-1] == "nothing to change"


@pytest.mark.parametrize("mishap", ["reset", "reset_after_apply"])
async def test_a_secret_whose_answer_was_lost_is_replaced(desk: Desk, mishap: Mishap) -> None:
    desk.cloud.faults.add("addPassword", "POST", mishap)
    # Nobody knows whether it was made, so it is not asked for again in the same breath.
    assert await desk.run("setup", "--credential", "secret") == 1
    assert "run it again" in desk.printed()
    assert await desk.run("setup", "--credential", "secret") == 0
    directory = desk.cloud.identity.directory
    (application,) = [a for a in directory.applications.values() if a.unique_name == "tocsin"]
    (held,) = application.password_credentials
    assert desk.store.read_text().endswith(f"TOCSIN_SENTINEL_SECRET={held.secret_text}\n")


async def test_lag_of_directory_and_permissions_is_waited_out_with_progress(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path, lag=40, propagation=300) as desk:
        assert await desk.run("setup", "--hint-env", "") == 0
        waits = [line for line in desk.told if line.startswith("  waiting ")]
        assert any("application registration" in line for line in waits)
        assert any("until Microsoft lets Tocsin" in line for line in waits)


async def test_permissions_that_never_arrive_end_in_a_clear_answer(tmp_path: Path) -> None:
    async with open_desk(tmp_path, propagation=7200) as desk:
        assert await desk.run("setup", "--hint-env", "") == 1
        assert "missing: Microsoft Sentinel Responder on the workspace" in desk.told


async def test_throttling_is_obeyed(desk: Desk) -> None:
    desk.cloud.faults.add("appRoleAssignments", "POST", 429, retry_after=45)
    desk.cloud.faults.add("roleAssignments", "PUT", 503)
    assert await desk.run("setup") == 0
    assert timedelta(seconds=45) in desk.clock.slept
    _made_once(desk)


async def test_teardown_lists_first_and_leaves_what_others_made(desk: Desk) -> None:
    cloud, directory = desk.cloud, desk.cloud.identity.directory
    assert await desk.run("setup", "--name", "another", "--no-check") == 0
    other = directory.add_application("elsewhere", "somebody else's")
    directory.add_grant(
        directory.add_principal(other.app_id, "x").id, directory.graph.app_roles[0].id
    )
    before = _everything(desk)
    desk.store.rename(desk.folder / "another.pem")
    assert await desk.run("setup", "--no-check") == 0
    table = f"{WORKSPACE}/tables/SIGNL4_CL".lower()
    assert "another" in cloud.resources[table]["properties"]["schema"]["description"]
    during = _everything(desk)
    assert await desk.run("teardown") == 0
    assert "would remove: Logic App tocsin-hint-tocsin" in desk.said
    assert not any("SIGNL4_CL" in line for line in desk.said if line.startswith("would"))
    assert _everything(desk) == during
    assert await desk.run("teardown", "--confirm") == 0
    after = _everything(desk)
    for kept in ("applications", "grants", "assignments", "resources"):
        assert after[kept] == before[kept]
    assert await desk.run("teardown", "--confirm") == 0
    assert desk.said == ["nothing of this deployment is there"]


async def test_a_table_of_others_is_used_when_it_fits_and_refused_when_not(desk: Desk) -> None:
    assert await desk.run("setup", "--no-check") == 0
    schema = desk.cloud.resources[f"{WORKSPACE}/tables/SIGNL4_CL".lower()]["properties"]["schema"]
    schema["description"] = "somebody else's"
    assert await desk.run("plan") == 0
    assert "somebody else made it: it is used" in desk.printed()
    schema["columns"] = schema["columns"][:3]
    kept = deepcopy(schema)
    assert await desk.run("plan") == 1
    assert "IN THE WAY: custom table SIGNL4_CL" in desk.printed()
    assert await desk.run("setup") == 1
    assert "choose another name" in desk.told[-1]
    assert schema == kept


async def test_what_somebody_changed_is_put_right_and_what_they_added_stays(desk: Desk) -> None:
    assert await desk.run("setup", "--no-check") == 0
    directory = desk.cloud.identity.directory
    application = directory.named("tocsin")
    assert application is not None
    application.display_name = "renamed"
    application.tags.append("of an admin")
    assert await desk.run("plan") == 0
    assert "change: application registration tocsin (displayName differs)" in desk.said
    assert await desk.run("setup", "--no-check") == 0
    assert application.display_name == "tocsin"
    assert "of an admin" in application.tags


async def test_an_application_of_others_with_the_same_name_is_left_alone(desk: Desk) -> None:
    desk.cloud.identity.directory.add_application("tocsin", "somebody else's")
    before = _everything(desk)
    assert await desk.run("setup") == 1
    assert "choose another --name" in desk.told[-1]
    assert await desk.run("teardown", "--confirm") == 0
    assert _everything(desk) == before


@pytest.mark.parametrize(
    ("taken", "role", "proved"),
    [
        ("grant", "SecurityIncident.ReadWrite.All with admin consent", "write rows"),
        ("Responder", "Microsoft Sentinel Responder on the workspace", "write rows"),
        ("Publisher", "Monitoring Metrics Publisher on the data collection rule", "run searches"),
    ],
)
async def test_check_names_each_missing_permission_by_its_role(
    desk: Desk, taken: str, role: str, proved: str
) -> None:
    assert await desk.run("setup") == 0
    table = ["--table-endpoint", desk.server.base_url, "--table-rule"]
    table.append(next(line for line in desk.said if "rule dcr-" in line).split()[2].rstrip(","))
    desk.blocks["tocsin"] = {**_block(desk), "mode": "graph" if taken == "grant" else "sentinel"}
    assert await desk.check(*table) == 0
    directory = desk.cloud.identity.directory
    application = directory.named("tocsin")
    assert application is not None
    principal = directory.principal_of(application.app_id)
    assert principal is not None
    if taken == "grant":
        directory.grants = {
            k: g for k, g in directory.grants.items() if g.principal_id != principal.id
        }
    else:
        scope = "datacollectionrules" if taken == "Publisher" else "law-night/providers"
        gone = [
            key
            for key, held in directory.assignments.items()
            if held.principal_id == principal.id and scope in key
        ]
        for key in gone:
            del directory.assignments[key]
    desk.cloud.requests.clear()
    assert await desk.check(*table) == 1
    missing = [line for line in desk.told if line.startswith("missing: ")]
    assert missing
    assert all(role in line or "Sentinel Responder (or" in line for line in missing)
    assert any(line.startswith(f"proved: {proved}") for line in desk.told)
    assert desk.cloud.ingested == []
    assert desk.cloud.sentinel_incidents == {}


async def test_custom_roles_are_enough_for_what_they_are_for(desk: Desk) -> None:
    assert await desk.run("setup", "--role", "minimal") == 0
    assert "proved: write comments" in desk.told
    desk.store.rename(desk.folder / "first.pem")
    name = ("--name", "only-queries", "--mode", "graph", "--no-table", "--hint-env", "")
    assert await desk.run("setup", *name) == 0
    assert "proved: run searches in the workspace" in desk.told
    before = len(desk.cloud.resources)
    assert await desk.run("teardown", "--confirm", *name) == 0
    assert len(desk.cloud.resources) == before - 2


async def test_an_operator_without_rights_is_told_which_role_is_needed(desk: Desk) -> None:
    directory = desk.cloud.identity.directory
    operator = directory.principal_of(OPERATOR)
    assert operator is not None
    roles = {role.id: role.value for role in directory.graph.app_roles}
    directory.grants = {
        key: grant
        for key, grant in directory.grants.items()
        if roles[grant.app_role_id] != "AppRoleAssignment.ReadWrite.All"
    }
    assert await desk.run("setup") == 1
    assert "your account needs" in desk.told[-1]
    directory.assignments.clear()
    assert await desk.run("plan") == 1
    assert "Reader on the subscription" in desk.told[-1]


async def test_a_certificate_is_renewed_a_month_before_it_ends(desk: Desk) -> None:
    assert await desk.run("setup", "--no-check") == 0
    first = desk.store.read_bytes()
    desk.clock.move(timedelta(days=340))
    assert await desk.run("plan") == 0
    assert "it ends in 25 days" in desk.printed() or "it ends in 24 days" in desk.printed()
    assert await desk.run("setup") == 0
    assert desk.store.read_bytes() != first
    assert not desk.store.with_name("azure.pem.new").exists()


async def test_a_file_of_others_is_never_overwritten(desk: Desk) -> None:
    desk.store.write_text("the only copy of something")
    for kind in ("certificate", "secret"):
        assert await desk.run("setup", "--credential", kind) == 1
        assert "is not overwritten" in desk.told[-1]
    assert desk.store.read_text() == "the only copy of something"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--name", "No Name"), "--name"),
        (("--table", "Events"), "--table"),
        (("--unit", "alert"), "--unit alert needs --mode graph"),
        (("--role", "query-only"), "--role query-only goes with --mode graph"),
        (("--subscription-id", "five"), "--subscription-id"),
        (("--resource-group", ""), "--resource-group is missing"),
        (("--workspace-name", "absent"), "check --subscription-id, --resource-group"),
        (("--valid-days", "3"), "--valid-days"),
        (("--hint-env", "TOCSIN_AZURE_LOGIN_SECRET"), "holds no address"),
        (("--login-client-id", "me"), "--login-client-id"),
        (("--login-secret-env", "ABSENT_SECRET"), "ABSENT_SECRET is not set"),
    ],
)
async def test_what_cannot_be_is_named_with_its_option(
    desk: Desk, options: tuple[str, ...], word: str
) -> None:
    assert await desk.run("plan", *options) == 1
    assert word in desk.told[-1]
    assert desk.writes() == []


async def test_a_tenant_without_a_workspace_gets_only_the_application(desk: Desk) -> None:
    places = ("--subscription-id", "", "--resource-group", "", "--workspace-name", "")
    more = ("--mode", "graph", "--unit", "alert", "--hint-env", "")
    assert await desk.run("setup", *places, *more) == 0
    assert desk.cloud.resources == {}
    assert "proved: write alerts of Defender" in desk.told
    assert "workspace_name" not in _block(desk)


async def test_the_program_hands_its_context_to_the_command(desk: Desk) -> None:
    tocsin = Path(sys.executable).with_name("tocsin")
    process = await asyncio.create_subprocess_exec(
        *(str(tocsin), "azure", "plan", "--tenant-id", TENANT, "--mode", "graph"),
        *("--cloud", desk.cloud_option(), "--login", "client-secret"),
        *("--login-client-id", OPERATOR, "--store", str(desk.store)),
        env={
            "PATH": os.environ["PATH"],
            "TOCSIN_HOME": str(desk.folder),
            "TOCSIN_ALLOW_PRIVATE_TARGETS": "127.0.0.0/8,::1/128",
            "TOCSIN_AZURE_LOGIN_SECRET": LOGIN_SECRET,
            "LANG": "C.UTF-8",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert "create: application registration tocsin" in out.decode()
    assert "Traceback" not in err.decode()
