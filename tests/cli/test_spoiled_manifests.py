"""Manifests that are none: found fault with, or refused with their file, by whatever reads them; never a traceback."""

from typing import Any

import pytest
import typer
import yaml
from hypothesis import given
from typer.testing import CliRunner

from cli import graphs
from cli.forecast import concerned, with_manifest
from cli.main import app
from cli.manifests import Manifest, UnreadableManifest, parse
from cli.plan import _applied, _unfit
from cli.structured import as_yaml
from cli.svg import svg
from cli.validation import Severity, as_stored, findings, is_ours, is_sound
from resources.kinds import API_VERSION, Kind
from tests.builders import mesh, virtual_node
from tests.cli.documents import YAML_KEYS, anything, spoiled
from tests.cli.test_validate import MESH, NODE, said
from tests.resources import strategies
from watcher.index import Index

RESOURCES = strategies.meshes() | strategies.virtual_nodes() | strategies.virtual_services()
MESSY = "[" * 60 + "{a: " * 60 + "}" * 60 + "]" * 60


def read(document: Any) -> list[Manifest]:
    """What is read of a document; nothing where it is refused."""
    try:
        return list(parse("f.yaml", as_yaml(document)))
    except UnreadableManifest:
        return []


@given(spoiled(RESOURCES, anything(YAML_KEYS)))
def test_whatever_is_in_a_manifest_it_is_judged(document):
    """What is said has a line in the file; what nothing is said of can be drawn, and planned with."""
    manifests = read(document)
    found = findings(manifests)
    assert all(str(each).startswith("f.yaml:") and each.line > 0 for each in found)
    ours = [each for each in manifests if is_ours(each)]
    drawn = graphs.graph([as_stored(each) for each in ours if is_sound(each)])
    assert all(form(drawn) for form in (graphs.mermaid, graphs.dot, svg))
    index = Index()
    for each in ours:
        if _unfit(each) is None:
            name = with_manifest(index, Kind(each.kind), as_stored(each))
            assert name is not None
            assert name in concerned(index, [name])
        else:
            assert any(one.severity is Severity.ERROR for one in found)


@given(anything(YAML_KEYS))
def test_whatever_is_in_a_file_it_is_read_or_refused(document):
    """And has nothing said of it, as it is not ours."""
    assert findings(read(document)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("name: cart", "name: 5", "metadata.name: must be a string, got 5", id="a number"),
        pytest.param("name: cart", "name: null", "metadata.name: is required", id="null"),
        pytest.param("name: cart", "name: ''", "metadata.name: is required", id="empty"),
        pytest.param("namespace: prod", "namespace: 7", "metadata.namespace: must be a string, got 7", id="namespace"),
        pytest.param(
            "namespace: prod",
            "annotations: {meshwright.dev/drift: 5}",
            "metadata.annotations[meshwright.dev/drift]: must be a string, got 5",
            id="an annotation",
        ),
        pytest.param(
            "namespace: prod",
            "annotations: foo",
            "metadata.annotations: must be an object, got 'foo'",
            id="annotations",
        ),
        pytest.param(
            "namespace: prod", "labels: {a: }", "metadata.labels[a]: must be a string, got null", id="a label"
        ),
        pytest.param("namespace: prod", "labels: [a]", "metadata.labels: must be an object, got a list", id="labels"),
        pytest.param(
            "namespace: prod", "finalizers: 5", "metadata.finalizers: must be a list of strings", id="finalizers"
        ),
        pytest.param(
            "meshName: shop", "meshName: .nan", "spec.meshName: is no number that JSON has", id="not a number"
        ),
        pytest.param("meshName: shop", "1: shop", "spec.1: unknown field", id="a number for a name"),
        pytest.param(
            "meshName: shop", "null: shop", "spec.null: the name of a field must be a string", id="null for a name"
        ),
    ],
)
def test_an_envelope_that_is_none_is_told_with_its_line(old, new, expected):
    """And what is wrong elsewhere in the files is told as well."""
    other = NODE.replace("port: 8080", "port: 0").replace("name: cart", "name: till")
    found = said(f"{MESH}---\n{NODE.replace(old, new)}---\n{other}")
    line = next(number for number, each in enumerate(f"{MESH}---\n{NODE}".splitlines(), 1) if old in each)
    [wrong] = [each for each in found if expected in each]
    assert wrong.startswith(f"f.yaml:{line}: error: VirtualNode ")
    assert any("VirtualNode prod/till: spec.listeners[0].portMapping.port" in each for each in found)


@pytest.mark.parametrize(
    ("metadata", "spec", "expected"),
    [
        pytest.param(None, {}, "metadata: is required", id="no metadata"),
        pytest.param("foo", {}, "metadata: must be an object, got 'foo'", id="a word"),
        pytest.param({"name": "a"}, [], "spec: must be an object, got a list", id="a list for a spec"),
        pytest.param({"name": "a"}, "foo", "spec: must be an object, got 'foo'", id="a word for a spec"),
    ],
)
def test_what_should_be_an_object_and_is_none_is_told(metadata, spec, expected):
    """By all that read files; a drawing leaves it out."""
    manifest = {"apiVersion": API_VERSION, "kind": "VirtualNode", "metadata": metadata, "spec": spec}
    text = yaml.safe_dump(manifest if metadata is not None else {**manifest, "metadata": None})
    [wrong] = said(text)
    assert wrong.endswith(expected)
    done = CliRunner().invoke(app, ["graph", "-f", "-"], input=text + "---\n" + yaml.safe_dump(virtual_node()))
    assert done.exit_code == 0
    assert "cart" in done.stdout


def test_dates_are_strings_as_they_are_to_kubectl():
    """And numbers and truths name fields, as strings."""
    dated = NODE.replace("namespace: prod", "namespace: prod\n  annotations: {built: 2020-01-01, 5: a, true: b}")
    assert said(f"{MESH}---\n{dated}") == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("a: " + "[" * 5000 + "]" * 5000, "nested too deep", id="beyond the parser"),
        pytest.param("a: " + MESSY, "nested deeper than", id="beyond measure"),
        pytest.param("a: &a [*a]", "nested deeper than", id="in itself"),
        pytest.param(
            "\n".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}' if n else 'x'] * 9)}]" for n in range(9)),
            "more than",
            id="aliases of aliases",
        ),
        pytest.param("b: 1\na: !!bool 5", "'5' is no bool", id="no truth"),
        pytest.param("a: !!int 12:30", "'12:30' is no int", id="no number"),
        pytest.param("a: !!binary '%'", "no base64", id="no base64"),
        pytest.param('a: "\\ud800"', "half a character", id="a surrogate"),
    ],
)
def test_what_is_beyond_measure_is_refused(text, says):
    """Before anything walks through it."""
    with pytest.raises(UnreadableManifest, match=rf"^f\.yaml:.*{says}"):
        list(parse("f.yaml", text))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"metadata": {"name": 5}}, "metadata.name: must be a string, got 5", id="envelope"),
        pytest.param({"spec": {"meshName": {}}}, "spec.meshName: must be a string", id="an object for a string"),
        pytest.param({"spec": {"backends": 5}}, "spec.backends: must be a list", id="a number for a list"),
        pytest.param({"spec": {"listeners": [None]}}, "spec.listeners[0]: must be an object", id="null in a list"),
        pytest.param({"apiVersion": "appmesh.k8s.aws/v1"}, "kind: no appmesh.k8s.aws/v1beta1", id="version"),
    ],
)
def test_a_plan_refuses_what_validate_would_find_fault_with(change, says, tmp_path, capsys):
    """What the API server would not look at a second time, with its line and exit code 2, before App Mesh is asked."""
    file = tmp_path / "f.yaml"
    file.write_text(yaml.safe_dump_all([mesh(), virtual_node() | change], sort_keys=False))
    with pytest.raises(typer.Exit) as ended:
        _applied(Index(), [str(file)])
    assert ended.value.exit_code == 2
    told = capsys.readouterr().err
    assert told.startswith(f"meshwright: {file}:")
    assert f"{says}; see meshwright validate" in told
