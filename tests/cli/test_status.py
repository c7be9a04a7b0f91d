"""How resources are said to stand."""

import pytest
from rich.console import Console

from cli.standing import sorted_standings, standing
from cli.standings import print_standings, table
from resources.phases import Phase
from tests.builders import mesh, stored, virtual_node, virtual_service


def seen(manifest, reason="Active", status="True", observed=1, **metadata):
    """A resource as the cluster has it, with its main condition."""
    found = stored(manifest)
    found["metadata"] |= {"generation": 1} | metadata
    conditions = [
        {"type": f"{manifest['kind']}Active", "status": status, "reason": reason, "message": "as asked"},
        {"type": "DNSResolvable", "status": "False", "reason": "HostNotFound", "message": "nobody knows it"},
    ]
    return found | {"status": {"conditions": conditions, "observedGeneration": observed}}


@pytest.mark.parametrize(
    ("resource", "phase"),
    [
        pytest.param(seen(virtual_node()), Phase.ACTIVE, id="active"),
        pytest.param(seen(virtual_node(), "WaitingForMesh", "False"), Phase.WAITING, id="waits"),
        pytest.param(seen(virtual_node(), "BadRequest", "False"), Phase.FAILING, id="fails"),
        pytest.param(seen(virtual_node(), generation=2), Phase.PENDING, id="an edit not seen yet"),
        pytest.param(stored(virtual_node()), Phase.PENDING, id="nothing said yet"),
        pytest.param(seen(virtual_node(), deletionTimestamp="2026-01-01T00:00:00Z"), Phase.DELETING, id="goes"),
    ],
)
def test_a_resource_has_one_word_for_how_it_stands(resource, phase):
    """From its main condition, its generation and its deletion."""
    assert standing(resource).phase is phase


def test_a_condition_that_is_only_a_warning_is_told():
    """It does not make the resource less active."""
    found = standing(seen(virtual_node()))
    assert found.settled
    assert found.warnings == ("DNSResolvable (HostNotFound): nobody knows it",)


def test_whose_pods_a_node_keeps_out_is_told():
    """Where the condition is True, it is the message that warns."""
    resource = seen(virtual_node())
    fine = {"type": "CloudMapServiceReady", "status": "True", "reason": "CloudMapServiceFound", "message": ""}
    resource["status"]["conditions"] = [*resource["status"]["conditions"][:1], fine]
    assert standing(resource).warnings == ()
    fine["message"] = "Not registered are pods of other namespaces (mallory)"
    assert standing(resource).warnings == (f"CloudMapServiceReady (CloudMapServiceFound): {fine['message']}",)


def test_meshes_come_first_then_nodes_then_services():
    """Each by namespace and name."""
    given = [virtual_service("b"), virtual_node("z"), virtual_node("a"), virtual_service("a", "aaa"), mesh("m")]
    found = [(each.kind, each.name) for each in sorted_standings(map(stored, given))]
    assert found == [
        ("Mesh", "m"),
        ("VirtualNode", "a"),
        ("VirtualNode", "z"),
        ("VirtualService", "a"),
        ("VirtualService", "b"),
    ]


def test_the_table_says_what_a_resource_waits_for():
    """In the last column; for an active one its warnings."""
    console = Console(width=200)
    given = [seen(virtual_node("a")), seen(virtual_service("s"), "WaitingForVirtualNodes", "False")]
    with console.capture() as captured:
        console.print(table(sorted_standings(given)))
    heading, node, service = (line.rstrip().split(maxsplit=4) for line in captured.get().splitlines())
    assert heading == ["RESOURCE", "MESH", "PHASE", "REASON", "MESSAGE"]
    assert node[:3] == ["virtualnode/prod/a", "shop", "Active"]
    assert "nobody knows it" in " ".join(node)
    assert service == ["virtualservice/prod/s", "shop", "Waiting", "WaitingForVirtualNodes", "as asked"]


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_programs_get_everything(form, capsys):
    """The same in both forms."""
    import yaml

    print_standings(sorted_standings([seen(virtual_node("a"), "BadRequest", "False")]), form)
    [told] = yaml.safe_load(capsys.readouterr().out)
    assert told["phase"] == "Failing"
    assert told["reason"] == "BadRequest"
    assert told["generation"] == told["observed_generation"] == 1
