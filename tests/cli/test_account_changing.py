"""An account that changes while it is read."""

from typing import Any

import pytest

from cli.account import read
from tests.cli.test_dumps import fill
from tests.control_plane.serving import served


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        pytest.param("before-call.app-mesh.ListGatewayRoutes", [], id="its parent before it is listed"),
        pytest.param("after-call.app-mesh.ListGatewayRoutes", [], id="after it was listed"),
        pytest.param(
            "after-call.app-mesh.DescribeGatewayRoute", ["mesh/shop/virtualGateway/gate"], id="before its tags"
        ),
    ],
)
def test_what_is_deleted_while_all_is_read_is_left_out(tmp_path, moment, left):
    """And nothing else is."""
    with served(tmp_path) as here, here.client() as client, here.client() as other:
        fill(client)
        gateways = {"mesh/shop/virtualGateway/gate", "mesh/shop/virtualGateway/gate/gatewayRoute/in"}
        everything = {str(each) for each in read(client)}
        assert gateways < everything

        def delete(**_: Any) -> None:
            client.meta.events.unregister(moment, delete)
            other.delete_gateway_route(meshName="shop", virtualGatewayName="gate", gatewayRouteName="in")
            other.delete_virtual_gateway(meshName="shop", virtualGatewayName="gate")

        client.meta.events.register(moment, delete)
        assert {str(each) for each in read(client)} == everything - gateways | set(left)
