"""Tags tell whose an App Mesh object is, and App Mesh takes them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.ownership import Origin, Owner, origin_of, owner_in, tags_of
from tests.resources.strategies import labels, object_names

CART = Owner(cluster="east", namespace="prod", name="cart", uid="0b4c")

owners = st.builds(
    Owner, cluster=labels, namespace=st.none() | labels, name=object_names | st.just("x" * 253), uid=st.uuids().map(str)
)


@given(owners)
def test_what_was_tagged_is_read_back(owner: Owner) -> None:
    """Each resource can be told from every other by the tags of what it made."""
    assert owner_in(tags_of(owner)) == owner


@given(owners)
def test_every_tag_is_one_that_app_mesh_takes(owner: Owner) -> None:
    """Keys up to 128, values up to 256, and only the characters that AWS allows in tags."""
    for key, value in tags_of(owner).items():
        assert re.fullmatch(r"[A-Za-z0-9 _.:/=+\-@]{1,128}", key)
        assert re.fullmatch(r"[A-Za-z0-9 _.:/=+\-@]{0,256}", value)


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param({}, id="none"),
        pytest.param({"team": "a"}, id="somebody's"),
        pytest.param({"meshwright.dev/cluster": "east"}, id="not-said-to-be-managed"),
        pytest.param({"meshwright.dev/managed-by": "somebody", "meshwright.dev/cluster": "east"}, id="another-manager"),
        pytest.param({"meshwright.dev/managed-by": "meshwright"}, id="no-cluster"),
    ],
)
def test_tags_that_meshwright_did_not_write_name_no_owner(tags: dict[str, str]) -> None:
    """Such an object was made by hand or by another controller."""
    assert owner_in(tags) is None


def test_tags_that_people_add_do_not_hide_the_owner() -> None:
    """Cost centres and teams are nobody's business."""
    assert owner_in(tags_of(CART) | {"team": "a"}) == CART


@pytest.mark.parametrize(
    ("owner", "origin"),
    [
        pytest.param(None, Origin.FOUND, id="nobody"),
        pytest.param(CART, Origin.MADE, id="this-cluster"),
        pytest.param(CART.model_copy(update={"cluster": "west"}), Origin.LENT, id="another-cluster"),
    ],
)
def test_an_object_is_made_found_or_lent(owner: Owner | None, origin: Origin) -> None:
    """Which resource of this cluster made it does not matter here, nor which life of that."""
    assert origin_of(owner, "east") is origin


def test_an_owner_is_named_for_people() -> None:
    """As messages of conditions show it."""
    assert str(CART) == "prod/cart of cluster east"
    assert str(Owner(cluster="east", namespace=None, name="shop", uid="1")) == "shop of cluster east"
