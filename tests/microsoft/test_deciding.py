"""What is wanted held against what is there, without a call."""

import pytest

from tocsin.microsoft.deploy.deciding import Verb, decide, difference, learned, merged
from tocsin.microsoft.deploy.model import Kind, Known, Wanted
from tocsin.microsoft.fields import Record

MARK = "made by tocsin azure: tocsin"
RULE = Wanted(
    kind=Kind.RESOURCE,
    title="a rule",
    why="for the test",
    needs="nothing",
    path="/subscriptions/1/rule",
    body={"kind": "Direct", "tags": {"made-by": MARK}},
    mark=("tags", "made-by"),
    learns={"rule_id": ("properties", "immutableId")},
)


@pytest.mark.parametrize(
    ("found", "verb"),
    [
        (None, Verb.CREATE),
        ({"kind": "direct", "tags": {"made-by": MARK}, "etag": "1"}, Verb.KEEP),
        ({"kind": "Linux", "tags": {"made-by": MARK}}, Verb.CHANGE),
        ({"kind": "Direct"}, Verb.USE),
        ({"kind": "Direct", "tags": {"made-by": f"{MARK}-two"}}, Verb.USE),
        ({"kind": "Linux", "tags": {"made-by": "somebody"}}, Verb.REFUSE),
    ],
)
def test_what_is_there_decides_the_step(found: Record | None, verb: Verb) -> None:
    assert decide(RULE, MARK, found).verb is verb


def test_an_application_of_others_is_never_used() -> None:
    wanted = Wanted(kind=Kind.APPLICATION, title="a", why="w", needs="n", mark=("tags",))
    assert decide(wanted, MARK, {"tags": ["theirs"]}).verb is Verb.REFUSE
    assert decide(wanted, MARK, {"tags": ["theirs", MARK]}).verb is Verb.KEEP


def test_a_difference_names_its_place_and_what_is_there_besides_does_not_count() -> None:
    ours = {"a": {"b": [{"name": "x", "type": "int"}], "c": True}}
    assert (
        difference(ours, {"A": {"B": [{"name": "y"}, {"type": "INT", "name": "X"}], "c": True}})
        == ""
    )
    assert difference(ours, {"a": {"b": [{"name": "x"}], "c": True}}) == "a.b differs"
    assert difference(ours, {"a": {"b": [{"name": "x", "type": "int"}]}}) == "a.c differs"
    assert difference(ours, None) == "a.b differs"


def test_a_changed_application_keeps_what_an_admin_added() -> None:
    def access(app: str, *ids: str) -> dict[str, object]:
        return {"resourceAppId": app, "resourceAccess": [{"id": each} for each in ids]}

    ours = {"tags": [MARK], "requiredResourceAccess": [access("graph", "1")]}
    theirs = {"tags": ["x"], "requiredResourceAccess": [access("graph", "2"), access("other", "3")]}
    assert merged(ours, theirs) == {
        "tags": [MARK, "x"],
        "requiredResourceAccess": [access("graph", "1", "2"), access("other", "3")],
    }


def test_ids_are_learned_from_what_is_found() -> None:
    assert learned(Known(), RULE, {"properties": {"immutableId": "dcr-1"}}).rule_id == "dcr-1"
