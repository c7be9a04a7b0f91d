import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.api.errors import BadRequest
from control_plane.api.paging import next_token, position

ROUTES = ("route", "m", "r")
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(name=NAMES, collection=st.tuples(NAMES, NAMES, NAMES))
def test_a_token_leads_back_to_its_place(name, collection):
    """A list goes on after the name that the token was made for, whatever it is called."""
    assert position(collection, next_token(collection, name)) == name


def test_without_a_token_a_list_starts_at_the_beginning():
    """No token, first page."""
    assert position(ROUTES, None) == ""


def test_a_token_of_another_list_is_refused():
    """A token of one router does not page through another."""
    with pytest.raises(BadRequest, match="not one of this list"):
        position(("route", "m", "another"), next_token(ROUTES, "x"))


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("nonsense", id="word"),
        pytest.param("!!!", id="no base64"),
        pytest.param("ä", id="no ASCII"),
        pytest.param(base64.b64encode(b"[1").decode(), id="no JSON"),
        pytest.param(base64.b64encode(b"7").decode(), id="number"),
        pytest.param(base64.b64encode(b'[2,"route","m","r","x"]').decode(), id="other version"),
        pytest.param(base64.b64encode(b'[1,"route","m","r",7]').decode(), id="no name"),
        pytest.param(base64.b64encode(b'[1,"route","m","r","\\ud800"]').decode(), id="no text"),
        pytest.param(base64.b64encode(b"[" * 100_000).decode(), id="too deep"),
    ],
)
def test_a_token_that_we_did_not_give_out_is_refused(token):
    """A malformed token is the caller's mistake, never a crash."""
    with pytest.raises(BadRequest, match="nextToken"):
        position(ROUTES, token)
