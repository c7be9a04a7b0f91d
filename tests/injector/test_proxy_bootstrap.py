"""What a pod's proxy starts with."""

from dataclasses import replace

import pytest

from control_plane.xds.proxies import ProxyId
from injector.proxy_bootstrap import proxy_bootstrap
from tests.injector.cases import CONFIGURATION

NODE = ProxyId("shop", "virtualNode", "cart-prod")


@pytest.mark.parametrize(("ipv6", "addresses"), [(False, ["0.0.0.0"]), (True, ["0.0.0.0", "::"])])
def test_kubelet_finds_the_status_at_every_address_that_the_pod_may_have(ipv6: bool, addresses: list[str]) -> None:
    """Else its probes fail where the pod's first address is one of IPv6, and the pod never becomes ready."""
    document = proxy_bootstrap(NODE, replace(CONFIGURATION, ipv6=ipv6))
    (listener,) = document["static_resources"]["listeners"]
    found = [listener["address"], *(more["address"] for more in listener.get("additional_addresses", ()))]
    assert [each["socket_address"] for each in found] == [{"address": at, "port_value": 9902} for at in addresses]
