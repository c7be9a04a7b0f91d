import pytest

from tests.control_plane import specs


def tags(**values: str) -> list[dict[str, str]]:
    """Tags as the API wants them."""
    return [{"key": key, "value": value} for key, value in values.items()]


@pytest.fixture
def arn(mesh):
    """The ARN of a node without tags."""
    return mesh.node()["metadata"]["arn"]


def listed(client, arn):
    """All tags of an object."""
    pages = client.get_paginator("list_tags_for_resource").paginate(resourceArn=arn)
    return {tag["key"]: tag["value"] for page in pages for tag in page["tags"]}


def test_every_kind_can_be_tagged_from_the_start(mesh):
    """Tags given on create are there, for all seven kinds."""
    given = {"tags": tags(team="cart")}
    mesh.node(), mesh.router(), mesh.service(), mesh.gateway()
    made = [
        mesh.client.create_mesh(meshName=f"{mesh.name}-tagged", **given)["mesh"],
        mesh.create("virtualNode", "n", {}, **given),
        mesh.create("virtualService", "s", {}, **given),
        mesh.create("virtualRouter", "r", specs.router(), **given),
        mesh.create("virtualGateway", "g", specs.gateway(), **given),
        mesh.create("route", "x", specs.route(), router="router", **given),
        mesh.create("gatewayRoute", "x", specs.gateway_route(), gateway="gateway", **given),
    ]
    for each in made:
        assert listed(mesh.client, each["metadata"]["arn"]) == {"team": "cart"}
        assert "tags" not in each


def test_tags_are_added_changed_and_taken_away(client, arn):
    """A key has one value; other tags stay; keys that are not there do no harm."""
    client.tag_resource(resourceArn=arn, tags=tags(a="1", b="2"))
    client.tag_resource(resourceArn=arn, tags=tags(b="two", c=""))
    assert listed(client, arn) == {"a": "1", "b": "two", "c": ""}
    client.untag_resource(resourceArn=arn, tagKeys=["a", "never"])
    assert listed(client, arn) == {"b": "two", "c": ""}


def test_tags_are_no_part_of_the_object(mesh, arn):
    """Tagging is no new version, and an update keeps the tags."""
    before = mesh.describe("virtualNode", "node")
    mesh.client.tag_resource(resourceArn=arn, tags=tags(a="1"))
    assert mesh.describe("virtualNode", "node") == before
    mesh.update("virtualNode", "node", {})
    assert listed(mesh.client, arn) == {"a": "1"}


def test_tags_go_with_their_object(mesh, arn):
    """An object of the same name in another life has no tags of the first."""
    mesh.client.tag_resource(resourceArn=arn, tags=tags(a="1"))
    mesh.delete("virtualNode", "node")
    with pytest.raises(mesh.client.exceptions.NotFoundException):
        mesh.client.list_tags_for_resource(resourceArn=arn)
    mesh.node()
    assert listed(mesh.client, arn) == {}


def test_fifty_tags_are_enough(client, arn):
    """400 TooManyTagsException for the 51st, unless it only changes one that is there; nothing is set then."""
    client.tag_resource(resourceArn=arn, tags=tags(**{f"key-{number}": "" for number in range(50)}))
    client.tag_resource(resourceArn=arn, tags=tags(**{"key-7": "changed"}))
    with pytest.raises(client.exceptions.TooManyTagsException, match="would have 51 tags; the limit is 50") as refused:
        client.tag_resource(resourceArn=arn, tags=tags(**{"key-7": "again", "more": ""}))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert listed(client, arn)["key-7"] == "changed"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param(tags(**{"aws:name": "x"}), "must not begin with aws:", id="reserved"),
        pytest.param(tags(**{"AWS:name": "x"}), "must not begin with aws:", id="reserved, capitals"),
        pytest.param(tags(a="1") * 2, "another tag has the key 'a' already", id="twice"),
        pytest.param(tags(**{"k" * 129: "x"}), "at most 128 characters", id="key too long"),
        pytest.param(tags(a="v" * 257), "at most 256 characters", id="value too long"),
        pytest.param(tags(**{f"k{number}": "" for number in range(51)}), "at most 50 items", id="51 at once"),
    ],
)
def test_unusable_tags_are_refused(mesh, arn, given, says):
    """On create as on TagResource, and nothing is created or set."""
    with pytest.raises(mesh.client.exceptions.BadRequestException, match=says):
        mesh.client.tag_resource(resourceArn=arn, tags=given)
    with pytest.raises(mesh.client.exceptions.BadRequestException, match=says):
        mesh.create("virtualNode", "more", {}, tags=given)
    assert listed(mesh.client, arn) == {}
    assert mesh.list("virtualNode") == ["node"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(lambda arn: arn + "-other", "NotFoundException", id="no such object"),
        pytest.param(lambda arn: arn.replace("123456789012", "999999999999"), "NotFoundException", id="other account"),
        pytest.param(lambda arn: arn.replace("mesh/", ""), "BadRequestException", id="malformed"),
    ],
)
def test_tags_of_nothing_are_refused(client, arn, change, error):
    """An ARN must be one of an object here."""
    for call in (
        lambda: client.list_tags_for_resource(resourceArn=change(arn)),
        lambda: client.tag_resource(resourceArn=change(arn), tags=tags(a="1")),
        lambda: client.untag_resource(resourceArn=change(arn), tagKeys=["a"]),
    ):
        with pytest.raises(getattr(client.exceptions, error)):
            call()
