from uuid import uuid4

import pytest

from tests.control_plane import specs


@pytest.fixture
def token():
    """A token that no other test uses."""
    return str(uuid4())


def test_a_repeated_create_is_answered_as_the_first_time(mesh, token):
    """Same token, same request: 200, the same answer, one object."""
    first = mesh.create("virtualNode", "node", specs.node(), clientToken=token)
    assert mesh.create("virtualNode", "node", specs.node(), clientToken=token) == first
    assert mesh.describe("virtualNode", "node") == first


def test_a_repeated_update_is_applied_once(mesh, token):
    """The version does not go up for a request that was carried out already."""
    mesh.node()
    spec = specs.node(specs.listener(9090))
    first = mesh.update("virtualNode", "node", spec, clientToken=token)
    assert first["metadata"]["version"] == 2
    assert mesh.update("virtualNode", "node", spec, clientToken=token) == first
    assert mesh.describe("virtualNode", "node") == first


def test_the_first_answer_is_given_even_if_the_object_changed_since(mesh, token):
    """A late repetition is no second request: it writes nothing."""
    first = mesh.create("virtualNode", "node", specs.node(), clientToken=token)
    changed = mesh.update("virtualNode", "node", specs.node(specs.listener(9090)))
    assert mesh.create("virtualNode", "node", specs.node(), clientToken=token) == first
    assert mesh.describe("virtualNode", "node") == changed


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda m, token: m.create("virtualNode", "node", {}, clientToken=token), id="other spec"),
        pytest.param(
            lambda m, token: m.create("virtualNode", "more", specs.node(), clientToken=token), id="other name"
        ),
        pytest.param(
            lambda m, token: m.update("virtualNode", "node", specs.node(), clientToken=token), id="other verb"
        ),
        pytest.param(
            lambda m, token: m.create("virtualGateway", "g", specs.gateway(), clientToken=token), id="other kind"
        ),
        pytest.param(
            lambda m, token: m.create(
                "virtualNode", "node", specs.node(), tags=[{"key": "k", "value": ""}], clientToken=token
            ),
            id="other tags",
        ),
    ],
)
def test_a_token_stands_for_one_request(mesh, token, call):
    """409 ConflictException for another request under a used token, which then does nothing."""
    mesh.create("virtualNode", "node", specs.node(), clientToken=token)
    with pytest.raises(mesh.client.exceptions.ConflictException, match="was used for a request that differs"):
        call(mesh, token)
    assert mesh.list("virtualNode") == ["node"]
    assert mesh.describe("virtualNode", "node")["metadata"]["version"] == 1


def test_a_deleted_object_is_created_anew_under_its_old_token(mesh, token):
    """The recorded answer of an object that is gone would be a lie: the create is carried out again."""
    first = mesh.create("virtualNode", "node", specs.node(), clientToken=token)
    mesh.delete("virtualNode", "node")
    second = mesh.create("virtualNode", "node", specs.node(), clientToken=token)
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert mesh.create("virtualNode", "node", specs.node(), clientToken=token) == second


def test_an_update_of_a_deleted_object_is_not_answered_from_memory(mesh, token):
    """The same update of an object that is gone finds nothing."""
    mesh.node()
    mesh.update("virtualNode", "node", {}, clientToken=token)
    mesh.delete("virtualNode", "node")
    with pytest.raises(mesh.client.exceptions.NotFoundException):
        mesh.update("virtualNode", "node", {}, clientToken=token)


def test_a_refused_request_does_not_use_up_its_token(mesh, token):
    """What failed may be repeated, mended or not, under the same token."""
    mesh.router()
    for _ in range(2):
        with pytest.raises(mesh.client.exceptions.NotFoundException):
            mesh.create("route", "route", specs.route(), router="router", clientToken=token)
    mesh.node()
    mesh.create("route", "route", specs.route(), router="router", clientToken=token)


def test_the_same_spec_in_another_spelling_is_the_same_request(mesh, token):
    """Empty members do not make a request another one, as they are not stored either."""
    first = mesh.create("virtualNode", "node", specs.node(), clientToken=token)
    assert mesh.create("virtualNode", "node", specs.node(backends=[]), clientToken=token) == first


@pytest.mark.parametrize("token", ["", "x" * 37, "a b", "ä"])
def test_a_token_has_documented_characters(mesh, token):
    """Up to 36 letters, digits, hyphens and underscores."""
    with pytest.raises(mesh.client.exceptions.BadRequestException, match="clientToken"):
        mesh.create("virtualNode", "node", {}, clientToken=token)
