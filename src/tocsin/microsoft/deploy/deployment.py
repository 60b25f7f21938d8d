"""A deployment walks through its objects: shown, made, removed."""

from collections.abc import Callable
from dataclasses import replace

from tocsin.microsoft.deploy.azure import Ask, Azure, exists_already, identifier
from tocsin.microsoft.deploy.credential import (
    decide_credential,
    is_stored,
    remove_credential,
    settle_credential,
)
from tocsin.microsoft.deploy.deciding import Step, Verb, at, decide, is_own, learned, merged
from tocsin.microsoft.deploy.model import Kind, Known, Wanted
from tocsin.microsoft.deploy.wanted import (
    GRAPH_APP_ID,
    INSIGHTS_APP_ID,
    permissions,
    wanted,
)
from tocsin.microsoft.deploy.wish import Wish
from tocsin.microsoft.faults import CallError, misconfigured
from tocsin.microsoft.fields import Record, record, records, text
from tocsin.ports import Clock

_READ = "Reader on the subscription and the right to read applications in Entra"
_SELECT = (
    "$select=id,appId,displayName,uniqueName,signInAudience,tags,requiredResourceAccess,"
    "keyCredentials,passwordCredentials"
)


class RefusedError(Exception):
    """Something of somebody else stands in the way; the message says what to do."""


class Deployment:
    """Every object is read right before it is decided about, so that each run begins anew.

    Methods raise `CallError`, `RefusedError`, `StoreError`; what is done by then stays done, and
    the next run goes on from there. `hint_url` is the address for the push hint.
    """

    def __init__(
        self, wish: Wish, azure: Azure, clock: Clock, tell: Callable[[str], None], hint_url: str
    ) -> None:
        self._wish = wish
        self._azure = azure
        self._clock = clock
        self._tell = tell
        self._hint_url = hint_url
        self._application: Record | None = None
        self.known = Known()

    async def plan(self) -> list[Step]:
        """What `setup` would do, without doing it."""
        await self._look_around()
        return [await self._step(number) for number in range(self._count())]

    async def setup(self) -> list[Step]:
        """Makes what is missing, changes what differs; answers what was done."""
        await self._look_around()
        done: list[Step] = []
        for number in range(self._count()):
            step = await self._step(number)
            if step.verb is Verb.REFUSE:
                raise RefusedError(f"{step.wanted.title}: {step.note}")
            if step.verb in {Verb.CREATE, Verb.CHANGE}:
                self._tell(f"{number + 1}/{self._count()} {step.verb}: {step.wanted.title}")
                await self._make(step)
            done.append(step)
        return done

    async def own(self) -> list[Step]:
        """What this deployment made and is still there, in the order in which it is removed."""
        await self._look_around()
        steps = [await self._step(number) for number in range(self._count())]
        return [step for step in reversed(steps) if self._is_own(step)]

    async def remove(self, steps: list[Step]) -> None:
        """Removes these, the last made first."""
        for number, step in enumerate(steps, 1):
            self._tell(f"{number}/{len(steps)} remove: {step.wanted.title}")
            if step.wanted.kind is Kind.CREDENTIAL:
                remove_credential(self._wish, self._application or {})
            else:
                await self._delete(step)

    def _count(self) -> int:
        return len(wanted(self._wish, self.known))

    def _is_own(self, step: Step) -> bool:
        if step.wanted.kind is Kind.CREDENTIAL:
            return self._application is not None and is_stored(self._wish, self._application)
        if step.found is None:
            return False
        # A grant has no room for a mark; it belongs to the principal, and that is ours or not.
        return step.wanted.kind is Kind.GRANT or is_own(step.wanted, self._wish.mark, step.found)

    async def _look_around(self) -> None:
        """What must be there before, and is never touched."""
        wish = self._wish
        graph = await self._principal(GRAPH_APP_ID)
        if graph is None:
            raise misconfigured("find Microsoft Graph in the tenant", "check --tenant-id, --cloud")
        roles = {text(role, "value"): text(role, "id") for role in records(graph.get("appRoles"))}
        if missing := [name for name in permissions(wish) if name not in roles]:
            raise misconfigured(
                f"find the permission {missing[0]}", "this cloud does not offer it: --mode sentinel"
            )
        self.known = replace(self.known, graph_id=identifier(graph), app_roles=roles)
        if wish.workspace:
            await self._look_at_workspace()
        if wish.hint_seal:
            insights = await self._principal(INSIGHTS_APP_ID)
            if insights is None:
                raise misconfigured(
                    "find Sentinel's own service principal (Azure Security Insights)",
                    "Sentinel is not in use in this tenant: leave the hint out",
                )
            self.known = replace(self.known, insights_id=identifier(insights))

    async def _look_at_workspace(self) -> None:
        ask = _reading(self._wish.workspace, "2025-07-01", "read the workspace")
        found = await self._azure.find(ask)
        if found is None:
            raise misconfigured(
                f"find the workspace {self._wish.workspace_name}",
                "check --subscription-id, --resource-group, --workspace-name",
            )
        self.known = replace(
            self.known,
            location=text(found, "location"),
            workspace_guid=text(record(found.get("properties")), "customerId"),
        )

    async def _principal(self, app_id: str) -> Record | None:
        path = f"/v1.0/servicePrincipals(appId='{app_id}')"
        return await self._azure.find(_reading(path, "", "read a service principal"))

    async def _step(self, number: int) -> Step:
        """What is to be done about one object; what it tells is known afterwards."""
        wish = wanted(self._wish, self.known)[number]
        if wish.kind is Kind.CREDENTIAL:
            return decide_credential(wish, self._wish, self._application, self._clock.now())
        found = await self._find(wish)
        step = decide(wish, self._wish.mark, found)
        # What was given to somebody else's application is none of our business.
        if found is not None and step.verb is not Verb.REFUSE:
            self._learn(wish, found)
        return step

    async def _find(self, wish: Wanted) -> Record | None:
        if not wish.path:
            return None
        found = await self._azure.find(_read(wish))
        if wish.kind is not Kind.GRANT:
            return found
        held = records((found or {}).get("value"))
        return next((grant for grant in held if _same_grant(grant, wish)), None)

    def _learn(self, wish: Wanted, found: Record) -> None:
        if wish.kind is Kind.APPLICATION:
            self._application = found
        self.known = learned(self.known, wish, found)

    async def _make(self, step: Step) -> None:
        wish = step.wanted
        if wish.kind is Kind.CREDENTIAL:
            application, now = self._application or {}, self._clock.now()
            await settle_credential(self._wish, self.known, application, self._azure, now)
            return
        try:
            await self._azure.send(self._making(step))
        except CallError as error:
            if not exists_already(error):
                raise
            self._tell("  it is there already, under another name or since just now")
            if wish.kind is Kind.RESOURCE:
                return
        if wish.kind is not Kind.GRANT:
            self._learn(wish, await self._azure.settled(_read(wish)))

    def _making(self, step: Step) -> Ask:
        wish, body = step.wanted, step.wanted.body
        method, path, headers = "PUT", wish.path, dict[str, str]()
        if wish.kind is Kind.APPLICATION:
            method, headers = "PATCH", {"Prefer": "create-if-missing"}
            body = merged(body, step.found or {})
        elif wish.kind is Kind.PRINCIPAL:
            method, path = "POST", "/v1.0/servicePrincipals"
        elif wish.kind is Kind.GRANT:
            method = "POST"
        elif "/Microsoft.Logic/workflows/" in wish.path:
            body = _with_address(body, self._hint_url)
        return Ask(
            method=method,
            path=path,
            doing=f"{step.verb} the {wish.title}",
            needs=wish.needs,
            version=wish.version,
            body=body,
            headers=headers,
        )

    async def _delete(self, step: Step) -> None:
        wish, path = step.wanted, step.wanted.path
        match wish.kind:
            case Kind.APPLICATION:
                path = f"/v1.0/applications/{identifier(step.found or {})}"
            case Kind.PRINCIPAL:
                path = f"/v1.0/servicePrincipals/{identifier(step.found or {})}"
            case Kind.GRANT:
                path = f"{path}/{identifier(step.found or {})}"
            case Kind.RESOURCE | Kind.CREDENTIAL:
                pass
        try:
            await self._azure.send(
                Ask(
                    method="DELETE",
                    path=path,
                    doing=f"remove the {wish.title}",
                    needs=wish.needs,
                    version=wish.version,
                )
            )
        except CallError as error:
            if error.status != 404:
                raise


def _read(wish: Wanted) -> Ask:
    query = f"?{_SELECT}" if wish.kind is Kind.APPLICATION else ""
    return _reading(f"{wish.path}{query}", wish.version, f"read the {wish.title}")


def _reading(path: str, version: str, doing: str) -> Ask:
    return Ask(method="GET", path=path, doing=doing, needs=_READ, version=version)


def _same_grant(grant: Record, wish: Wanted) -> bool:
    return all(text(grant, name) == at(wish.body, (name,)) for name in ("appRoleId", "resourceId"))


def _with_address(body: Record, url: str) -> Record:
    """The address joins only what is sent: it is a secret."""
    properties = record(body.get("properties"))
    parameters = {**record(properties.get("parameters")), "hintUrl": {"value": url}}
    return {**body, "properties": {**properties, "parameters": parameters}}
