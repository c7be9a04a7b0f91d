"""Dumps of an account: what is read, what is refused with file and field, and which calls an import takes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.account import GATEWAY_ROUTE, MESH, ROUTE, SORTS, VIRTUAL_NODE, Held, identity, read
from cli.dumps import UnusableDump, answers, held
from cli.importing import call
from cli.main import app
from control_plane.server import ControlPlaneConfig
from tests.cli.documents import anything, spoiled
from tests.control_plane import specs
from tests.control_plane.serving import KEY_ID, REGION, SECRET, served

AWS = Path(sys.executable).with_name("aws")


def dumped(*contents: Any) -> tuple[Held, ...]:
    """What these answers describe, all in one file."""
    return held(answers("dump.json", "\n".join(map(json.dumps, contents))))


def mesh(**more: Any) -> dict[str, Any]:
    """An answer of DescribeMesh."""
    return {"mesh": {"meshName": "shop", "spec": {}, "status": {"status": "ACTIVE"}, "metadata": {"arn": "a"}} | more}


def node(**more: Any) -> dict[str, Any]:
    """An answer of DescribeVirtualNode."""
    return {"virtualNode": {"meshName": "shop", "virtualNodeName": "cart", "spec": specs.node()} | more}


def test_answers_are_put_in_the_order_in_which_they_can_be_created():
    """Whatever their order in the files; lists and repetitions are harmless."""
    found = dumped(node(), {"virtualNodes": [{"meshName": "shop", "virtualNodeName": "cart"}]}, mesh(), mesh())
    assert [str(each) for each in found] == ["mesh/shop", "mesh/shop/virtualNode/cart"]


def test_tags_belong_to_the_object_with_their_arn():
    """Those that AWS keeps for itself are left out."""
    tags = [{"key": "team", "value": "carts"}, {"key": "aws:stack", "value": "x"}]
    [found] = dumped(mesh(), {"resourceArn": "a", "tags": tags})
    assert found.tags == {"team": "carts"}


def test_what_was_deleted_is_not_imported():
    """A dump may have caught it on its way out."""
    assert dumped(mesh(status={"status": "DELETED"})) == ()


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        pytest.param([[1]], "dump.json:1: an answer", id="a list"),
        pytest.param([{"meshs": {}}], "dump.json: no answer of a describe", id="another"),
        pytest.param([{"mesh": {"spec": {}}}], "dump.json: mesh.meshName: is required", id="no name"),
        pytest.param([{"mesh": {"meshName": "shop"}}], "dump.json: mesh.spec: is required", id="no spec"),
        pytest.param([node()], "dump.json: no file describes mesh/shop, which cart is in", id="no parent"),
        pytest.param(
            [{"meshes": [{"meshName": "shop"}]}], "dump.json: mesh/shop is listed, and no file", id="not described"
        ),
        pytest.param(
            [mesh(spec={"egressFilter": {"type": "SOME"}})],
            "dump.json: mesh.spec.egressFilter.type: ",
            id="wrong value",
        ),
        pytest.param([{"mesh": 5}], "dump.json: mesh: must be an object", id="no object"),
        pytest.param([mesh(metadata=5)], "dump.json: mesh.metadata: must be an object", id="metadata"),
        pytest.param([mesh(status="ACTIVE")], "dump.json: mesh.status: must be an object", id="status"),
        pytest.param([mesh(spec={"egres": 1})], "dump.json: mesh.spec.egres: App Mesh has no such", id="unknown"),
        pytest.param([mesh(), mesh(spec={"egressFilter": {"type": "DROP_ALL"}})], "another spec than in", id="twice"),
        pytest.param([{"tags": []}], "dump.json: tags: there is no resourceArn", id="whose tags"),
        pytest.param([{"resourceArn": "a", "tags": [{"key": "k"}]}], "dump.json: tags[0]: a key and", id="tag"),
    ],
)
def test_what_cannot_be_imported_is_named_by_file_and_field(contents, says):
    """Before any call is made."""
    with pytest.raises(UnusableDump) as refused:
        dumped(*contents)
    assert str(refused.value).startswith(says) or says in str(refused.value)


def test_what_is_no_json_is_named_by_line():
    """As an editor counts."""
    with pytest.raises(UnusableDump, match=r"dump\.json:2: no JSON"):
        list(answers("dump.json", "{}\n{"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("[" * 100_000, "nested too deep", id="beyond the parser"),
        pytest.param('{"mesh": ' + "[" * 200 + "]" * 200 + "}", "nested deeper than", id="beyond measure"),
        pytest.param('{"mesh": NaN}', "no JSON: there is no NaN", id="not a number"),
        pytest.param('{"mesh": ' + "1" * 5000 + "}", "no JSON: Exceeds the limit", id="a long number"),
        pytest.param('{"mesh": "\\ud800"}', "half a character", id="a surrogate"),
    ],
)
def test_what_no_api_answers_is_named_by_line(text, says):
    """Before anything walks through it."""
    with pytest.raises(UnusableDump, match=rf"dump\.json:2: {says}"):
        list(answers("dump.json", "{}\n" + text))


DESCRIBED = st.sampled_from(
    [
        mesh(),
        mesh(status=None, metadata=None),
        node(metadata={"arn": "b"}),
        {"virtualNodes": [{"meshName": "shop", "virtualNodeName": "cart"}]},
        {"resourceArn": "a", "tags": [{"key": "team", "value": "carts"}]},
    ]
)


@given(spoiled(DESCRIBED, anything()) | anything())
def test_whatever_is_in_a_dump_it_is_read_or_refused(content):
    """What is read is as App Mesh takes it: strings for names and tags, an object for a spec."""
    try:
        found = dumped(mesh(), content)
    except UnusableDump:
        return
    for each in found:
        assert all(isinstance(text, str) for text in (*each.path, *each.tags, *each.tags.values()))
        assert next(call(each, None)).request["spec"] == each.spec


def test_an_object_takes_the_calls_that_bring_it_there_and_no_others():
    """Create, or update and tag what differs, or nothing."""
    wanted = Held(MESH, ("shop",), {"egressFilter": {"type": "ALLOW_ALL"}}, {"a": "1", "b": "2"})
    other = Held(MESH, ("shop",), {}, {"a": "1", "c": "3"})
    assert [each.operation for each in call(wanted, None)] == ["CreateMesh"]
    update, tag = call(wanted, other, "arn")
    assert (update.operation, update.request) == ("UpdateMesh", {"meshName": "shop", "spec": wanted.spec})
    assert (tag.operation, tag.request["tags"]) == ("TagResource", [{"key": "b", "value": "2"}])
    assert list(call(wanted, wanted, "arn")) == []


def test_names_lead_to_objects():
    """As requests and ARNs have them."""
    assert identity(ROUTE, ("m", "r", "a")) == {"meshName": "m", "virtualRouterName": "r", "routeName": "a"}
    assert str(Held(GATEWAY_ROUTE, ("m", "g", "a"), {})) == "mesh/m/virtualGateway/g/gatewayRoute/a"
    assert str(Held(VIRTUAL_NODE, ("m", "n"), {})) == "mesh/m/virtualNode/n"


def fill(client: Any) -> None:
    """One object of each kind, with tags, fields and references."""
    tags = [{"key": "team", "value": "carts"}]
    client.create_mesh(meshName="shop", spec={"egressFilter": {"type": "ALLOW_ALL"}}, tags=tags)
    timed = specs.listener(timeout={"http": {"idle": {"unit": "s", "value": 1}}})
    client.create_virtual_node(meshName="shop", virtualNodeName="cart", spec=specs.node(timed), tags=tags)
    client.create_virtual_router(meshName="shop", virtualRouterName="carts", spec=specs.router())
    client.create_route(meshName="shop", virtualRouterName="carts", routeName="all", spec=specs.route(cart=1))
    client.create_virtual_service(meshName="shop", virtualServiceName="cart.local", spec=specs.service(router="carts"))
    client.create_virtual_gateway(meshName="shop", virtualGatewayName="gate", spec=specs.gateway())
    route = specs.gateway_route(service="cart.local")
    client.create_gateway_route(meshName="shop", virtualGatewayName="gate", gatewayRouteName="in", spec=route)


def environment(config: ControlPlaneConfig, url: str) -> dict[str, str]:
    """How a command reaches a served API."""
    return {
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": config.region,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_APP_MESH": url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def dump_all(client: Any, file: Path) -> None:
    """What `aws appmesh` prints, of everything: the client's answers, without what is about the transport."""
    with file.open("w") as out:
        for each in list(read(client)):
            describe = getattr(client, "describe_" + "_".join(re.findall("[A-Z]?[a-z]+", each.sort.noun)).lower())
            answer = describe(**each.identity)
            arn = answer[each.sort.noun]["metadata"]["arn"]
            tags = client.list_tags_for_resource(resourceArn=arn)["tags"]
            for content in ({each.sort.noun: answer[each.sort.noun]}, {"resourceArn": arn, "tags": tags}):
                out.write(json.dumps(content, default=str, indent=4) + "\n")


def calls_told(*arguments: str) -> list[str]:
    """What `meshwright import` says that it does; between its lines are those of the API's log."""
    done = CliRunner().invoke(app, ["import", *arguments])
    assert done.exception is None
    return [line for line in done.stdout.splitlines() if line.startswith(("Create", "Update", "TagResource"))]


def test_a_dump_is_imported_whole_and_only_once(tmp_path, monkeypatch):
    """Import into an empty control plane, compare; the second import makes no call, and a dry run none at all."""
    dump = tmp_path / "dump.json"
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    with served(tmp_path / "old") as old, old.client() as client:
        fill(client)
        expected = list(read(client))
        dump_all(client, dump)
    with served(tmp_path / "new") as new, new.client() as client:
        for name, value in environment(new.config, new.url).items():
            monkeypatch.setenv(name, value)
        due = calls_told(str(dump), "--dry-run")
        assert list(read(client)) == []
        assert calls_told(str(dump)) == due
        assert due[0] == "CreateMesh mesh/shop"
        assert len(due) == len(SORTS)
        assert list(read(client)) == expected
        assert calls_told(str(dump)) == []
        client.update_mesh(meshName="shop", spec={})
        assert calls_told(str(dump)) == ["UpdateMesh mesh/shop"]


def test_a_dump_that_is_not_there_is_named():
    """As any setting that cannot be used."""
    assert "nowhere" in str(CliRunner().invoke(app, ["import", "/nowhere"]).exception)


@pytest.mark.e2e
@pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed beside this Python")
def test_the_script_dumps_an_account_by_the_aws_cli(tmp_path):
    """All seven kinds, with their tags, as `held` reads them."""
    with served(tmp_path) as old, old.client() as client:
        fill(client)
        script = Path(__file__).parents[2] / "examples" / "dump-account.sh"
        done = subprocess.run(
            ["bash", str(script), str(tmp_path / "dump")],
            env={"PATH": f"{AWS.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
            | environment(old.config, old.url),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        files = sorted((tmp_path / "dump").iterdir())
        found = held(each for file in files for each in answers(str(file), file.read_text()))
        assert sorted(found, key=str) == sorted(read(client), key=str)
