"""The change feed over real HTTP: what it tells, when it waits, and whom it wakes."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.config import Config

from control_plane.api.change_feed import PATH
from control_plane.store import changes
from control_plane.store.database import Database
from control_plane.store.records import ObjectKey
from tests.control_plane import specs
from tests.control_plane.mesh import MeshUnderTest
from tests.control_plane.postgres import new_database
from tests.control_plane.serving import Served, served
from tests.control_plane.web import Http
from tests.waiting import until

OURS = "meshwright/east"


@pytest.fixture
def own(tmp_path) -> Iterator[Served]:
    """An API of this test's own: nobody else writes."""
    with served(tmp_path) as api:
        yield api


def ask(api: Served, **parameters: object) -> dict[str, Any]:
    """One request to the feed."""
    web = Http(api.url, timeout=70)
    try:
        answer = web.signed("GET", f"{PATH}?{urlencode(parameters)}")
    finally:
        web.close()
    assert answer.status == 200, answer.body
    return json.loads(answer.body)  # type: ignore[no-any-return]


@contextmanager
def asking(api: Served, **parameters: object) -> Iterator["Future[dict[str, Any]]"]:
    """The same beside the test, which goes on when the reader waits."""
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(ask, api, wait=60, **parameters)
        until(lambda: waiting(api), lambda number: number == 1, "the reader to wait")
        yield future


def waiting(api: Served) -> float:
    """How many readers wait."""
    web = Http(api.url)
    lines = web.send("GET", "/metrics").body.decode().splitlines()
    web.close()
    return next(float(line.split()[1]) for line in lines if line.startswith("appmesh_change_feed_waiting "))


@contextmanager
def client_of(api: Served, agent: str) -> Iterator[Any]:
    """A boto3 client that calls itself this."""
    with api.client(config=Config(retries={"total_max_attempts": 1}, user_agent_extra=agent)) as client:
        yield client


def test_each_write_is_told_with_its_object_version_and_writer(own):
    """Created, changed, gone; a route with its router; ours by our token, others by their first one."""
    with own.client() as client, client_of(own, OURS) as ours:
        ours.create_mesh(meshName="m")
        mesh = MeshUnderTest(client, "m")
        mesh.node("n")
        mesh.router("r")
        mesh.route("x", "r", n=1)
        mesh.update("route", "x", specs.route(n=2), router="r")
        mesh.delete("route", "x", router="r")
    told = ask(own, after=0)
    assert told["revision"] == 6
    assert [(each["revision"], each["operation"], each["kind"], each["version"]) for each in told["changes"]] == [
        (1, "create", "mesh", 1),
        (2, "create", "virtualNode", 1),
        (3, "create", "virtualRouter", 1),
        (4, "create", "route", 1),
        (5, "update", "route", 2),
        (6, "delete", "route", 2),
    ]
    assert told["changes"][0]["by"] == OURS
    assert told["changes"][1]["by"].startswith("Boto3/")
    last = told["changes"][-1]
    assert (last["meshName"], last["virtualRouterName"], last["name"], last["deleted"]) == ("m", "r", "x", True)
    assert ask(own, after=6) == {"revision": 6, "changes": []}


def test_without_a_revision_the_answer_is_where_to_begin(own):
    """A new reader learns the current revision."""
    assert ask(own) == {"revision": 0, "known": False, "changes": []}
    with own.client() as client:
        client.create_mesh(meshName="m")
    assert ask(own) == {"revision": 1, "known": False, "changes": []}


def test_a_waiting_reader_is_woken_by_a_write(own):
    """Long before its time is over."""
    with own.client() as client, asking(own, after=0) as answer:
        client.create_mesh(meshName="m")
        assert [each["name"] for each in answer.result(10)["changes"]] == ["m"]


def test_a_reader_is_not_woken_by_writes_that_it_leaves_out(own):
    """A controller does not hear of itself; and the next answer's revision is beyond what was left out."""
    with client_of(own, OURS) as ours, client_of(own, "meshwright/west") as theirs:
        with asking(own, after=0, notBy=OURS) as answer:
            for name in ("a", "b", "c"):
                ours.create_mesh(meshName=name)
            assert not answer.done()
            theirs.create_mesh(meshName="d")
            told = answer.result(10)
        assert (told["revision"], [each["name"] for each in told["changes"]]) == (4, ["d"])
        ours.delete_mesh(meshName="a")
    assert ask(own, after=4, notBy=OURS) == {"revision": 5, "changes": []}


def test_a_reader_that_waited_in_vain_is_told_so(own):
    """An empty answer, with the revision to ask from."""
    assert ask(own, after=0, wait=0.01) == {"revision": 0, "changes": []}


def test_a_named_reader_goes_on_where_it_left_off(own):
    """What it asks after is what it has dealt with; that outlives it."""
    with own.client() as client:
        for name in ("a", "b", "c"):
            client.create_mesh(meshName=name)
    assert ask(own, reader="east") == {"revision": 3, "known": False, "changes": []}
    ask(own, reader="east", after=2)
    assert ask(own, reader="east") == {"revision": 2, "known": True, "changes": []}
    assert ask(own, reader="west")["known"] is False
    ask(own, reader="east", after=3)
    assert ask(own, reader="east")["revision"] == 3
    assert ask(own)["revision"] == 3, "remembering is no change"


def test_a_long_log_is_told_in_pages(own, monkeypatch):
    """Each page's revision is where the next begins."""
    monkeypatch.setattr("control_plane.api.change_feed.PAGE", 2)
    with own.client() as client:
        for name in ("a", "b", "c", "d", "e"):
            client.create_mesh(meshName=name)
    names, after = [], 0
    while (page := ask(own, after=after))["changes"]:
        names += [each["name"] for each in page["changes"]]
        after = page["revision"]
    assert (names, after) == (["a", "b", "c", "d", "e"], 5)


def test_what_was_forgotten_is_gone(own):
    """410 says that only a look at everything helps: behind the log, and ahead of it (another database)."""
    database = Database(own.config.database_url)
    for _ in range(4):
        with database.write() as write:
            changes.purge(write, keep=2)
    database.close()
    web = Http(own.url)
    for after, message in (("1", "changes up to revision 2 are no longer kept"), ("5", "lies ahead of this database")):
        status, code, said = web.signed("GET", f"{PATH}?after={after}").error
        assert (status, code) == (410, "ChangesForgottenException")
        assert message in said
    web.close()


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=-1",
        "after=1.5",
        "wait=61&after=0",
        "wait=nan",
        "since=1",
        "after=1&after=2",
        "reader=",
        "reader=%00",
        "after=0&notBy=%00",
    ],
)
def test_what_the_feed_cannot_read_is_a_bad_request(web, query):
    """400 that names the parameter."""
    assert web.signed("GET", f"{PATH}?{query}").error[:2] == (400, "BadRequestException")


def test_the_feed_is_signed_as_the_operations_are(web):
    """403 for nobody and for a wrong secret; 405 for another method."""
    assert web.send("GET", f"{PATH}?after=0").error[:2] == (403, "ForbiddenException")
    assert web.signed("GET", f"{PATH}?after=0", secret="another").error[:2] == (403, "ForbiddenException")
    assert web.signed("PUT", PATH, b"{}").error[:2] == (405, "UnknownOperationException")


def test_the_feed_does_not_count_as_an_operation(own):
    """It has a counter of its own."""
    ask(own)
    ask(own, after=0)
    web = Http(own.url)
    lines = web.send("GET", "/metrics").body.decode().splitlines()
    web.close()
    assert not [line for line in lines if line.startswith("appmesh_api_requests_total{")]
    assert 'appmesh_change_feed_requests_total{code="200"} 2.0' in lines


def test_a_stop_does_not_wait_for_readers(tmp_path):
    """They are answered at once."""
    with ThreadPoolExecutor(1) as threads:
        with served(tmp_path) as api:
            answer = threads.submit(ask, api, after=0, wait=60)
            until(lambda: waiting(api), lambda number: number == 1, "the reader to wait")
        assert answer.result(10) == {"revision": 0, "changes": []}


def test_a_write_of_another_process_is_seen_soon(postgres_api):
    """With PostgreSQL, whose writers do not ring here, a waiting reader looks for itself."""
    with asking(postgres_api, after=0) as answer:
        database = Database(postgres_api.config.database_url)
        with database.write() as write:
            changes.note(write, "create", ObjectKey("mesh", "", "", "m"), "uid")
        database.close()
        assert [each["name"] for each in answer.result(10)["changes"]] == ["m"]


@pytest.mark.parametrize("query", ["reader=%00", "reader=a%00b&after=0", "after=0&notBy=%00"])
def test_a_name_that_postgresql_cannot_store_is_a_bad_request(postgres_api, query):
    """Not an error of ours."""
    web = Http(postgres_api.url)
    assert web.signed("GET", f"{PATH}?{query}").error[:2] == (400, "BadRequestException")
    web.close()


@pytest.fixture
def postgres_api(tmp_path, postgres) -> Iterator[Served]:
    """An API on PostgreSQL."""
    with served(tmp_path, database_url=new_database(postgres)) as api:
        yield api
