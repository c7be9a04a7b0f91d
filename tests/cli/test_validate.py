"""Manifests that are checked offline: what is said, of which file and line, and the exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from typer.testing import CliRunner

from cli.main import app
from cli.manifests import UnreadableManifest, parse
from cli.structured import as_yaml
from cli.validation import Severity, findings
from tests import builders
from tests.bad_inputs import APP_MESH, GIVEN
from tests.builders import Manifest
from tests.resources import strategies

EXAMPLES = Path(__file__).parents[2] / "examples"
MESH = """\
apiVersion: appmesh.k8s.aws/v1beta1
kind: Mesh
metadata: {name: shop}
spec: {}
"""
NODE = """\
apiVersion: appmesh.k8s.aws/v1beta1
kind: VirtualNode
metadata:
  name: cart
  namespace: prod
spec:
  meshName: shop
  listeners:
    - portMapping:
        port: 8080
        protocol: http
  serviceDiscovery:
    dns:
      hostName: cart.prod.svc.cluster.local
"""


def said(text: str) -> list[str]:
    """The findings about a text."""
    return [str(finding) for finding in findings(list(parse("f.yaml", text)))]


def run(*arguments: str, stdin: str | None = None) -> Any:
    """The command as a user runs it."""
    return CliRunner().invoke(app, ["validate", *arguments], input=stdin)


@pytest.mark.parametrize("folder", ["colors", "dj", "shop"])
def test_our_examples_are_right(folder):
    """Nobody starts from a mistake."""
    done = run("-f", str(EXAMPLES / folder))
    assert done.exit_code == 0, done.output
    assert " error: " not in done.output


def test_a_right_manifest_has_nothing_said_of_it():
    """Nor has what is not ours."""
    other = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {whatever: 1}\n"
    assert said(f"{MESH}---\n{NODE}---\n{other}---\n") == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            "port: 8080",
            "port: 99999",
            "f.yaml:10: error: VirtualNode prod/cart: spec.listeners[0].portMapping.port: "
            "Input should be less than or equal to 65535, got 99999",
            id="bound",
        ),
        pytest.param(
            "hostName",
            "hostname",
            "f.yaml:14: error: VirtualNode prod/cart: spec.serviceDiscovery.dns.hostname: "
            "unknown field; the API server would drop it",
            id="unknown field",
        ),
        pytest.param(
            "  namespace: prod",
            "  namespace: prod\n  annotations:\n    meshwright.dev/deletion-policy: Maybe",
            "f.yaml:7: error: VirtualNode prod/cart: metadata.annotations[meshwright.dev/deletion-policy]: "
            "must be one of Delete, Retain",
            id="annotation",
        ),
        pytest.param(
            "meshName: shop",
            "meshName: other",
            "f.yaml:7: warning: VirtualNode prod/cart: spec.meshName: Mesh other is not in these files",
            id="mesh elsewhere",
        ),
        pytest.param(
            "v1beta1",
            "v1beta2",
            "f.yaml:1: error: VirtualNode prod/cart: apiVersion: appmesh.k8s.aws/v1beta1 is served, "
            "not appmesh.k8s.aws/v1beta2",
            id="version",
        ),
        pytest.param(
            "kind: VirtualNode",
            "kind: VirtualNod",
            "f.yaml:2: error: VirtualNod prod/cart: kind: unknown; there are Mesh, VirtualNode, VirtualService",
            id="kind",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(old, new, expected):
    """As compilers write it."""
    assert expected in said(NODE.replace(old, new) + "---\n" + MESH)


def test_everything_that_is_wrong_is_said_at_once():
    """Not one thing after the other."""
    text = NODE.replace("port: 8080", "port: 0").replace("protocol: http", "protocol: smtp")
    assert len([line for line in said(f"{MESH}---\n{text}") if " error: " in line]) == 2


def test_references_that_lead_out_of_the_files_are_warnings():
    """The field that mentions it, once for each name."""
    service = builders.virtual_service("s", "prod", meshName="shop", routes=[builders.http_route("r", {"gone": 1})])
    node = yaml.safe_load(NODE)
    node["spec"]["backends"] = [{"virtualService": {"virtualServiceName": "nowhere"}}]
    found = findings(list(parse("f", yaml.safe_dump_all([yaml.safe_load(MESH), service, node]))))
    assert {(each.severity, each.field, each.message) for each in found} == {
        (
            Severity.WARNING,
            "spec.routes[0].http.action.weightedTargets[0].virtualNodeName",
            "VirtualNode prod/gone is not in these files",
        ),
        (
            Severity.WARNING,
            "spec.backends[0].virtualService.virtualServiceName",
            "VirtualService nowhere is not in these files",
        ),
    }


def test_two_resources_that_come_to_one_name_are_an_error():
    """`cart` in `prod` and `cart.prod` anywhere are the same virtual node."""
    twin = NODE.replace("name: cart\n  namespace: prod", "name: cart.prod\n  namespace: test")
    told = "metadata.name: is cart-prod in mesh shop, and so is VirtualNode prod/cart (f.yaml:6)"
    assert f"f.yaml:24: error: VirtualNode test/cart.prod: {told}" in said(f"{MESH}---\n{NODE}---\n{twin}")


def test_lists_are_taken_apart():
    """As `kubectl get -o yaml` writes them."""
    items = [yaml.safe_load(MESH), yaml.safe_load(NODE.replace("port: 8080", "port: 0"))]
    [line] = said(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items}))
    assert "VirtualNode prod/cart: spec.listeners[0].portMapping.port" in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: }", "f.yaml:2: expected ',' or ']', but got ':'"),
        ("just words", "f.yaml:1: an object is expected here"),
        ("a: \x00", "f.yaml: unacceptable character"),
    ],
)
def test_what_is_no_manifest_is_told_with_its_line(text, message):
    """The parser's own words."""
    with pytest.raises(UnreadableManifest) as error:
        list(parse("f.yaml", text))
    assert str(error.value).startswith(message)


def test_exit_codes(tmp_path):
    """0: fine, 1: wrong, 2: cannot be read; warnings count where that is asked for."""
    assert run("-f", "-", stdin=MESH).exit_code == 0
    assert run("-f", "-", stdin=NODE).exit_code == 0
    assert run("-f", "-", "--strict", stdin=NODE).exit_code == 1
    assert run("-f", "-", stdin=NODE.replace("8080", "0")).exit_code == 1
    assert run("-f", str(tmp_path / "none.yaml")).exit_code == 2
    assert run("-f", str(tmp_path)).exit_code == 2
    assert run("-f", "-", stdin="{").exit_code == 2


def test_json_is_for_programs():
    """Every finding with its place."""
    done = run("-f", "-", "-o", "json", stdin=NODE)
    [finding] = json.loads(done.stdout)
    assert finding == {
        "file": "<stdin>",
        "line": 7,
        "severity": "warning",
        "resource": "VirtualNode prod/cart",
        "field": "spec.meshName",
        "message": "Mesh shop is not in these files",
    }


@given(strategies.meshes() | strategies.virtual_nodes() | strategies.virtual_services())
def test_whatever_the_models_accept_is_no_error(resource):
    """The check is not stricter than the house."""
    found = findings(list(parse("f", as_yaml(resource))))
    errors = [each for each in found if each.severity is Severity.ERROR]
    assert [each for each in errors if not each.message.startswith("App Mesh refuses")] == []


_TOLD_BY_OTHERS = {
    "LimitExceeded",
    "target-with-several-listeners",
    "route-of-another-protocol",
    "two-router-listeners",
}
"""What App Mesh refuses because of other objects: a quota, a node's listeners, the listeners of a router."""


@pytest.mark.parametrize("case", APP_MESH, ids=lambda case: case.id)
def test_what_app_mesh_refuses_is_found_beforehand(case):
    """By the control plane's own bounds and rules; only what other objects make of it has to wait for App Mesh."""

    def refused(manifest: Manifest) -> list[str]:
        text = "---\n".join(map(as_yaml, [*GIVEN, manifest]))
        found = findings(list(parse("a.yaml", text)))
        return [each.message for each in found if each.severity == "error"]

    beforehand = not {case.id, str(case.reason)} & _TOLD_BY_OTHERS
    assert any(str(case.message) in message for message in refused(case.manifest)) is beforehand
    assert refused(case.fixed) == []
