"""The simulated cloud's answers have the properties and types of Microsoft's samples."""

import json
import uuid
from pathlib import Path
from typing import Any, cast

from tests.demo.clouds import ARM, GRAPH, open_sky

# The documentation's old names for the parts of a comment; the metadata has the new ones.
OLD_NAMES = {"createdBy", "createdTime"}
# Inside property bags: what this account or that product has and others lack.
OF_ONE_KIND = {"ntDomain", "AlertMessageEnqueueTime"}


def _sample(shared: Path, name: str) -> Any:  # noqa: ANN401 - JSON as published
    path = shared / "reference/data/microsoft" / name
    return json.loads(path.read_text(encoding="utf-8"))


def _absent(sample: object, answer: object, at: str = "") -> list[str]:
    """Where the answer lacks a property of the sample or has another type; null fits all."""
    if sample is None or answer is None:
        return []
    if type(sample) is not type(answer):
        return [f"{at} has another type"]
    if not isinstance(sample, dict):
        return []
    known = cast("dict[str, object]", answer)
    faults: list[str] = []
    for key, value in cast("dict[str, object]", sample).items():
        if key not in OLD_NAMES | OF_ONE_KIND:
            inner = f"{at}/{key}"
            faults += _absent(value, known[key], inner) if key in known else [inner]
    return faults


async def test_graph_answers_have_every_property_of_the_published_samples(
    tmp_path: Path, shared: Path
) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(GRAPH)
        incident = sky.cloud.add_graph_incident(title="I")
        alert = (await sky.client.get("/v1.0/security/alerts_v2")).json()["value"][0]
        assert (
            _absent(_sample(shared, "graph/list-alerts_v2.response.json")["value"][0], alert) == []
        )
        listed = (await sky.client.get("/v1.0/security/incidents?$expand=alerts")).json()["value"]
        published = _sample(shared, "graph/list-incidents.response.json")
        assert _absent(published["_expand_alerts_variant"], listed[0]) == []
        path = f"/v1.0/security/incidents/{incident.id}/comments"
        comments = (await sky.client.post(path, json={"comment": "c"})).json()
        body = _sample(shared, "graph/post-alert-comment.json")["response"]["body"]
        assert _absent(body, comments) == []
        assert _absent(body["value"][0], comments["value"][0]) == []


async def test_sentinel_answers_have_every_property_of_the_published_samples(
    tmp_path: Path, shared: Path
) -> None:
    async with open_sky(tmp_path) as sky:
        await sky.sign_in(ARM)
        published = _sample(shared, "sentinel/examples/CreateIncident.json")
        put = await sky.arm("PUT", f"/{uuid.uuid4()}", published["parameters"]["incident"])
        assert put.status_code == 201
        assert _absent(published["responses"]["201"]["body"], put.json()) == []

        incident = sky.cloud.add_sentinel_incident(title="I")
        published = _sample(shared, "sentinel/examples/CreateIncidentComment.json")
        body = published["parameters"]["incidentComment"]
        comment = await sky.arm("PUT", f"/{incident.id}/comments/{uuid.uuid4()}", body)
        assert _absent(published["responses"]["201"]["body"], comment.json()) == []

        for what, part in (("Alerts", "value"), ("Entities", "entities")):
            published = _sample(shared, f"sentinel/examples/GetAllIncident{what}.json")
            answer = (await sky.arm("POST", f"/{incident.id}/{what.lower()}")).json()
            expected = published["responses"]["200"]["body"][part][0]
            assert _absent(expected, answer[part][0]) == []
