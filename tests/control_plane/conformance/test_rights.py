"""What a key with few rights can do by boto3, and what beside the operations it is told."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from control_plane.api import change_feed
from control_plane.api.access import FixedKeys, parse
from control_plane.api.service_model import operations
from control_plane.store import readers
from tests.control_plane import specs
from tests.control_plane.serving import KEY_ID, SECRET, served
from tests.control_plane.web import Answer, Http

LIMITED = parse(f"LIMITED:{SECRET} write:shop read:open-*")
Call = Callable[..., dict[str, Any]]


class Site:
    """An API with three meshes, and a client for either key."""

    def __init__(self, url: str, everything: Any, limited: Any) -> None:
        self.url = url
        self.everything = everything
        self.limited = limited

    def refused(self, operation: str, **parameters: Any) -> str:
        """What the limited key is told when this is forbidden."""
        with pytest.raises(ClientError) as refused:
            getattr(self.limited, operation)(**parameters)
        assert refused.value.response["Error"]["Code"] == "ForbiddenException"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        return str(refused.value.response["Error"]["Message"])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An API of this test's own."""
    keys = FixedKeys([parse(f"{KEY_ID}:{SECRET}"), LIMITED])
    with ExitStack() as stack:
        api = stack.enter_context(served(tmp_path, keys=keys))
        everything = stack.enter_context(api.client())
        limited = stack.enter_context(api.client(aws_access_key_id=LIMITED.id))
        for name in ("shop", "open-data", "bank"):
            everything.create_mesh(meshName=name)
        yield Site(api.url, everything, limited)


def test_what_is_granted_can_be_done(site: Site):
    """A whole life of a node in the mesh that may be written; and reading where that is granted."""
    node = {"meshName": "shop", "virtualNodeName": "a"}
    made = site.limited.create_virtual_node(**node, spec=specs.node(specs.listener(8080)))
    arn = made["virtualNode"]["metadata"]["arn"]
    site.limited.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "x"}])
    assert site.limited.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "team", "value": "x"}]
    site.limited.delete_virtual_node(**node)
    assert site.limited.describe_mesh(meshName="open-data")["mesh"]["meshName"] == "open-data"


def test_what_is_not_granted_is_refused_in_words(site: Site):
    """With key, right and mesh; whether there is such a mesh is not told."""
    assert site.refused("create_virtual_router", meshName="open-data", virtualRouterName="r", spec={}) == (
        "The access key LIMITED may not write in mesh open-data, as CreateVirtualRouter would"
    )
    for mesh in ("bank", "is-not-there"):
        assert site.refused("describe_mesh", meshName=mesh) == (
            f"The access key LIMITED may not read in mesh {mesh}, as DescribeMesh would"
        )
    arn = site.everything.describe_mesh(meshName="bank")["mesh"]["metadata"]["arn"]
    assert "may not write in mesh bank" in site.refused("tag_resource", resourceArn=arn, tags=[])


def test_only_meshes_that_may_be_read_are_listed(site: Site):
    """On whatever page they are."""
    found = [
        each["meshName"] for page in site.limited.get_paginator("list_meshes").paginate() for each in page["meshes"]
    ]
    assert found == ["open-data", "shop"]
    one_a_page = site.limited.get_paginator("list_meshes").paginate(PaginationConfig={"PageSize": 1})
    assert [each["meshName"] for page in one_a_page for each in page["meshes"]] == found


def test_the_change_feed_tells_of_meshes_that_may_be_read(site: Site):
    """The revision goes on all the same, so that a reader does not ask for the others again and again."""
    web = Http(site.url)
    try:
        answer = json.loads(web.signed("GET", f"{change_feed.PATH}?after=0", key_id=LIMITED.id).body)
    finally:
        web.close()
    assert [each["meshName"] for each in answer["changes"]] == ["shop", "open-data"]
    assert answer["revision"] == 3


@pytest.mark.parametrize("name", sorted(each.name for each in operations()))
def test_no_operation_but_the_list_of_meshes_passes_without_a_right(site: Site, name: str):
    """Also one that is added to the model: what it is about must be found in its parameters."""
    if name == "ListMeshes":
        return
    shape = site.limited.meta.service_model.operation_model(name).input_shape
    values = {
        each: "bank" if each == "meshName" else _minimal(shape.members[each], each) for each in shape.required_members
    }
    operation = next(method for method, api_name in site.limited.meta.method_to_api_mapping.items() if api_name == name)
    assert "in mesh bank" in site.refused(operation, **values)


def _minimal(shape: Any, name: str) -> Any:
    if name == "resourceArn":
        return "arn:aws:appmesh:us-west-2:000000000000:mesh/bank"
    if shape.type_name == "structure":
        return {each: _minimal(shape.members[each], each) for each in shape.required_members}
    return [] if shape.type_name == "list" else "name"


def test_a_key_with_few_rights_moves_nobody_elses_place_in_the_change_feed(site: Site, monkeypatch: pytest.MonkeyPatch):
    """A watcher that is down would never hear of what came in between. Its own names are its own, and not many."""
    monkeypatch.setattr(readers, "MOST", 2)

    def ask(key_id: str, query: str) -> Answer:
        web = Http(site.url)
        try:
            return web.signed("GET", f"{change_feed.PATH}?{query}", key_id=key_id)
        finally:
            web.close()

    ask(KEY_ID, "reader=watcher&after=1")
    ask(LIMITED.id, "reader=watcher&after=3")
    assert json.loads(ask(KEY_ID, "reader=watcher").body)["revision"] == 1
    assert json.loads(ask(LIMITED.id, "reader=watcher").body) == {"revision": 3, "known": True, "changes": []}
    assert [ask(LIMITED.id, f"reader={name}&after=3").status for name in ("b", "c", "watcher")] == [200, 400, 200]
