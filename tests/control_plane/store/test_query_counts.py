"""How many statements each call costs: a number that changes is a decision, not an accident."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from control_plane.api.arns import ArnFormat
from control_plane.api.dispatch import Dispatcher
from control_plane.api.quotas import Quotas
from control_plane.api.service_model import operations
from control_plane.api.session import Installation
from tests.control_plane import specs

OPERATIONS = {operation.name: operation for operation in operations()}


@pytest.fixture
def call(database):
    """Carry out an operation and return how many statements that took."""
    installation = Installation("123456789012", ArnFormat("us-west-2", "123456789012"), Quotas())
    dispatch = Dispatcher(database, installation)
    dispatch(OPERATIONS["CreateMesh"], {"meshName": "m"})  # the first write also sweeps

    def counted(operation, **parameters):
        with statements(database.engine) as seen:
            dispatch(OPERATIONS[operation], {"meshName": "m", **parameters})
        return len(seen)

    return counted


@contextmanager
def statements(engine):
    """The statements that are executed in the block."""
    seen = []

    def note(_connection, _cursor, statement, *_more):
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_calls_cost_few_statements(call):
    """However large the mesh is, a call costs the same handful of statements."""
    node = {"virtualNodeName": "n", "spec": specs.node()}
    backends = [specs.backend(f"{number}.local") for number in range(10)]
    router = {"virtualRouterName": "r"}
    # revision, mesh and name, quota (the first time), object, change
    assert call("CreateVirtualNode", **node) == 5
    # ... and the token: asked for and remembered
    assert call("CreateVirtualNode", virtualNodeName="t", spec=specs.node(), clientToken="t") == 6
    # ... which is all that a repetition asks for, beside whether the object lives
    assert call("CreateVirtualNode", virtualNodeName="t", spec=specs.node(), clientToken="t") == 3
    # ... and references, all at once
    assert call("CreateVirtualNode", virtualNodeName="b", spec=specs.node(backends=backends)) == 5
    assert call("CreateVirtualRouter", **router, spec=specs.router()) == 5
    # mesh, router, name and targets are one query
    assert call("CreateRoute", **router, routeName="x", spec=specs.route(n=1, b=1, t=1)) == 6
    assert call("UpdateRoute", **router, routeName="x", spec=specs.route(n=2, b=1, t=1)) == 4
    assert call("DescribeVirtualNode", virtualNodeName="n") == 1
    assert call("DescribeRoute", **router, routeName="x") == 1
    assert call("ListVirtualNodes") == 2
    assert call("ListRoutes", **router) == 2
    # revision, object, routes of a router, referrers, removal, change
    assert call("DeleteRoute", **router, routeName="x") == 4
    assert call("DeleteVirtualNode", virtualNodeName="n") == 5
    assert call("DeleteVirtualRouter", **router) == 6
